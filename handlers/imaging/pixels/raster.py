"""A decoded picture, before it is brought to what an output promises."""

import functools
from dataclasses import dataclass

from PIL import Image

from .reduction import SMOOTH_RMS, roughness


@dataclass(frozen=True)
class Raster:
    """Pixels as stored: `image` of mode L, RGB or CMYK, `opacity` of mode L, or None where the picture is opaque.

    `damage` says what is missing at the end of a salvaged picture. `box` is the part of the pixels that holds
    the picture, where a reduced decode ends within its last pixel.
    """

    image: Image.Image
    opacity: Image.Image | None = None
    damage: str | None = None
    box: tuple[float, float, float, float] | None = None

    @functools.cached_property
    def roughness(self) -> float:
        """Return how much detail there is as fine as the pixels; see `reduction.roughness`."""
        return roughness(self.image)

    @property
    def smooth(self) -> bool:
        """Return whether the picture has no sharp edges."""
        return self.roughness <= SMOOTH_RMS
