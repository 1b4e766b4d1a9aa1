"""Turn a master into several JPEGs of given widths, from one decode."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from .checks import check_common, check_widths
from .encode import Jpeg, encode
from .exif import Exif, read_exif, rights_only
from .header import Header
from .limits import Limits
from .master import open_master
from .memory import area
from .normalise import normalised
from .orientation import upright, upright_size
from .raster import Raster
from .reduction import serves
from .resample import resample
from .source import BinaryStream, Source


def resize(
    source: bytes | bytearray | memoryview | BinaryStream,
    widths: Mapping[str, int],
    *,
    quality: int = 100,
    enlarge: bool = True,
    background: tuple[int, int, int] = (255, 255, 255),
    limits: Limits = Limits(),  # noqa: B008 - frozen
    salvage: bool = False,
    admit: Callable[[int], object] | None = None,
) -> dict[str, Jpeg]:
    """Return the picture by name, each as wide in pixels as `widths` says, else as `convert` does.

    Without `enlarge`, a picture less wide than asked keeps its own size.
    `admit` is called with the bytes that the pixels may take, before they are: it may wait until there is room.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    colour = check_common(quality, background, limits)
    check_widths(widths)
    wanted = functools.partial(_upright_sizes, widths=widths, enlarge=enlarge)
    master = open_master(
        Source(source, limits.max_bytes),
        limits,
        admit,
        lambda header: area(wanted(header, read_exif(header.exif)).values()),
    )
    header, turned = master.header, master.exif.orientation
    sizes = wanted(header, master.exif)
    limits.check_outputs(sizes, header.width * header.height, len(master.source.whole()))
    widest = upright_size(max(sizes.values()), turned)
    raster = normalised(master, colour, salvage=salvage, widest=widest)
    rights = rights_only(master.exif)
    marks: dict[str, Any] = {"salvaged": raster.damage is not None, "warnings": tuple(master.warnings)}
    pictures = _scaled(raster, {name: upright_size(output, turned) for name, output in sizes.items()})
    return {name: Jpeg(encode(upright(pictures[name], turned), quality, rights), **marks) for name in sizes}


def _upright_sizes(
    header: Header, exif: Exif, *, widths: Mapping[str, int], enlarge: bool
) -> dict[str, tuple[int, int]]:
    return output_sizes(upright_size((header.width, header.height), exif.orientation), widths, enlarge=enlarge)


def output_sizes(size: tuple[int, int], widths: Mapping[str, int], *, enlarge: bool) -> dict[str, tuple[int, int]]:
    """Return (width, height) by name for an upright picture of `size`, its aspect ratio kept, at least 1 pixel high."""
    width, height = size
    sizes = {}
    for name, wanted in widths.items():
        new_width = wanted if enlarge else min(wanted, width)
        # Half up, as people round; the built-in rounds half to even.
        sizes[name] = (new_width, max(1, (2 * height * new_width + width) // (2 * width)))
    return sizes


def _scaled(raster: Raster, sizes: Mapping[str, tuple[int, int]]) -> dict[str, Image.Image]:
    """Resample large to small, each from the smallest picture that loses nothing by it."""
    pictures: dict[str, Image.Image] = {}
    sources: list[Image.Image] = []
    for name, size in sorted(sizes.items(), key=lambda item: item[1], reverse=True):
        # From edges as sharp as text's, the loss would show.
        larger = reversed(sources) if raster.calm else ()
        source = next((one for one in larger if serves(one.size, size)), None)
        box = raster.box if source is None else None
        picture = resample(source or raster.image, size, box, calm=raster.calm)
        pictures[name] = picture
        if size[0] <= raster.image.width and size[1] <= raster.image.height:
            sources.append(picture)
    return pictures
