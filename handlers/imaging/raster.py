"""A decoded picture, before it is brought to what an output promises."""

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Raster:
    """Pixels as stored: `image` of mode L, RGB or CMYK, `opacity` of mode L, or None where nothing shines through.

    `damage` says what is missing at the end of a salvaged picture. `box` is the part of the pixels that holds
    the picture, where a reduced decode ends within its last pixel.
    """

    image: Image.Image
    opacity: Image.Image | None = None
    damage: str | None = None
    box: tuple[float, float, float, float] | None = None
