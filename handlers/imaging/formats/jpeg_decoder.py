"""A JPEG decoder that decodes a scan while it arrives, and detects coded data that end before the last row."""

import io
import re

from PIL import ImageFile, JpegImagePlugin

from handlers.imaging.source import Source

from .decoding import BLOCK_BYTES, image_faults
from .jpeg_markers import MARKER

END_OF_IMAGE = b"\xff\xd9"
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
