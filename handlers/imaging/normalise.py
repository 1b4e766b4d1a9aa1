"""From pixels as stored to what an output promises."""

from PIL import Image

from .colour import to_srgb
from .raster import Raster
from .transparency import Colour, flatten


def normalise(raster: Raster, profile: bytes | None, background: Colour, warnings: list[str]) -> Image.Image:
    """Return the picture as 8-bit L or RGB in sRGB, without transparency, not yet upright."""
    image = to_srgb(raster.image, profile, warnings)
    return flatten(image, raster.opacity, background)
