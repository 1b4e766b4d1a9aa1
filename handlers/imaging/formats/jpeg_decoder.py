"""Decode a JPEG, also while it arrives, and find out whether its coded data are complete.

Source: ITU-T T.81, annex G, for progressive coding.
"""

import io
import re
from collections.abc import Sequence

from PIL import ImageFile, JpegImagePlugin

from handlers.imaging.source import Source

from .decoding import BLOCK_BYTES, image_faults
from .jpeg_coded import ARITHMETIC, CodedPicture, Scan, largest_blocks
from .jpeg_header import JpegHeader
from .jpeg_markers import LOSSLESS, MARKER

END_OF_IMAGE = b"\xff\xd9"
_NO_END = "the JPEG is truncated: it has no end-of-image marker"
_FILL_BYTES = re.compile(rb"\xff{2,}")
_PADDING = b"\x7f" * 8
"""As long as libjpeg's bit buffer, because it reads so far ahead. Ones are not a Huffman code, but zeros can be those
of many blocks."""


def open_jpeg(payload: "bytes | ArrivingScan", *, watch: bool = False) -> "WatchedJpeg":
    """Open a JPEG for decoding; `watch` a payload without its EOI to find out whether it is complete."""
    arriving = isinstance(payload, ArrivingScan)
    with image_faults():
        image = WatchedJpeg(payload if arriving else io.BytesIO(payload))  # type: ignore[arg-type]
    image.decodermaxblock = BLOCK_BYTES if arriving else max(len(payload), ImageFile.MAXBLOCK)  # type: ignore[arg-type]
    image.watch = watch
    return image


def reduce(image: "WatchedJpeg", factor: int) -> tuple[float, float, float, float] | None:
    """Let a picture be decoded reduced by a factor of 1, 2, 4 or 8; return the part of the pixels that it fills."""
    if factor == 1:
        return None
    width, height = image.size
    # The smallest size for which Pillow uses this factor and no larger one.
    drafted = image.draft(None, (max(1, width // factor), max(1, height // factor)))
    return drafted[1] if drafted else None


class ArrivingScan:
    """A file for Pillow: `head`, then a scan's coded data from a position of a source up to the next marker.

    Fill bytes (FF before a marker or FF) are left out if there are many: the decoder would read them all again for each
    block.
    """

    def __init__(self, head: bytes, source: Source, start: int) -> None:
        self._head, self._source, self._next = head, source, start
        self._at = 0
        self._ended = False
        self.size = len(head)
        """Bytes so far."""

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; none at the end of the scan."""
        if self._at < len(self._head):
            data = self._head[self._at : self._at + size]
            self._at += len(data)
            return data
        block = b""
        while not block and not self._ended:
            block = self._coded(size)
        self.size += len(block)
        return block

    def seek(self, offset: int) -> None:
        """Go back to the beginning, as Pillow does after it has read the header."""
        assert not offset  # noqa: S101
        assert self.size == len(self._head)  # noqa: S101
        self._at = 0

    def _coded(self, size: int) -> bytes:
        """Return the next coded data, of at most `size` bytes, which are two or more."""
        block = self._source.peek(self._next, size)
        self._ended = len(block) < size
        if not self._ended:
            # The last FF may begin a marker.
            block = block[: size - (block[-1] == 0xFF)]  # noqa: PLR2004
        self._next += len(block)
        # A search for a marker is slow among fill bytes, and so is a search for them in other data.
        block = _FILL_BYTES.sub(b"\xff", block) if 2 * block.count(b"\xff") > len(block) else block
        if marker := MARKER.search(block):
            block, self._ended = block[: marker.start()], True
        return block.rstrip(b"\xff")


class WatchedJpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG that detects coded data that end before the last row.

    libjpeg fills in what is missing before an EOI, and Pillow ignores its warning. So the EOI is withheld: when the
    decoder asks for more data, the last row of a whole picture is already decoded, and that of a short one is not.
    """

    watch = False
    short = False
    _asked = 0
    _row = b""

    def load_prepare(self) -> None:
        """Mark the last row, to see whether it is decoded."""
        super().load_prepare()
        if self.watch:
            self.im.paste(_MARKS[self.mode], (0, self.height - 1, self.width, self.height))

    def load_read(self, read_bytes: int) -> bytes:
        """Read on; at the end add padding, then the EOI."""
        data = super().load_read(read_bytes)
        if data or not self.watch:
            return data
        self._asked += 1
        if self._asked == 1:
            return _PADDING
        self._row = self._last_row()
        return END_OF_IMAGE if self._asked == 2 else b""  # noqa: PLR2004

    def load_end(self) -> None:
        """Compare the last row before and after the EOI."""
        super().load_end()
        if self._row:
            self.short = self._row != self._last_row()

    def unmark(self) -> None:
        """Make the last row black if it was not decoded."""
        mark = _MARKS[self.mode]
        row = bytes((mark,) if isinstance(mark, int) else mark) * self.width
        if self.watch and self._last_row() == row:
            self.paste(0, (0, self.height - 1, self.width, self.height))

    def _last_row(self) -> bytes:
        row = self.im.crop((0, self.height - 1, self.width, self.height))
        return self._new(row).tobytes()


_MARKS: dict[str, int | tuple[int, ...]] = {"L": 77, "RGB": (1, 254, 3), "CMYK": (1, 254, 3, 251)}


def has_too_few_bits(header: JpegHeader, coded: CodedPicture) -> bool:
    """Return whether the picture cannot be whole: Huffman codes have a bit or more for each block or lossless sample.

    So a decoder need not fill in a large picture that is only declared.
    """
    if header.frame in ARITHMETIC:
        return False
    return 8 * coded.size < (header.width * header.height if header.frame == LOSSLESS else largest_blocks(header))


def missing(header: JpegHeader, coded: CodedPicture) -> str | None:
    """Return what a picture that decodes lacks, by its scans and its end, or None if it is whole.

    Each component needs all bits of its mean values (DC). The standard allows a file to leave out further detail, but
    without EOI, the scans with that detail may be lost.
    """
    for component in header.components:
        bands = [scan for scan in coded.scans if component in scan.components]
        # Each scan of another frame has all bits, and its parameters mean something else, or nothing.
        means = [scan.bits_left for scan in bands if scan.first == 0] if header.progressive else [0 for _ in bands]
        if not means or means[-1]:
            return "the JPEG is incomplete: a scan of one of its components is missing"
        if not coded.ended and not _has_all_detail(header, bands):
            return "the JPEG is truncated: it ends before its last scan"
    return None if coded.ended or header.frame not in ARITHMETIC else _NO_END


def _has_all_detail(header: JpegHeader, bands: Sequence[Scan]) -> bool:
    """Return whether all 64 coefficients of a component are complete, to the last bit."""
    if not header.progressive:
        return True
    left = dict.fromkeys(range(64), 1)
    for scan in bands:
        left.update(dict.fromkeys(range(scan.first, min(scan.last, 63) + 1), scan.bits_left))
    return not any(left.values())
