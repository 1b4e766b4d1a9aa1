"""Resampling, in one place: by SIMD where the optional `cykooz_resizer` is installed, else by Pillow."""

import functools
import importlib
import threading
from collections.abc import Callable
from typing import Any

from PIL import Image

Box = tuple[float, float, float, float]


def resample(image: Image.Image, size: tuple[int, int], box: Box | None = None) -> Image.Image:
    """Return the picture, of mode L or RGB, at (width, height) pixels by Lanczos-3.

    `box` is the part of it that holds the picture, where a reduced decode ends within its last pixel.
    """
    part = box or (0, 0, *image.size)
    if image.size == size and part == (0, 0, *image.size):
        return image
    return _back_end()(image, size, part)


@functools.cache
def _back_end() -> Callable[[Image.Image, tuple[int, int], Box], Image.Image]:
    """Choose who resamples, at the first picture: importing is part of a cold start."""
    try:
        # Wheels exist for x86-64 alone, so that it may be missing anywhere.
        library = importlib.import_module("cykooz_resizer")
    except ImportError:
        return by_pillow
    return functools.partial(by_simd, library, threading.local())


def by_pillow(image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """Resample by Pillow, which may be pillow-simd."""
    return image.resize(size, Image.Resampling.LANCZOS, box=box)


def by_simd(library: Any, kept: threading.local, image: Image.Image, size: tuple[int, int], box: Box) -> Image.Image:
    """Resample by the instructions that the processor has; `kept` holds each thread's resizer with its buffers."""
    if not hasattr(kept, "resizer"):
        kept.resizer = library.Resizer()
    left, top, right, bottom = box
    options = library.ResizeOptions(
        library.ResizeAlg.convolution(library.FilterType.lanczos3),
        crop_box=library.CropBox(left, top, right - left, bottom - top),
    )
    # Without a colour, nobody fills what the resizer overwrites anyway.
    resized = Image.new(image.mode, size, None)
    kept.resizer.resize_pil(image, resized, options)
    return resized
