"""Resample by `cykooz_resizer` or libvips (`pyvips`), whichever is installed, or else by Pillow."""

import functools
import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image

Box = tuple[float, float, float, float]


def resample(image: Image.Image, size: tuple[int, int], box: Box | None = None, *, smooth: bool = False) -> Image.Image:
    """Return the picture, of mode L or RGB, at (width, height) pixels by Lanczos-3.

    `box` is the part of the pixels that the picture fills. `smooth` means that it has no sharp edges, and may be
    resampled in the order that takes the least time.
    """
    part = box or (0, 0, *image.size)
    if image.size == size and part == (0, 0, *image.size):
        return image
    return _back_end(os.getpid())(image, size, part, smooth=smooth)


@functools.cache
def _back_end(_process_id: int) -> Callable[..., Image.Image]:
    """Choose the library at a process's first picture, because an import would slow down every cold start."""
    try:
        # Wheels exist for x86-64 only.
        library = importlib.import_module("cykooz_resizer")
    except ImportError:
        return _libvips() or by_pillow
    return functools.partial(by_simd, library, threading.local())


def _libvips() -> Callable[..., Image.Image] | None:
    """Return the back end by libvips, or None if it is not available.

    It is not in a child process of one that has used it: libvips would wait for threads that were not forked.
    """
    if "pyvips" in sys.modules:
        return None
    try:
        library = importlib.import_module("pyvips")
    except ImportError:
        return None
    # Pictures run in parallel, so a picture uses one thread. The cache would keep the last hundred pictures.
    library.concurrency_set(1)
    library.cache_set_max(0)
    return functools.partial(by_libvips, library)


MOST_BY_COLUMNS = 3
"""The factor from which resampling rows first takes no longer: 4000 x 3000 to 500 pixels takes 29 ms instead of 32, to
2000 pixels 62 instead of 43."""


def by_pillow(image: Image.Image, size: tuple[int, int], box: Box, *, smooth: bool) -> Image.Image:  # noqa: ARG001
    """Resample by Pillow, or pillow-simd, which has one order of passes."""
    return image.resize(size, Image.Resampling.LANCZOS, box=box)


def by_simd(
    library: Any, kept: threading.local, image: Image.Image, size: tuple[int, int], box: Box, *, smooth: bool
) -> Image.Image:
    """Resample with SIMD; `kept` has each thread's resizer with its buffers.

    The library resamples columns first, which is faster for large outputs. Pillow resamples rows first and clips in
    between, which makes a difference at sharp edges (up to 30 levels in text), so these are resampled in its order.
    """
    if not hasattr(kept, "resizer"):
        kept.resizer = library.Resizer()
    left, top, right, bottom = box
    if smooth and bottom - top < MOST_BY_COLUMNS * size[1]:
        return _pass(library, kept.resizer, image, size, (left, top, right - left, bottom - top))
    across = (left, 0, right - left, image.height)
    narrow = _pass(library, kept.resizer, image, (size[0], image.height), across)
    return _pass(library, kept.resizer, narrow, size, (0, top, size[0], bottom - top))


def _pass(library: Any, resizer: Any, image: Image.Image, size: tuple[int, int], part: Box) -> Image.Image:
    """Resample one `part` (left, top, width, height)."""
    lanczos = library.ResizeAlg.convolution(library.FilterType.lanczos3)
    # Without a colour, Pillow does not fill the memory, which the resizer overwrites anyway.
    resized = Image.new(image.mode, size, None)
    resizer.resize_pil(image, resized, library.ResizeOptions(lanczos, crop_box=library.CropBox(*part)))
    return resized


MOST_BY_LIBVIPS = 8
"""The largest factor for libvips; beyond it, its weights are too coarse (42 dB at a factor of 35)."""


def by_libvips(library: Any, image: Image.Image, size: tuple[int, int], box: Box, *, smooth: bool) -> Image.Image:
    """Resample by libvips if the result is Pillow's to 45 dB: no enlargement, no sharp edges."""
    across, down = _span(box[0], box[2], size[0]), _span(box[1], box[3], size[1])
    if not (smooth and across and down):
        return by_pillow(image, size, box, smooth=smooth)
    pixels = library.Image.new_from_memory(image.tobytes(), *image.size, len(image.getbands()), "uchar")
    part = pixels.crop(across.first, down.first, across.length, down.length)
    # With a gap, libvips would take the means of blocks before Lanczos.
    smaller = part.reduce(across.factor, down.factor, kernel="lanczos3", gap=0)
    return Image.frombytes(image.mode, size, smaller.write_to_memory())


class _Span(NamedTuple):
    """Whole pixels along one side, and the factor of their reduction."""

    first: int
    length: int
    factor: float


def _span(start: float, end: float, size: int) -> _Span | None:
    """Return the pixels from which libvips makes `size`, or None if it cannot, because it needs whole pixels."""
    first, length = int(start), int(end - start)
    factor = length / size
    if (first, first + length) == (start, end) and 1 <= factor <= MOST_BY_LIBVIPS:
        return _Span(first, length, factor)
    return None
