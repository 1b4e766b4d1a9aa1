"""An encoder's time, bytes and SSIM, at a quality or at the quality that has a given SSIM."""

import functools
import io
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from handlers.imaging.further import Avif, Further, Webp

START: Mapping[type[Further], int] = {Webp: 80, Avif: 64}
"""Where the search for the quality of equal SSIM begins."""

MOST_QUALITY = 100
STEP = 4
"""The distance of two qualities between which the SSIM is close enough to a straight line."""

WINDOW = 11
"""Width and height of SSIM's window in pixels."""

Encoder = Callable[[Image.Image], bytes]


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """An encoder's result for all sizes: CPU milliseconds, bytes and SSIM of each file, and the pixels of all."""

    taken_ms: Sequence[float]
    sizes_bytes: Sequence[int]
    likeness: Sequence[float]
    megapixels: float

    @property
    def ssim(self) -> float:
        """The mean of all files."""
        return statistics.mean(self.likeness)

    @property
    def ms_per_megapixel(self) -> float:
        """CPU milliseconds per million pixels of output."""
        return sum(self.taken_ms) / self.megapixels

    @property
    def bytes_per_pixel(self) -> float:
        """Bytes per pixel of output."""
        return sum(self.sizes_bytes) / self.megapixels / 1e6


def encoded(encoder: Encoder, sizes: Sequence[Image.Image]) -> Encoded:
    """Encode every size, and measure."""
    encoder(sizes[0])
    taken_ms, files = [], []
    for image in sizes:
        started = time.process_time()
        files.append(encoder(image))
        taken_ms.append(1000 * (time.process_time() - started))
    return Encoded(
        taken_ms=taken_ms,
        sizes_bytes=[len(file) for file in files],
        likeness=[ssim(image, _decoded(file)) for image, file in zip(sizes, files, strict=True)],
        megapixels=sum(image.width * image.height for image in sizes) / 1e6,
    )


def matched(kind: type[Further], sizes: Sequence[Image.Image], target: float) -> tuple[float, Encoded]:
    """Return the quality at which an encoder reaches an SSIM, or the end of its qualities that comes nearest.

    The results there lie between those of two qualities that were measured.
    """

    @functools.cache
    def at(quality: int) -> Encoded:
        return encoded(lambda image: kind.encode(image, b"", quality, "4:2:0"), sizes)

    low = high = START[kind]
    while low > 1 and at(low).ssim > target:
        low, high = max(1, low - STEP), low
    while high < MOST_QUALITY and at(high).ssim < target:
        low, high = high, min(MOST_QUALITY, high + STEP)
    return _between(low, at(low), high, at(high), target)


def _between(low: int, worse: Encoded, high: int, better: Encoded, target: float) -> tuple[float, Encoded]:
    """Interpolate between two qualities."""
    rise = better.ssim - worse.ssim
    share = min(1.0, max(0.0, (target - worse.ssim) / rise)) if rise > 0 else 0.0

    def mixed(one: Sequence[float], other: Sequence[float]) -> list[float]:
        return [(1 - share) * first + share * second for first, second in zip(one, other, strict=True)]

    return low + share * (high - low), Encoded(
        taken_ms=mixed(worse.taken_ms, better.taken_ms),
        sizes_bytes=[round(size) for size in mixed(worse.sizes_bytes, better.sizes_bytes)],
        likeness=mixed(worse.likeness, better.likeness),
        megapixels=worse.megapixels,
    )


def _decoded(file: bytes) -> Image.Image:
    with Image.open(io.BytesIO(file)) as image:
        return image.convert("RGB")


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Return the mean structural similarity of two pictures' luma, 1 for the same.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004: its Gaussian
    window of `WINDOW` pixels and its covariance.
    """
    from skimage.metrics import structural_similarity  # noqa: PLC0415 it takes half a second

    first, second = (np.asarray(image.convert("L")) for image in (one, other))
    return float(
        structural_similarity(first, second, gaussian_weights=True, use_sample_covariance=False, data_range=255)
    )
