"""Read the directories of a TIFF structure, with limits for entries, bytes and depth.

Source: TIFF 6.0, section 2; the BigTIFF design of libtiff, where numbers and pointers have 8 bytes; Exif 3.0 for texts
of type 129, UTF-8.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_ENTRIES = 512
MAX_VALUE_BYTES = 65_536
MAX_RATIONALS = 65_536
"""Fractions of one structure; each takes a microsecond, and cameras write a few dozen."""

MAX_NUMBERS = 1_000_000
"""Numbers of one structure, each of which takes 36 bytes: four times as many as a TIFF with the most strips has."""

_UNDEFINED, _BYTES, _RATIONALS = 7, (2, 7, 129), (5, 10)
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
    16: (8, "Q"),
    17: (8, "q"),
    18: (8, "Q"),
    129: (1, "s"),
}


@dataclass(frozen=True)
class Rational:
    """A fraction as stored; the denominator may be zero."""

    numerator: int
    denominator: int


class Directories:
    """The directories of one structure; each is read once, so that loops end.

    `peek` returns bytes from a position, or fewer at the end. `room` limits the bytes of all values together; `longest`
    has the limits of the tags whose values may be longer than `MAX_VALUE_BYTES`. `cut` has the positions of directories
    that the structure ends within, `lost` the tags whose values do not fit.
    """

    def __init__(
        self,
        peek: Callable[[int, int], bytes],
        room: int,
        order: str,
        *,
        big: bool = False,
        longest: Mapping[int, int] | None = None,
    ) -> None:
        self._peek, self._room, self._order = peek, room, order
        count, pointer = ("Q", "Q") if big else ("H", "I")
        self._count, self._pointer = struct.Struct(order + count), struct.Struct(order + pointer)
        # Tag, type, count, and the value or a pointer to it.
        self._entry = struct.Struct(f"{order}HH{pointer}{self._pointer.size}s")
        self._longest = longest or {}
        self._rationals = self._numbers = 0
        self._seen: set[int] = set()
        self.opaque: set[int] = set()
        self.cut: set[int] = set()
        self.lost: set[int] = set()
        self.warnings: list[str] = []

    def sub_directory(self, pointer: Any) -> dict[int, Any]:
        """Return the directory that a tag's value points to."""
        offset = whole_number(pointer)
        return {} if offset is None else self.directory(offset)

    def directory(self, offset: int) -> dict[int, Any]:
        """Return the values by tag: text and binary data as bytes, all others as tuples."""
        count = self._number_at(offset, self._count)
        if offset in self._seen or count is None:
            self.warnings.append("an EXIF directory was ignored: it lies outside or was met before")
            return {}
        self._seen.add(offset)
        first, size = offset + self._count.size, self._entry.size
        table = self._peek(first, size * min(count, MAX_ENTRIES))
        if count > len(table) // size:
            self.warnings.append(f"an EXIF directory was cut short: {count:,} entries")
        if len(table) < size * min(count, MAX_ENTRIES):
            self.cut.add(offset)
        tags: dict[int, Any] = {}
        for tag, kind, number, inline in self._entry.iter_unpack(table[: len(table) // size * size]):
            value = self._value(tag, kind, number, inline)
            if value is not None:
                tags.setdefault(tag, value)
        return tags

    def next(self, offset: int) -> int:
        """Return the offset of the directory after the one at `offset`, or 0 if there is none."""
        count = self._number_at(offset, self._count)
        if count is None or count > 1 << 32:
            return 0
        return self._number_at(offset + self._count.size + self._entry.size * count, self._pointer) or 0

    def _number_at(self, offset: int, form: struct.Struct) -> int | None:
        """Return the number of this form at `offset`, or None if it is outside the structure."""
        raw = self._peek(offset, form.size) if 0 <= offset < 1 << 62 else b""
        return int(form.unpack(raw)[0]) if len(raw) == form.size else None

    def _value(self, tag: int, kind: int, count: int, inline: bytes) -> Any:
        """Return the value of an entry, or None if it cannot be read."""
        if kind not in _TYPES:
            self.warnings.append(f"EXIF tag 0x{tag:04X} was ignored: unknown type {kind}")
            return None
        width, code = _TYPES[kind]
        size = width * count
        raw = self._raw(tag, size, inline)
        rationals, numbers = count * (kind in _RATIONALS), count * (kind not in _BYTES)
        if raw is None or self._rationals + rationals > MAX_RATIONALS or self._numbers + numbers > MAX_NUMBERS:
            self.warnings.append(f"EXIF tag 0x{tag:04X} was ignored: {size:,} bytes do not fit")
            self.lost.add(tag)
            return None
        self._room -= size
        self._rationals += rationals
        self._numbers += numbers
        if kind == _UNDEFINED:
            self.opaque.add(tag)
        if kind in _BYTES:
            return raw
        values = struct.unpack(f"{self._order}{count * len(code)}{code[0]}", raw)
        if kind in _RATIONALS:
            return tuple(Rational(*pair) for pair in zip(values[::2], values[1::2], strict=True))
        return values

    def _raw(self, tag: int, size: int, inline: bytes) -> bytes | None:
        """Return a value's bytes, or None if there are too many or they are outside the structure."""
        if size <= len(inline):
            return inline[:size] if size <= self._room else None
        # Real values do not share bytes; many that claim the same bytes could fill the memory.
        if size > min(self._longest.get(tag, MAX_VALUE_BYTES), self._room):
            return None
        (start,) = self._pointer.unpack(inline)
        raw = self._peek(start, size) if start < 1 << 62 else b""
        return raw if len(raw) == size else None


def whole_number(value: Any) -> int | None:
    """Return the first number of a tag's value, or None if there is none, or it is not a whole number."""
    return value[0] if isinstance(value, tuple) and value and isinstance(value[0], int) else None
