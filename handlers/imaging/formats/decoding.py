"""Run Pillow's decoders on files that have only the picture, and separate the image's fault from other failures.

A picture may be decoded while its file arrives. The result is used only if the whole file, once it is there and
checked, has the same bytes that were decoded; otherwise the picture is decoded again from the file.

The decoders get neither metadata nor a second picture. `Image.open` is not used: it imports the plug-ins of other
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


@runtime_checkable
class Marked(Protocol):
    """An image whose missing pixels have a marking colour."""

    def unmark(self) -> None:
        """Make the marked pixels black."""


def load(image: ImageFile.ImageFile, *, salvage: bool) -> str | None:
    """Decode the pixels; with `salvage`, keep those before the damage and return what is wrong.

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
        if isinstance(image, Marked):
            image.unmark()
        if image.getbbox() is None:
            raise
        return str(error)
    return None
