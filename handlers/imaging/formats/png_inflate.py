"""Inflate a PNG's data with ISA-L, in a third of the time, and pass them to Pillow as stored blocks.

Source: RFC 1950 for the zlib stream, RFC 1951 for deflate.
"""

import contextlib
import itertools
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

from isal import igzip_lib, isal_zlib
from PIL import PngImagePlugin

Deflated = Callable[[], Iterator[bytes | memoryview]]
Checksum = Literal["right", "wrong", "missing", "unread"]

_READ_BYTES = 32 * 1024
_STEP_BYTES = 1024
_STORED_BYTES = 65_535
"""The longest stored block. Source: RFC 1951, 3.2.4."""
_MORE_BLOCKS = 256
"""Blocks after the last row that are read to reach the checksum; a file with more is made to stall the reader."""
_HEADER_BYTES, _CHECKSUM_BYTES = 2, 4


class InflatedPng(PngImagePlugin.PngImageFile):
    """A PNG with a header only; `deflated` returns its data, in parts, whenever it is called.

    Once the picture is decoded, `checksum` says whether the checksum of its data (Adler-32) was right. It is missing if
    the file ends within it, and unread if the data have no end.
    """

    deflated: Deflated
    checksum: Checksum = "unread"
    _blocks: Iterator[bytes] = iter(())

    def load_prepare(self) -> None:
        """Start with the first part."""
        super().load_prepare()
        self._blocks = self._stored()

    def load_read(self, read_bytes: int) -> bytes:  # noqa: ARG002
        """Return the next data, and nothing at the end.

        Raises:
            ValueError: The data are damaged.
        """
        return next(self._blocks, b"")

    def load_end(self) -> None:
        """Read on to the checksum and compare it, because the decoder stops after the last row."""
        with contextlib.suppress(ValueError):
            for _ in itertools.islice(self._blocks, _MORE_BLOCKS):
                pass
        super().load_end()

    def _stored(self) -> Iterator[bytes]:
        """Yield, block by block, a zlib stream with the same data in stored blocks."""
        # No compression, a window of 32 KB. Source: RFC 1950, 2.2.
        yield b"\x78\x01"
        inflater: Any = isal_zlib.decompressobj(-zlib.MAX_WBITS)
        pieces, checksum = _pieces(self.deflated), 1
        for raw in _inflated(self.deflated, pieces, inflater):
            checksum = isal_zlib.adler32(raw, checksum)
            yield _block(raw, last=False)
        stored = inflater.unused_data + b"".join(map(bytes, itertools.islice(pieces, _CHECKSUM_BYTES)))
        computed = checksum.to_bytes(_CHECKSUM_BYTES)
        if not computed.startswith(stored[:_CHECKSUM_BYTES]):
            self.checksum = "wrong"
        else:
            self.checksum = "right" if len(stored) >= _CHECKSUM_BYTES else "missing"
        yield _block(b"", last=True) + computed


def _without_header(deflated: Deflated) -> Iterator[bytes | memoryview]:
    """Yield the parts of a zlib stream from its first deflated byte on.

    Raises:
        ValueError: There is no zlib header.
    """
    head = b""
    for part in deflated():
        taken = _HEADER_BYTES - len(head)
        head += bytes(part[:taken])
        if taken and len(head) == _HEADER_BYTES:
            _check_header(head)
        yield part[taken:]


def _check_header(head: bytes) -> None:
    if head[0] & 15 != zlib.DEFLATED or head[1] & 32 or int.from_bytes(head) % 31:
        raise ValueError("its compressed data have no zlib header")


def _block(raw: bytes, *, last: bool) -> bytes:
    size = len(raw)
    return bytes((last,)) + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + raw


def _inflated(deflated: Deflated, pieces: Iterator[bytes | memoryview], inflater: Any) -> Iterator[bytes]:
    """Yield the inflated data of some pieces, in pieces that fit into a stored block.

    Raises:
        ValueError: The pieces are not a deflated stream, or not all of it.
    """
    number = done = 0
    try:
        for number, piece in enumerate(pieces):  # noqa: B007 - which one failed
            raw = inflater.decompress(piece, _STORED_BYTES)
            while raw:
                yield raw
                done += len(raw)
                raw = inflater.decompress(inflater.unconsumed_tail, _STORED_BYTES)
            if inflater.eof:
                return
    except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub declares no exception
        yield from _before_damage(deflated, number, done)
        raise ValueError(f"its compressed data are damaged ({error})") from error
    raise ValueError("its compressed data end too early")


def _before_damage(deflated: Deflated, damaged: int, done: int) -> Iterator[bytes]:
    """Yield the inflated data before the damage in a piece, after the first `done` bytes of all.

    A call of ISA-L or zlib that fails returns nothing, so zlib gets this piece byte by byte.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    past = 0
    with contextlib.suppress(zlib.error):
        for number, piece in enumerate(itertools.islice(_pieces(deflated), damaged + 1)):
            step = 1 if number == damaged else _STEP_BYTES
            for at in range(0, len(piece), step):
                raw = inflater.decompress(piece[at : at + step])
                past += len(raw)
                if raw and past > done:
                    yield raw[max(0, len(raw) - (past - done)) :]


def _pieces(deflated: Deflated) -> Iterator[bytes | memoryview]:
    """Yield small pieces, because the inflater copies what it does not use at once for the next call."""
    for part in _without_header(deflated):
        for start in range(0, len(part), _READ_BYTES):
            yield part[start : start + _READ_BYTES]
