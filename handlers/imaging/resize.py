"""Turn a master into several JPEGs of given widths, from one decode."""

from collections.abc import Mapping
from typing import Any, Literal

from .encode import Jpeg, OutputOptions, check_options
from .formats import open_picture
from .formats.picture import Picture
from .limits import MAX_SIDE_PX, Limits
from .pixels.orientation import upright_size
from .render import render, widest
from .source import BinaryStream

BOX_RATIO = 10
"""How many times as high as its width an output may be."""


def resize(
    source: bytes | bytearray | memoryview | BinaryStream | Picture,
    widths: Mapping[str, int],
    *,
    quality: int = 100,
    enlarge: bool = True,
    background: tuple[int, int, int] = (255, 255, 255),
    subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0",
    limits: Limits = Limits(),  # noqa: B008 - frozen
    salvage: bool = False,
) -> dict[str, Jpeg]:
    """Return the picture by name, each as wide in pixels as `widths` says, else as `convert` does.

    Without `enlarge`, a picture less wide than asked keeps its own size. A `subsampling` of 4:4:4 keeps thin coloured
    lines, at a third more bytes. A `Picture` has the limits that it was
    opened with.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    check_options(quality, background, subsampling)
    _check_widths(widths)
    picture = open_picture(source, limits)
    picture.read(widest(picture, output_sizes(picture, widths, enlarge=enlarge)))
    # Anew, because a PNG may be turned by what follows its picture.
    sizes = output_sizes(picture, widths, enlarge=enlarge)
    header = picture.header
    picture.limits.check_outputs(sizes, header.width * header.height, len(picture.source.whole()))
    output = OutputOptions(quality=quality, subsampling=subsampling, background=background)
    return render(picture, sizes, output, salvage=salvage)


def output_sizes(picture: Picture, widths: Mapping[str, int], *, enlarge: bool) -> dict[str, tuple[int, int]]:
    """Return (width, height) of the upright outputs by name, aspect ratio kept, at least 1 pixel each.

    An output fits a box of its width and `BOX_RATIO` times that height, so that a scroll screenshot gets narrower.
    """
    width, height = upright_size(picture.header.size, picture.exif.orientation)
    sizes = {}
    for name, wanted in widths.items():
        new_width = wanted if enlarge else min(wanted, width)
        new_height, tallest = _scaled(height, new_width, width), min(BOX_RATIO * wanted, MAX_SIDE_PX)
        if new_height > tallest:
            new_width, new_height = _scaled(width, tallest, height), tallest
        sizes[name] = (new_width, new_height)
    return sizes


def _scaled(side: int, by: int, of: int) -> int:
    """Return side * by / of, half up as people round, at least 1; the built-in rounds half to even."""
    return max(1, (2 * side * by + of) // (2 * of))


def _check_widths(widths: Any) -> None:
    if not isinstance(widths, Mapping):
        raise TypeError(f'widths must map names to pixels, as {{"medium": 500}}, not {type(widths).__name__}')
    if not widths:
        raise ValueError('widths is empty; give at least one size, as {"medium": 500}')
    for name, width in widths.items():
        if not isinstance(name, str) or isinstance(width, bool) or not isinstance(width, int):
            raise TypeError(f"widths must map names to whole numbers of pixels, not {name!r} to {width!r}")
        if width < 1:
            raise ValueError(f"the width of {name} must be at least 1 pixel, not {width}")
