"""The formats that are accepted: one module and one line each."""

from handlers.errors import NotAnImageError, UnsupportedFormatError
from handlers.imaging.limits import Limits
from handlers.imaging.source import BinaryStream, Source

from .gif import GifPicture
from .jpeg import JpegPicture
from .picture import Picture
from .png import PngPicture
from .unknown import other_format, unknown_kind

FORMATS: tuple[type[Picture], ...] = (
    JpegPicture,
    PngPicture,
    GifPicture,
)

_PREFIX_BYTES = 512


def open_picture(
    source: bytes | bytearray | memoryview | BinaryStream | Picture, limits: Limits, *, early: bool = True
) -> Picture:
    """Read a file's header and return the picture; one that is open already is returned as it is.

    A stream is read no further than the header. Its pixels are decoded while they arrive if `early`.

    Raises:
        RejectedImageError: No picture, another format, damaged, or over a limit. What `source.read` raises
            passes through.
    """
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be a Limits, not {type(limits).__name__}")
    if isinstance(source, Picture):
        return source
    file = Source(source, limits.max_bytes)
    prefix = file.peek(0, _PREFIX_BYTES)
    for kind in FORMATS:
        if prefix.startswith(kind.magics):
            picture = kind.open(file, limits)
            picture.early = early
            return picture
    if not prefix:
        raise NotAnImageError("expected a JPEG, PNG or GIF, got an empty file")
    if other := other_format(prefix):
        raise UnsupportedFormatError(f"expected a JPEG, PNG or GIF, got {other}")
    raise NotAnImageError(f"expected a JPEG, PNG or GIF, got {unknown_kind(prefix)}")
