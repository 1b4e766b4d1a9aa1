"""TIFF files written byte by byte."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

CODES = {1: "B", 2: "s", 3: "H", 4: "I", 7: "s", 16: "Q"}

Tags = Mapping[int, tuple[int, Sequence[int] | bytes]]
"""For each tag its type, and its numbers, or bytes for types 2 and 7."""


def tiff(tags: Tags, data: Sequence[bytes] = (), *, order: str = "<", big: bool = False, after: int = 0) -> bytes:
    """Return a TIFF of one directory, with strip offsets and sizes (273, 279); `after` is the next one's offset."""
    starts, position = [], 16
    for part in data:
        starts.append(position)
        position += len(part)
    all_tags: dict[int, tuple[int, Sequence[int] | bytes]] = dict(tags)
    if data:
        all_tags.setdefault(273, (4, starts))
        all_tags.setdefault(279, (4, [len(part) for part in data]))
    position += position % 2
    count, pointer = ("Q", "Q") if big else ("H", "I")
    room = struct.calcsize(pointer)
    entries, values = b"", b""
    behind = position + struct.calcsize(count) + (4 + 2 * room) * len(all_tags) + room
    for tag, (kind, value) in sorted(all_tags.items()):
        raw = value if isinstance(value, bytes) else struct.pack(f"{order}{len(value)}{CODES[kind]}", *value)
        entries += struct.pack(f"{order}HH{pointer}", tag, kind, len(value))
        if len(raw) > room:
            entries += struct.pack(order + pointer, behind + len(values))
            values += raw
        else:
            entries += raw.ljust(room, b"\0")
    mark = b"II" if order == "<" else b"MM"
    head = struct.pack(order + "HHHQ", 43, 8, 0, position) if big else struct.pack(order + "HI", 42, position)
    pixels = (mark + head).ljust(16, b"\0") + b"".join(data)
    table = struct.pack(order + count, len(all_tags)) + entries + struct.pack(order + pointer, after)
    return pixels.ljust(position, b"\0") + table + values


def plain(width: int, height: int, samples: int = 3, depth: int = 8, **further: Any) -> dict[int, Any]:
    """Return the tags of an uncompressed picture in one strip."""
    return {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [depth] * samples),
        259: (3, [1]),
        262: (3, [2 if samples > 2 else 1]),
        277: (3, [samples]),
        278: (4, [height]),
        **{int(tag.removeprefix("t")): value for tag, value in further.items()},
    }
