"""From a master to what an output promises, short of its size and file."""

from dataclasses import replace

from PIL import Image

from .colour import to_srgb
from .master import Master, decode
from .orientation import upright
from .raster import Raster
from .transparency import Colour, flatten


def normalised(
    master: Master,
    background: Colour,
    *,
    salvage: bool,
    widest: tuple[int, int] | None = None,
) -> Raster:
    """Return the picture as 8-bit L or RGB in sRGB, without transparency, not yet upright.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    raster = decode(master, salvage=salvage, widest=widest)
    image = flatten(to_srgb(raster.image, master.header.icc, master.warnings), raster.opacity, background)
    return raster if image is raster.image else replace(raster, image=image, opacity=None)


def rendered(master: Master, background: Colour, *, salvage: bool) -> tuple[Image.Image, str | None]:
    """Return the picture as `normalised` does, and upright, and what is damaged.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    raster = normalised(master, background, salvage=salvage)
    return upright(raster.image, master.exif.orientation), raster.damage
