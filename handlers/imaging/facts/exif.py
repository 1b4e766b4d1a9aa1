"""Read the TIFF structure that EXIF is, bounded in entries, bytes and depth, whatever the bytes.

Source: CIPA DC-008 (Exif 2.32); TIFF 6.0, section 2.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_ENTRIES = 512
MAX_VALUE_BYTES = 65_536

ORIENTATION, ARTIST, COPYRIGHT, EXIF_IFD, GPS_IFD = 0x0112, 0x013B, 0x8298, 0x8769, 0x8825

_ASCII, _UNDEFINED, _RATIONALS = 2, 7, (5, 10)
# Type number -> bytes of one value and its struct code; rationals are two longs.
_TYPES = {
    1: (1, "B"),
    2: (1, "s"),
    3: (2, "H"),
    4: (4, "I"),
    5: (8, "II"),
    6: (1, "b"),
    7: (1, "s"),
    8: (2, "h"),
    9: (4, "i"),
    10: (8, "ii"),
    11: (4, "f"),
    12: (8, "d"),
    13: (4, "I"),
}


@dataclass(frozen=True)
class Rational:
    """A fraction as stored; the denominator may be zero."""

    numerator: int
    denominator: int


@dataclass(frozen=True)
class Exif:
    """The tags of the three directories, by number; text and opaque values are bytes, all others tuples."""

    image: Mapping[int, Any] = field(default_factory=dict)
    photo: Mapping[int, Any] = field(default_factory=dict)
    gps: Mapping[int, Any] = field(default_factory=dict)
    opaque: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()

    @property
    def orientation(self) -> int:
        """Return the orientation, 1 to 8; anything else counts as upright."""
        value = self.image.get(ORIENTATION)
        if isinstance(value, tuple) and value and isinstance(value[0], int) and 1 <= value[0] <= 8:  # noqa: PLR2004
            return value[0]
        return 1


def read_exif(blob: bytes | None) -> Exif:
    """Read image, photo and GPS directory; what cannot be read is left out and noted."""
    if not blob:
        return Exif()
    if blob.startswith(b"Exif\0\0"):
        blob = blob[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(blob[:4])
    if order is None or len(blob) < 8:  # noqa: PLR2004
        return Exif(warnings=("the EXIF data was ignored: it has no TIFF header",))
    reader = _Reader(blob, order)
    image = reader.directory(struct.unpack_from(order + "I", blob, 4)[0])
    photo = reader.sub_directory(image.get(EXIF_IFD))
    gps = reader.sub_directory(image.get(GPS_IFD))
    return Exif(image, photo, gps, frozenset(reader.opaque), tuple(dict.fromkeys(reader.warnings)))


class _Reader:
    """Directories of one blob, each read once, so that loops end."""

    def __init__(self, blob: bytes, order: str) -> None:
        self._blob, self._order = blob, order
        self._seen: set[int] = set()
        # Values do not share bytes; where many claim the same ones, they would fill the memory.
        self._room = len(blob)
        self.opaque: set[int] = set()
        self.warnings: list[str] = []

    def sub_directory(self, pointer: Any) -> dict[int, Any]:
        if isinstance(pointer, tuple) and pointer and isinstance(pointer[0], int):
            return self.directory(pointer[0])
        return {}

    def directory(self, offset: int) -> dict[int, Any]:
        if offset in self._seen or offset + 2 > len(self._blob) or offset < 0:
            self.warnings.append("an EXIF directory was ignored: it lies outside or was met before")
            return {}
        self._seen.add(offset)
        (count,) = struct.unpack_from(self._order + "H", self._blob, offset)
        room = (len(self._blob) - offset - 2) // 12
        if count > min(room, MAX_ENTRIES):
            self.warnings.append(f"an EXIF directory was cut short: {count:,} entries")
            count = min(room, MAX_ENTRIES)
        tags: dict[int, Any] = {}
        for entry in range(count):
            tag, value = self._entry(offset + 2 + 12 * entry)
            if value is not None:
                tags.setdefault(tag, value)
        return tags

    def _entry(self, position: int) -> tuple[int, Any]:
        tag, kind, count = struct.unpack_from(self._order + "HHI", self._blob, position)
        if kind not in _TYPES:
            self.warnings.append(f"EXIF tag 0x{tag:04X} was ignored: unknown type {kind}")
            return tag, None
        width, code = _TYPES[kind]
        size = width * count
        start = position + 8
        if size > 4:  # noqa: PLR2004 - longer values lie elsewhere
            (start,) = struct.unpack_from(self._order + "I", self._blob, start)
        if size > min(MAX_VALUE_BYTES, self._room) or start + size > len(self._blob):
            self.warnings.append(f"EXIF tag 0x{tag:04X} was ignored: {size:,} bytes do not fit")
            return tag, None
        self._room -= size
        if kind == _UNDEFINED:
            self.opaque.add(tag)
        if kind in (_ASCII, _UNDEFINED):
            return tag, self._blob[start : start + size]
        numbers = struct.unpack_from(f"{self._order}{count * len(code)}{code[0]}", self._blob, start)
        if kind in _RATIONALS:
            return tag, tuple(Rational(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))
        return tag, numbers
