"""Read an ICC profile's name without loading LittleCMS.

Source: ICC.1:2010 and ICC.1:2022, tag table and the types `desc` and `mluc`.
"""

from .tags import clean

_MAX_TAGS = 100
_HEADER_BYTES = 128


def profile_name(profile: bytes | None) -> str | None:
    """Return the profile's description, or None if it has none."""
    if not profile or len(profile) < _HEADER_BYTES + 4:
        return None
    count = min(int.from_bytes(profile[128:132], "big"), _MAX_TAGS)
    for entry in range(132, 132 + 12 * count, 12):
        if profile[entry : entry + 4] == b"desc":
            start = int.from_bytes(profile[entry + 4 : entry + 8], "big")
            size = int.from_bytes(profile[entry + 8 : entry + 12], "big")
            return _description(profile[start : start + size])
    return None


def _description(data: bytes) -> str | None:
    """Read a description of version 2 (`desc`, ASCII) or 4 (`mluc`, the first of its UTF-16 texts)."""
    if data[:4] == b"desc":
        size = int.from_bytes(data[8:12], "big")
        return clean(data[12 : 12 + size].split(b"\0", 1)[0].decode("latin-1"))
    if data[:4] == b"mluc":
        size, start = int.from_bytes(data[20:24], "big"), int.from_bytes(data[24:28], "big")
        return clean(data[start : start + size].decode("utf-16-be", "ignore").split("\0", 1)[0])
    return None
