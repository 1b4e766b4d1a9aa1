"""Boxes of AVIF and HEIC files, written byte by byte for unusual files, and edits of whole files."""

import struct
from collections.abc import Sequence

Place = tuple[int, int, int]
"""An item's construction method, and the start and size of its data."""


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box."""
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def extent(width: int, height: int) -> bytes:
    """Return the property that declares a picture's size."""
    return box(b"ispe", struct.pack(">III", 0, width, height))


def resized(data: bytes, size: tuple[int, int], to: tuple[int, int]) -> bytes:
    """Return a file that declares the size `to` wherever it declared `size`; its coded data are unchanged."""
    assert extent(*size) in data
    return data.replace(extent(*size), extent(*to))


def container(
    items: Sequence[tuple[bytes, Sequence[int], Place, bytes]],
    properties: Sequence[bytes],
    references: bytes = b"",
    *,
    brand: bytes = b"avif",
    idat: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    """Return a file without data; each item is a type, property indices from 1, the place of its data, and a name."""
    kinds, places, links = b"", b"", b""
    for number, (kind, linked, (method, start, size), name) in enumerate(items, start=1):
        kinds += box(b"infe", struct.pack(">IHH4s", 2 << 24, number, 0, kind), name + b"\0")
        places += struct.pack(">HHHHII", number, method, 0, 1, start, size)
        links += struct.pack(">HB", number, len(linked)) + bytes(linked)
    meta = box(
        b"meta",
        bytes(4),
        box(b"pitm", struct.pack(">IH", 0, 1)),
        box(b"iinf", struct.pack(">IH", 0, len(items)), kinds),
        box(b"iloc", struct.pack(">IHH", 1 << 24, 0x4400, len(items)), places),
        box(b"iprp", box(b"ipco", *properties), box(b"ipma", struct.pack(">II", 0, len(items)), links)),
        box(b"iref", bytes(4), references),
        box(b"idat", idat),
        extra,
    )
    return box(b"ftyp", brand, bytes(4), brand, b"mif1") + meta


def grid(rows: int, columns: int, width: int, height: int) -> bytes:
    """Return the data of a grid item."""
    return struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)


def reference(kind: bytes, one: int, to: Sequence[int]) -> bytes:
    """Return a reference from one item to others."""
    return box(kind, struct.pack(f">HH{len(to)}H", one, len(to), *to))
