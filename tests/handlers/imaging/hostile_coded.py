"""Hostile files whose coded data take long to decode: scans that repeat, JPEGs within a TIFF, codes of a GIF."""

import struct
from collections.abc import Sequence
from typing import Any

from handlers.errors import BrokenImageError, ImageTooLargeError

from .hostile import Refused
from .pictures import BLACK, RED, gif, jpeg, photo, segment, sub_blocks, with_segments
from .tiffs import plain, tiff

_ZERO_CODES = b"".join(segment(0xC4, bytes((kind, 1)) + bytes(15) + b"\0") for kind in (0x00, 0x10))
"""Huffman tables for means and for detail in which one bit is a whole block."""

_LONG_RUN = segment(0xC4, b"\x10\1" + bytes(15) + b"\xe0") + segment(0xC4, b"\0\1" + bytes(15) + b"\0")
"""Tables in which a bit and 14 more skip 32,767 blocks."""


def _scans(marker: int, side: int, tables: bytes, components: int, scans: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return a JPEG of `side` pixels a side with scans of (parameters, data)."""
    frame = struct.pack(">BHHB", 8, side, side, components) + b"".join(
        bytes((number, 0x11, 0)) for number in range(1, components + 1)
    )
    coded = b"".join(segment(0xDA, parameters) + data for parameters, data in scans)
    quantisation = segment(0xDB, b"\0" + b"\1" * 64)
    return b"\xff\xd8" + quantisation + tables + segment(marker, frame) + coded + b"\xff\xd9"


def _repeated(marker: int, side: int, parameters: bytes, data: bytes, tables: bytes = _ZERO_CODES) -> bytes:
    """Return a JPEG whose three components come in 98 scans, one after the other, again and again."""
    scans = [(bytes((1, 1 + number % 3, 0)) + parameters, data) for number in range(98)]
    return _scans(marker, side, tables, 3, scans)


def _runs(side: int, count: int) -> bytes:
    """Return a progressive JPEG whose scans of detail are a few bytes that skip all blocks."""
    blocks = (side // 8 + 1) ** 2
    bits = ("0" + "1" * 14) * -(-blocks // 32_767)
    bits += "1" * (-len(bits) % 8)
    run = int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
    details = [(bytes((1, 1, 0, 1 + number % 63, 1 + number % 63, 0)), run) for number in range(count)]
    return _scans(0xC2, side, _LONG_RUN, 1, [(b"\1\1\0\0\0\0", bytes(blocks // 8 + 1)), *details])


def _jpegs(count: int, tables: bytes = b"", *segments: bytes, **options: Any) -> bytes:
    """Return a TIFF whose `count` strips are small JPEGs with these segments, which share tables."""
    strip = with_segments(jpeg(photo((64, 8), "L"), **options), *segments)
    tags = plain(64, 8 * count, 1, t259=(3, [7]), t278=(4, [8]), t347=(7, b"\xff\xd8" + tables + b"\xff\xd9"))
    return tiff(tags, [strip] * count)


def _codes(side: int, data: bytes) -> bytes:
    """Return a GIF of `side` pixels a side whose coded data are a size of codes, and codes."""
    frame = b"," + struct.pack("<4HB", 0, 0, side, side, 0) + data[:1] + sub_blocks(data[1:]) + b"\0"
    return gif((side, side), [BLACK, RED], frame)


REFUSED: Refused = {
    "JPEG of 98 scans for three components": (
        lambda: _repeated(0xC0, 4480, b"\0\x3f\0", bytes(560 * 560 // 4)),
        ImageTooLargeError,
    ),
    "lossless JPEG of 98 scans": (lambda: _repeated(0xC3, 4400, b"\1\0\0", bytes(30_000)), ImageTooLargeError),
    "arithmetic JPEG of 20 scans": (
        lambda: _scans(0xC9, 3500, b"", 3, [(bytes((1, 1 + n % 3, 0, 0, 63, 0)), bytes(99)) for n in range(20)]),
        ImageTooLargeError,
    ),
    "progressive JPEG of 20 MP in 98 scans": (lambda: _runs(4500, 98), ImageTooLargeError),
    "GIF of 107 million clear codes": (lambda: _codes(64, b"\2" + b"\x24\x49\x92" * 13_333_333), BrokenImageError),
    "GIF of 300 KB of codes that begin with 2 bits": (
        lambda: _codes(1_000, b"\1" + b"\x22" * 300_000),
        ImageTooLargeError,
    ),
}

TIFF: Refused = {
    "TIFF of 2,000 JPEGs": (lambda: _jpegs(2_000), ImageTooLargeError),
    "TIFF of 1,000 JPEGs of 500 comments": (
        lambda: _jpegs(1_000, b"", segment(0xFE, b"") * 500),
        ImageTooLargeError,
    ),
    "TIFF of 1,000 JPEGs of 65 KB of tables": (
        lambda: _jpegs(1_000, segment(0xC4, (b"\0\1" + bytes(16)) * 3_600)),
        ImageTooLargeError,
    ),
    "TIFF of 1,000 progressive JPEGs": (lambda: _jpegs(1_000, progressive=True), ImageTooLargeError),
}
