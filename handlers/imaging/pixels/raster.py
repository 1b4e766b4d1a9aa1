"""A decoded picture, before conversion to an output."""

import functools
from dataclasses import dataclass

from PIL import Image

from .reduction import SMOOTH_RMS, roughness


@dataclass(frozen=True)
class Raster:
    """Pixels as stored: `image` of mode L, RGB or CMYK, and `opacity` of mode L, or None if the picture is opaque.

    `damage` says what is missing at the end of a salvaged picture. `box` is the part of the pixels that the picture
    fills, from the top left, because a reduced decode may end within its last pixel.
    """

    image: Image.Image
    opacity: Image.Image | None = None
    damage: str | None = None
    box: tuple[float, float, float, float] | None = None

    @functools.cached_property
    def roughness(self) -> float:
        """The amount of detail as fine as the pixels; see `reduction.roughness`."""
        return roughness(self.image)

    @property
    def smooth(self) -> bool:
        """Whether the picture has no sharp edges."""
        return self.roughness <= SMOOTH_RMS
