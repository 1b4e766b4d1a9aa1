"""Run Pillow's decoders on files that have only the picture, and separate the image's fault from other failures.

A picture may be decoded while its file arrives. The result is used only if the whole file, once it is there and
checked, has the same bytes that were decoded; otherwise the picture is decoded again from the file.

The decoders get neither metadata nor a second picture. `Image.open` is not used: it imports the plug-ins of other
formats, and its bomb check and LOAD_TRUNCATED_IMAGES apply to the whole process.
"""

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image, ImageFile

from handlers.errors import BrokenImageError
from handlers.imaging.source import Source

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
"""The exceptions that Pillow raises for a bad file; UnicodeDecodeError is a ValueError."""


@contextmanager
def image_faults(*others: type[Exception]) -> Iterator[None]:
    """Turn Pillow's exceptions for a bad file into `BrokenImageError`; memory and disk are not the image's fault.

    `others` are further exceptions of a format's decoder.
    """
    faults: tuple[type[Exception], ...] = (*IMAGE_FAULTS, *others)
    try:
        yield
    except faults as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if "out of memory" in str(error).lower():
            raise MemoryError(str(error)) from error
        raise BrokenImageError(f"the picture cannot be decoded: {error}") from error


BLOCK_BYTES = 256 * 1024
"""Bytes that are decoded at a time: 3 ms of a download at 80 MB/s. Smaller blocks cost more time than they save."""


@contextmanager
def attempt(source: Source) -> Iterator[None]:
    """Ignore errors of the picture, and raise those of fetching unchanged.

    Decoders turn an error of reading into one of their own, but a network failure is not the image's fault.
    """
    try:
        yield
    except Exception as error:
        if source.error is not None:
            raise source.error from None
        if not isinstance(error, BrokenImageError):
            raise


def load(image: ImageFile.ImageFile, *, salvage: bool, unmark: Callable[[], None] | None = None) -> str | None:
    """Decode the pixels; with `salvage`, keep those before the damage and return what is wrong.

    `unmark` makes missing pixels black that have a marking colour.

    Raises:
        BrokenImageError: The picture cannot be decoded completely.
    """
    try:
        with image_faults():
            image.load()
    except BrokenImageError as error:
        if not salvage:
            raise
        # Without tiles to decode, Pillow returns the pixels that it has.
        image.tile = []
        with image_faults():
            image.load()
        if unmark:
            unmark()
        if image.getbbox() is None:
            raise
        return str(error)
    return None


def decoded(decoder: type[ImageFile.ImageFile], payload: bytes, *others: type[Exception]) -> Image.Image:
    """Return the picture of a file that holds nothing else; `others` are as in `image_faults`."""
    with image_faults(*others):
        image = decoder(io.BytesIO(payload))
        image.load()
    return without_decoder(image)


def without_decoder(image: ImageFile.ImageFile) -> Image.Image:
    """Return a decoded picture, so that its decoder and its file can leave the memory; a copy would need more."""
    return Image.Image._new(image, image.im)  # noqa: SLF001
