"""Convert a master to a JPEG of its own size."""

from typing import Literal

from .encode import Jpeg, OutputOptions, check_options
from .formats import open_picture
from .formats.picture import Picture
from .limits import Limits
from .render import render
from .source import BinaryStream


def convert(
    source: bytes | bytearray | memoryview | BinaryStream | Picture,
    *,
    quality: int = 100,
    background: tuple[int, int, int] = (255, 255, 255),
    subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0",
    reencode: Literal["when-needed", "always"] = "when-needed",
    limits: Limits = Limits(),  # noqa: B008 - frozen
    salvage: bool = False,
) -> Jpeg:
    """Return the picture as a JPEG: upright, sRGB, 8 bit, opaque, first frame, no metadata but artist and copyright.

    The coded picture of a JPEG that already meets all of this is copied bit for bit, unless `reencode` is "always".
    With `salvage`, a picture whose end is damaged is kept up to the damage, and marked. A `Picture` keeps the limits
    that it was opened with.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    check_options(quality, background, subsampling, salvage=salvage)
    if reencode not in ("when-needed", "always"):
        raise ValueError(f'expected reencode "when-needed" or "always", got {reencode!r}')
    picture = open_picture(source, limits)
    copying = reencode == "when-needed"
    picture.read(picture.header.size, copying=copying)
    if copying:
        copy = picture.copy(salvage=salvage)
        if copy is not None:
            return Jpeg(copy, picture.header.size, copied=True, warnings=tuple(picture.warnings))
    output = OutputOptions(quality=quality, subsampling=subsampling, background=background)
    (jpeg,) = render(picture, {"": None}, output, salvage=salvage).values()
    return jpeg
