"""Resampling, in one place."""

from PIL import Image

Box = tuple[float, float, float, float]


def resample(image: Image.Image, size: tuple[int, int], box: Box | None = None) -> Image.Image:
    """Return the picture, of mode L or RGB, at (width, height) pixels by Lanczos-3.

    `box` is the part of it that holds the picture, where a reduced decode ends within its last pixel.
    """
    whole = (0, 0, *image.size)
    if image.size == size and box in (None, whole):
        return image
    return image.resize(size, Image.Resampling.LANCZOS, box=box)
