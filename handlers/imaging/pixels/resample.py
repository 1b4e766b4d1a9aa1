"""Resampling, in one place: by SIMD where the optional `cykooz_resizer` is installed, else by Pillow."""

import functools
import importlib
import threading
from collections.abc import Callable
from typing import Any

from PIL import Image

Box = tuple[float, float, float, float]


def resample(image: Image.Image, size: tuple[int, int], box: Box | None = None, *, smooth: bool = False) -> Image.Image:
    """Return the picture, of mode L or RGB, at (width, height) pixels by Lanczos-3.

    `box` is the part of it that holds the picture, where a reduced decode ends within its last pixel.
    `smooth` tells that it has no sharp edges, and may be resampled in the order that takes the least time.
    """
    part = box or (0, 0, *image.size)
    if image.size == size and part == (0, 0, *image.size):
        return image
    return _back_end()(image, size, part, smooth=smooth)


@functools.cache
def _back_end() -> Callable[..., Image.Image]:
    """Choose the library at the first picture: an import would slow every cold start."""
    try:
        # Wheels exist for x86-64 only.
        library = importlib.import_module("cykooz_resizer")
    except ImportError:
        return by_pillow
    return functools.partial(by_simd, library, threading.local())


def by_pillow(image: Image.Image, size: tuple[int, int], box: Box, *, smooth: bool) -> Image.Image:  # noqa: ARG001
    """Resample by Pillow, which may be pillow-simd, and has one order."""
    return image.resize(size, Image.Resampling.LANCZOS, box=box)


def by_simd(
    library: Any, kept: threading.local, image: Image.Image, size: tuple[int, int], box: Box, *, smooth: bool
) -> Image.Image:
    """Resample by SIMD; `kept` holds each thread's resizer with its buffers.

    The library resamples columns first, which is faster. Pillow resamples rows first and clips in between, so that the
    order shows at sharp edges (by up to 30 levels in text): those are resampled in Pillow's order.
    """
    if not hasattr(kept, "resizer"):
        kept.resizer = library.Resizer()
    left, top, right, bottom = box
    if smooth:
        return _pass(library, kept.resizer, image, size, (left, top, right - left, bottom - top))
    across = (left, 0, right - left, image.height)
    narrow = _pass(library, kept.resizer, image, (size[0], image.height), across)
    return _pass(library, kept.resizer, narrow, size, (0, top, size[0], bottom - top))


def _pass(library: Any, resizer: Any, image: Image.Image, size: tuple[int, int], part: Box) -> Image.Image:
    """Resample one `part` (left, top, width, height)."""
    lanczos = library.ResizeAlg.convolution(library.FilterType.lanczos3)
    # Without a colour, memory is not filled that the resizer overwrites.
    resized = Image.new(image.mode, size, None)
    resizer.resize_pil(image, resized, library.ResizeOptions(lanczos, crop_box=library.CropBox(*part)))
    return resized
