"""What do further formats cost, and what do they save? Every size of every picture, by format, quality and effort."""

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import click
import numpy as np
from PIL import Image

from benchmarks.contestants import LIMITS, WHITE, WIDTHS
from benchmarks.findings import Findings, Row
from benchmarks.measuring import Samples, pin
from benchmarks.options import html_option, images_option, json_option
from benchmarks.photos import Photo, load
from handlers.imaging import open_picture
from handlers.imaging.encode import encode
from handlers.imaging.further import FORMATS, Avif, Further, Webp
from handlers.imaging.render import rendered

EFFORTS: Mapping[type[Further], tuple[str, Sequence[int]]] = {
    Webp: ("METHOD", (0, 2, 4, 6)),
    Avif: ("SPEED", (6, 7, 8, 9, 10)),
}
WEB_JPEG = 82
"""A quality that pages use, beside the default of 100."""

QUALITIES: Mapping[str, Sequence[int]] = {
    "jpeg": (75, WEB_JPEG, 90, 95, 100),
    "webp": (60, 70, 80, 90),
    "avif": (40, 50, 60, 70, 80),
}
"""What is measured for `python -m ops estimate`, which takes the nearest."""

START: Mapping[type[Further], int] = {Webp: 80, Avif: 64}
"""Where the search for a likeness begins."""

MOST_QUALITY = 100
STEP = 4
"""Between two qualities whose SSIM are so near that the line between them is straight enough."""

WINDOW = 11
"""Pixels that SSIM looks at, across and down."""

Encoder = Callable[[Image.Image], bytes]


@click.command()
@images_option
@json_option
@html_option
def formats(images: Path | None, json_file: Path | None, html_file: Path | None) -> None:
    """Print CPU time, bytes and SSIM of each format and quality, then of each effort where it looks like a JPEG."""
    pin()
    photos = load(images)
    sizes = [image for photo in photos for image in resampled(photo)]
    tried = {
        (name, quality): encoded(partial(_encode, name, quality), sizes)
        for name, qualities in QUALITIES.items()
        for quality in qualities
    }
    like = tried["jpeg", WEB_JPEG]
    beside = [tried["jpeg", quality] for quality in (100, WEB_JPEG)]
    Findings(
        title="Formats",
        question=f"CPU milliseconds to encode a size, {len(photos)} pictures in {len(WIDTHS)} sizes",
        rows=[
            *(
                _row(f"{name} {quality}", one, beside, format=name, quality=quality)
                for (name, quality), one in tried.items()
            ),
            *(_matched_row(kind, effort, sizes, like) for kind, (_, efforts) in EFFORTS.items() for effort in efforts),
        ],
        notes=[
            "SSIM of luma, the mean of all files, to the pixels before encoding. Kept: smaller than that JPEG.",
            f"like jpeg {WEB_JPEG}: at the quality whose SSIM is that JPEG's, between the two that were measured.",
        ],
    ).show(json_file, html_file)


def resampled(photo: Photo) -> Iterator[Image.Image]:
    """Yield a picture's sizes before encoding.

    Raises: click.BadParameter.
    """
    full = rendered(open_picture(photo.data, LIMITS), WHITE)
    if full.height * min(WIDTHS.values()) < WINDOW * full.width:
        expected = f"expected pictures at most {min(WIDTHS.values()) / WINDOW:.1f} times as wide as high"
        raise click.BadParameter(f"{expected}, got {photo.name}: leave it out", param_hint="--images")
    for width in WIDTHS.values():
        yield full.resize((width, round(width * full.height / full.width)), Image.Resampling.LANCZOS)


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """What an encoder makes of all sizes: CPU milliseconds, bytes and SSIM of each file, and the pixels of them all."""

    taken_ms: Sequence[float]
    sizes_bytes: Sequence[int]
    likeness: Sequence[float]
    megapixels: float

    @property
    def ssim(self) -> float:
        """The mean of all files."""
        return float(np.mean(self.likeness))

    @property
    def ms_per_megapixel(self) -> float:
        """CPU milliseconds for a million pixels of output."""
        return sum(self.taken_ms) / self.megapixels

    @property
    def bytes_per_pixel(self) -> float:
        """Bytes for a pixel of output."""
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


def _encode(name: str, quality: int, image: Image.Image) -> bytes:
    if name == "jpeg":
        return encode(image, b"", quality, "4:2:0")
    return FORMATS[name].encode(image, b"", quality, "4:2:0")


def _row(name: str, one: Encoded, beside: Sequence[Encoded], **facts: object) -> Row:
    """Return an encoder's row, with the share of its files that are smaller than JPEGs of 100 and of 82."""
    row = Row(name=name, samples=Samples(one.taken_ms, "ms"), facts={**facts, **_facts(one)})
    for quality, jpegs in zip((100, WEB_JPEG), beside, strict=True):
        kept = sum(size < other for size, other in zip(one.sizes_bytes, jpegs.sizes_bytes, strict=True))
        row.facts[f"kept beside {quality}"] = f"{100 * kept / len(one.sizes_bytes):.0f} %"
    return row


def _facts(one: Encoded) -> dict[str, object]:
    return {
        "ms_per_megapixel": round(one.ms_per_megapixel, 2),
        "bytes_per_pixel": round(one.bytes_per_pixel, 4),
        "SSIM": f"{one.ssim:.4f}",
        "lowest": f"{min(one.likeness):.4f}",
    }


def _matched_row(kind: type[Further], effort: int, sizes: Sequence[Image.Image], like: Encoded) -> Row:
    """Return the row of an effort at the quality that has the same SSIM as a JPEG."""
    setting = EFFORTS[kind][0]
    with mock.patch.object(kind, setting, effort):
        found = matched(kind, sizes, like.ssim)
    return Row(
        name=f"{kind.__name__.lower()} {setting.lower()} {effort}, like jpeg {WEB_JPEG}",
        samples=Samples(found.taken_ms, "ms"),
        facts={"matched quality": f"{found.quality:.1f}", **_facts(found)},
    )


@dataclass(frozen=True, kw_only=True)
class Matched(Encoded):
    """An encoder at a quality between two that were measured."""

    quality: float


def matched(kind: type[Further], sizes: Sequence[Image.Image], target: float) -> Matched:
    """Return an encoder at the quality that reaches an SSIM, or at the end of its qualities that comes nearest."""
    tried: dict[int, Encoded] = {}

    def at(quality: int) -> Encoded:
        if quality not in tried:
            tried[quality] = encoded(lambda image: kind.encode(image, b"", quality, "4:2:0"), sizes)
        return tried[quality]

    low = high = START[kind]
    while low > 1 and at(low).ssim > target:
        low, high = max(1, low - STEP), low
    while high < MOST_QUALITY and at(high).ssim < target:
        low, high = high, min(MOST_QUALITY, high + STEP)
    return _between(low, at(low), high, at(high), target)


def _between(low: int, worse: Encoded, high: int, better: Encoded, target: float) -> Matched:
    """Return what lies on the line between two qualities."""
    rise = better.ssim - worse.ssim
    share = min(1.0, max(0.0, (target - worse.ssim) / rise)) if rise > 0 else 0.0

    def mixed(one: Sequence[float], other: Sequence[float]) -> list[float]:
        return [(1 - share) * first + share * second for first, second in zip(one, other, strict=True)]

    return Matched(
        quality=low + share * (high - low),
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
