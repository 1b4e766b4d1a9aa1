"""Resampling, in one place."""

from PIL import Image


def resample(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture, of mode L or RGB, at (width, height) pixels by Lanczos-3."""
    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.LANCZOS)
