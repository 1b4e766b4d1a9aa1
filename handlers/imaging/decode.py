"""The decode stage: Pillow's decoders on files cut down to the picture, and whose fault it is when they fail.

The decoders see neither metadata nor a second picture, and `Image.open` is not used: it imports plug-ins of
other formats, and its bomb check and LOAD_TRUNCATED_IMAGES hold for the whole process.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PIL import GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin

from handlers.errors import BrokenImageError

IMAGE_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for a bad file; UnicodeDecodeError is a ValueError."""

EOI = b"\xff\xd9"
_PADDING = b"\x7f" * 8
"""As much as libjpeg's bit buffer holds: it reads that far ahead of what it needs. Ones are no Huffman code, but zeros
can be those of many blocks."""


@contextmanager
def image_faults() -> Iterator[None]:
    """Turn what Pillow raises for a bad file into `BrokenImageError`; memory and disk are not the image's fault."""
    try:
        yield
    except IMAGE_FAULTS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if "out of memory" in str(error):
            raise MemoryError(str(error)) from error
        raise BrokenImageError(f"the picture cannot be decoded: {error}") from error


def open_jpeg(payload: bytes, *, watch: bool = False) -> "WatchedJpeg":
    """Open a JPEG for decoding; `watch` is for one without its EOI, to learn whether it was all there."""
    with image_faults():
        image = WatchedJpeg(io.BytesIO(payload))
    image.decodermaxblock = max(len(payload), ImageFile.MAXBLOCK)
    image.watch = watch
    return image


def open_png(payload: bytes, deflated: Sequence[memoryview]) -> PngImagePlugin.PngImageFile:
    """Open a PNG for decoding, without its data, which are `deflated`, in parts."""
    # Only PNGs pay for loading ISA-L.
    from .inflate import InflatedPng  # noqa: PLC0415

    with image_faults():
        image = InflatedPng(io.BytesIO(payload))
    image.deflated = deflated
    return image


def open_gif(payload: bytes) -> GifImagePlugin.GifImageFile:
    """Open a GIF for decoding."""
    with image_faults():
        return GifImagePlugin.GifImageFile(io.BytesIO(payload))


def load(image: ImageFile.ImageFile, *, salvage: bool) -> str | None:
    """Decode the pixels; with `salvage` keep what was decoded before a failure, and return the reason.

    Raises:
        BrokenImageError: The picture cannot be decoded, or not whole.
    """
    try:
        with image_faults():
            image.load()
    except BrokenImageError as error:
        if not salvage:
            raise
        # Without tiles left to decode, Pillow hands out the pixels that it has.
        image.tile = []
        with image_faults():
            image.load()
        if isinstance(image, WatchedJpeg):
            image.unmark()
        if image.getbbox() is None:
            raise
        return str(error)
    return None


class WatchedJpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG that notices when its coded data ends before its last row.

    libjpeg invents what is missing before an EOI, and Pillow drops its warning. So the EOI is held back: when
    the decoder asks for more, a whole picture has its last row already, and a short one has not.
    """

    watch = False
    short = False
    _asked = 0
    _row = b""

    def load_prepare(self) -> None:
        """Mark the last row, so that its decoding shows."""
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
        return EOI if self._asked == 2 else b""  # noqa: PLR2004

    def load_end(self) -> None:
        """Compare the last row before and after the EOI."""
        super().load_end()
        if self._row:
            self.short = self._row != self._last_row()

    def unmark(self) -> None:
        """Blacken the last row if the decoder has not come to it."""
        mark = _MARKS[self.mode]
        row = bytes((mark,) if isinstance(mark, int) else mark) * self.width
        if self.watch and self._last_row() == row:
            self.paste(0, (0, self.height - 1, self.width, self.height))

    def _last_row(self) -> bytes:
        row = self.im.crop((0, self.height - 1, self.width, self.height))
        return self._new(row).tobytes()


_MARKS: dict[str, int | tuple[int, ...]] = {"L": 77, "RGB": (1, 254, 3), "CMYK": (1, 254, 3, 251)}
