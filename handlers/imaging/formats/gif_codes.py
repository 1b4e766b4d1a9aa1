"""The sub-blocks of a GIF, and a frame's codes that Pillow does not decode.

Source: CompuServe GIF89a specification, appendix F.
"""

from collections.abc import Iterator

from handlers.errors import ImageTooLargeError
from handlers.imaging.source import Source

MAX_SUB_BLOCKS = 500_000
"""Sub-blocks of all blocks together: 128 MB if they are full; a file with more is made to stall the reader."""

MAX_SMALL_BYTES, MAX_SMALL_PX = 128 * 1024, 4_000_000
"""The most coded data and pixels of a frame whose codes begin with 2 bits. It is decoded in Python, where a byte takes
2.5 microseconds."""

_FIRST_STEP_BYTES, _STEP_BYTES = 1024, 64 * 1024
_SMALL, _LITERAL = 1, 7
"""Minimum sizes of codes: that which Pillow does not decode, and one for which codes are bytes."""

_CLEAR, _END, _FIRST = 2, 3, 4
_MOST_CODES, _MOST_BITS = 4_096, 12
_LITERALS = 126
"""Pixels in codes of 7 bits and more that may follow each other before the codes would grow to 9 bits."""


class SubBlocks:
    """Skips series of sub-blocks, which together have a limit: each takes time, however short it is."""

    def __init__(self, source: Source) -> None:
        self._source, self._count = source, 0

    def skip(self, position: int) -> int:
        """Return the position after a series of sub-blocks and its terminator.

        Raises:
            BrokenImageError: The file ends within the series.
            ImageTooLargeError: There are too many sub-blocks.
        """
        step = _FIRST_STEP_BYTES
        while self._count < MAX_SUB_BLOCKS:
            part, at = self._source.peek(position, step), 0
            if not part:
                self._source.take(position, 1)
            while at < len(part):
                size = part[at]
                at, self._count = at + size + 1, self._count + 1
                if not size:
                    return position + at
            position, step = position + at, min(2 * step, _STEP_BYTES)
        raise ImageTooLargeError(f"expected a GIF of at most {MAX_SUB_BLOCKS:,} sub-blocks, got more: save it again")


def closed(data: bytes) -> bytes:
    """Return a frame's data, which are cut, as whole sub-blocks with a terminator."""
    position, end = 1, len(data)
    while position < end and data[position]:
        left = end - position - 1
        if data[position] > left:
            return data[:position] + (bytes((left,)) + data[position + 1 :] if left else b"") + b"\0"
        position += data[position] + 1
    return data[:position] + b"\0"


def decodable(data: bytes, pixels: int) -> bytes:
    """Return a frame's data of `pixels` in codes that Pillow decodes: not those that begin with 2 bits.

    Raises:
        ImageTooLargeError: There are too many of those codes, or pixels.
    """
    if data[:1] != bytes((_SMALL,)):
        return data
    coded = b"".join(_contents(data))
    if len(coded) > MAX_SMALL_BYTES or pixels > MAX_SMALL_PX:
        raise ImageTooLargeError(
            f"expected a GIF whose codes begin with 2 bits to have at most {MAX_SMALL_BYTES:,} bytes of them for "
            f"{MAX_SMALL_PX:,} pixels, got {len(coded):,} for {pixels:,}: save it again"
        )
    indices = _decoded(coded, pixels)
    starts = range(0, len(indices), _LITERALS)
    literal = b"".join(bytes((1 << _LITERAL,)) + indices[start : start + _LITERALS] for start in starts)
    literal += bytes(((1 << _LITERAL) + 1,))
    parts = (literal[start : start + 255] for start in range(0, len(literal), 255))
    return bytes((_LITERAL,)) + b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def _contents(data: bytes) -> Iterator[bytes]:
    position = 1
    while data[position]:
        yield data[position + 1 : position + 1 + data[position]]
        position += data[position] + 1


def _decoded(coded: bytes, pixels: int) -> bytes:
    """Return the indices of two colours, as far as the codes are valid."""
    indices, table, last = bytearray(), [b"\0", b"\1", b"", b""], b""
    bits = read = 0
    width = 2
    for byte in coded:
        bits |= byte << read
        read += 8
        while read >= width:
            code = bits & ((1 << width) - 1)
            bits >>= width
            read -= width
            if code == _CLEAR:
                del table[_FIRST:]
                last, width = b"", 2
                continue
            entry = table[code] if code < len(table) else last + last[:1]
            if code == _END or not entry or code > len(table) or len(indices) >= pixels:
                return bytes(indices[:pixels])
            indices += entry
            if last and len(table) < _MOST_CODES:
                table.append(last + entry[:1])
            if len(table) == 1 << width and width < _MOST_BITS:
                width += 1
            last = entry
    return bytes(indices[:pixels])
