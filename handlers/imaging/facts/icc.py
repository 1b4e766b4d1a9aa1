"""Read an ICC profile's name without loading LittleCMS.

Source: ICC.1:2010 and ICC.1:2022, the types `desc` and `mluc`.
"""

from handlers.imaging.pixels.profile import tags_of

from .tags import clean

_MAX_LANGUAGES = 100


def profile_name(profile: bytes | None) -> str | None:
    """Return the profile's description, or None if it has none."""
    if not profile:
        return None
    found = next((tag for tag in tags_of(profile) if tag.name == b"desc"), None)
    return _description(profile[found.start : found.start + found.size]) if found else None


def _description(data: bytes) -> str | None:
    """Read a description of version 2 (`desc`, ASCII) or 4 (`mluc`, texts in UTF-16: the English one or the first)."""
    if data[:4] == b"desc":
        size = int.from_bytes(data[8:12], "big")
        return clean(data[12 : 12 + size].split(b"\0", 1)[0].decode("latin-1"))
    if data[:4] == b"mluc":
        records = [data[at : at + 12] for at in range(16, min(len(data), 16 + 12 * _MAX_LANGUAGES), 12)]
        records = records[: int.from_bytes(data[8:12], "big")] or [b""]
        record = next((one for one in records if one[:2] == b"en"), records[0])
        size, start = int.from_bytes(record[4:8], "big"), int.from_bytes(record[8:12], "big")
        return clean(data[start : start + size].decode("utf-16-be", "ignore").split("\0", 1)[0])
    return None
