"""Make JPEGs of several sizes from one decode of a master."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from .encode import Jpeg, OutputOptions, check_options
from .formats import open_picture
from .formats.picture import Picture
from .frames import CENTRE, Box, Focus, Frame, check_focus, frame_of
from .further import check_further, encoder_bytes
from .limits import MAX_SIDE_PX, Limits, is_whole
from .pixels.orientation import upright_size
from .render import render, widest
from .source import BinaryStream


def resize(
    source: bytes | bytearray | memoryview | BinaryStream | Picture,
    sizes: Mapping[str, int | Box],
    *,
    quality: int = 100,
    enlarge: bool = True,
    focus: Focus = CENTRE,
    background: tuple[int, int, int] = (255, 255, 255),
    subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0",
    limits: Limits = Limits(),  # noqa: B008 - frozen
    salvage: bool = False,
    further: Mapping[str, int] = MappingProxyType({}),
    placeholder: bool = False,
) -> dict[str, Jpeg]:
    """Return JPEGs by name, each in the size that `sizes` has for it, and otherwise like `convert`'s.

    A size is a width in pixels, which keeps the aspect ratio, or a `Box`, which the output fills, cropped around
    `focus` (fractions from the top left of the upright picture), or fits inside. Without `enlarge`, nothing is
    enlarged. `further` has qualities from 1 to 100 by format, as {"webp": 80, "avif": 60}; each output's `further` then
    has the same picture in those formats. A `subsampling` of 4:4:4 keeps thin coloured lines, at a third more bytes. A
    `Picture` keeps the limits that it was opened with.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    check_options(quality, background, subsampling, enlarge=enlarge, salvage=salvage, placeholder=placeholder)
    check_further(further)
    _check_sizes(sizes)
    check_focus(focus)
    picture = open_picture(source, limits)
    picture.read(widest(picture, frames(picture, sizes, enlarge=enlarge, focus=focus)))
    # Again, because a PNG's EXIF may follow its picture.
    found = frames(picture, sizes, enlarge=enlarge, focus=focus)
    header, wanted = picture.header, {name: frame.size for name, frame in found.items()}
    pixels, file_bytes = header.width * header.height, len(picture.source.whole())
    picture.limits.check_outputs(wanted, pixels, file_bytes, encoder_bytes(wanted.values(), further))
    output = OutputOptions(
        quality=quality, subsampling=subsampling, background=background, further=further, placeholder=placeholder
    )
    return render(picture, found, output, salvage=salvage)


def frames(
    picture: Picture, sizes: Mapping[str, int | Box], *, enlarge: bool, focus: Focus = CENTRE
) -> dict[str, Frame]:
    """Return what each output shows of the upright picture, and at which size."""
    own = upright_size(picture.header.size, picture.exif.orientation)
    return {name: frame_of(own, wanted, enlarge=enlarge, focus=focus) for name, wanted in sizes.items()}


def output_sizes(picture: Picture, sizes: Mapping[str, int | Box], *, enlarge: bool) -> dict[str, tuple[int, int]]:
    """Return (width, height) of the upright outputs by name, at least 1 pixel each."""
    _check_sizes(sizes)
    return {name: frame.size for name, frame in frames(picture, sizes, enlarge=enlarge).items()}


def _check_sizes(sizes: Any) -> None:
    if not isinstance(sizes, Mapping):
        raise TypeError(f'expected sizes as names and pixels, such as {{"medium": 500}}, got {type(sizes).__name__}')
    if not sizes:
        raise ValueError('expected at least one size, got none: pass sizes, such as {"medium": 500}')
    for name, size in sizes.items():
        if isinstance(name, str) and isinstance(size, Box):
            continue
        if not isinstance(name, str) or not is_whole(size):
            raise TypeError(f"expected sizes as names and whole numbers of pixels or boxes, got {name!r}: {size!r}")
        if not 1 <= size <= MAX_SIDE_PX:
            raise ValueError(f"expected a width of {name} from 1 to {MAX_SIDE_PX:,} pixels, got {size:,}")
