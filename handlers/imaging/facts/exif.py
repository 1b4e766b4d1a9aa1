"""Read EXIF, which is a TIFF structure, and write one.

Source: CIPA DC-008 (Exif 2.32).
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .directories import Directories, whole_number

ORIENTATION, ARTIST, COPYRIGHT, EXIF_IFD, GPS_IFD = 0x0112, 0x013B, 0x8298, 0x8769, 0x8825


@dataclass(frozen=True)
class Exif:
    """The tags of the three directories, by number; text and binary data are bytes, all others tuples."""

    image: Mapping[int, Any] = field(default_factory=dict)
    photo: Mapping[int, Any] = field(default_factory=dict)
    gps: Mapping[int, Any] = field(default_factory=dict)
    opaque: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()

    @property
    def orientation(self) -> int:
        """The orientation, from 1 to 8; 1 (upright) for any other value.

        Some writers put it into the photo directory, where browsers find it too.
        """
        for directory in (self.image, self.photo):
            if ORIENTATION in directory:
                found = whole_number(directory[ORIENTATION])
                if found and 1 <= found <= 8:  # noqa: PLR2004
                    return found
        return 1


def read_exif(blob: bytes | None) -> Exif:
    """Read the image, photo and GPS directories; what cannot be read is left out, with a warning."""
    if not blob:
        return Exif()
    if blob.startswith(b"Exif\0\0"):
        blob = blob[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(blob[:4])
    if order is None or len(blob) < 8:  # noqa: PLR2004
        return Exif(warnings=("the EXIF data was ignored: it has no TIFF header",))
    found = Directories(lambda start, size: blob[start : start + size], len(blob), order)
    return exif_of(found, struct.unpack_from(order + "I", blob, 4)[0])


def exif_of(directories: Directories, offset: int) -> Exif:
    """Read the image's directory at `offset`, and the two that it points to."""
    image = directories.directory(offset)
    photo = directories.sub_directory(image.get(EXIF_IFD))
    gps = directories.sub_directory(image.get(GPS_IFD))
    return Exif(image, photo, gps, frozenset(directories.opaque), tuple(dict.fromkeys(directories.warnings)))


def decoded_text(value: bytes) -> str:
    """Return text in UTF-8; text in another encoding is read as Latin-1, as most programs do."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def directory_bytes(entries: Iterable[tuple[int, int, int, bytes]], order: str) -> bytes:
    """Return a TIFF with one directory of entries: tag, type number, number of values, and the values as bytes."""
    ordered = sorted(entries)
    start, table, elsewhere = 8 + 2 + 12 * len(ordered) + 4, list[bytes](), b""
    for tag, kind, count, raw in ordered:
        place = raw.ljust(4, b"\0")
        if len(raw) > 4:  # noqa: PLR2004 - longer values follow the directory
            place = struct.pack(order + "I", start + len(elsewhere))
            elsewhere += raw + b"\0" * (len(raw) % 2)
        table.append(struct.pack(order + "HHI", tag, kind, count) + place)
    head = b"II*\0" if order == "<" else b"MM\0*"
    return b"".join((head, struct.pack(order + "IH", 8, len(ordered)), *table, bytes(4), elsewhere))
