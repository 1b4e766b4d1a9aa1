"""Run Pillow's decoders on files cut down to the picture, and tell the image's fault from other failures.

A picture may be decoded while its file arrives, so that a download and a decoder take turns. What is decoded early
counts only if the whole file, once it is there and checked, holds the same bytes that were decoded; else it is
forgotten, and the picture is decoded from the file.

The decoders see neither metadata nor a second picture. `Image.open` is not used: it imports the plug-ins of other
formats, and its bomb check and LOAD_TRUNCATED_IMAGES apply to the whole process.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

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
"""What Pillow raises for a bad file; UnicodeDecodeError is a ValueError."""


@contextmanager
def image_faults(*others: type[Exception]) -> Iterator[None]:
    """Turn what Pillow raises for a bad file into `BrokenImageError`; memory and disk are not the image's fault.

    `others` are what the decoder of a format raises in addition.
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
"""As much as is decoded at a time: 3 ms of a download at 80 MB/s. Smaller blocks cost more calls than they save."""


@contextmanager
def attempt(source: Source) -> Iterator[None]:
    """Ignore errors of the picture, and raise those of fetching as they were.

    Decoders turn any error of the file that they read into one of their own, but a network that fails is not
    the image's fault.
    """
    try:
        yield
    except BrokenImageError:
        if source.error is not None:
            raise source.error from None
    except Exception:
        if source.error is not None:
            raise source.error from None
        raise


@runtime_checkable
class Marked(Protocol):
    """An image that marks the pixels it has not decoded."""

    def unmark(self) -> None:
        """Blacken the marks that are left."""


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
        if isinstance(image, Marked):
            image.unmark()
        if image.getbbox() is None:
            raise
        return str(error)
    return None
