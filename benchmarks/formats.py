"""What do further formats cost, and what do they save? Every size of every picture, by format and effort."""

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from unittest import mock

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.contestants import LIMITS, WHITE, WIDTHS
from benchmarks.findings import Findings, Row
from benchmarks.measuring import Samples, pin
from benchmarks.options import html_option, images_option, json_option
from benchmarks.photos import Photo, load
from handlers.imaging import open_picture
from handlers.imaging.encode import encode
from handlers.imaging.further import Avif, Further, Webp
from handlers.imaging.render import rendered

EFFORTS: Mapping[type[Further], tuple[str, Sequence[int]]] = {
    Webp: ("METHOD", (0, 2, 4, 6)),
    Avif: ("SPEED", (6, 7, 8, 9, 10)),
}
WEB_JPEG = 82
"""A quality that pages use, beside the default of 100."""

Encoder = Callable[[Image.Image], bytes]


@click.command()
@images_option
@json_option
@html_option
@click.option("--webp", default=80, show_default=True, type=click.IntRange(1, 100), help="Quality of WebP.")
@click.option("--avif", default=60, show_default=True, type=click.IntRange(1, 100), help="Quality of AVIF.")
def formats(images: Path | None, json_file: Path | None, html_file: Path | None, webp: int, avif: int) -> None:
    """Print time, bytes and SSIM of each format and effort, and the share of files that are kept."""
    pin()
    photos = load(images)
    sizes = [image for photo in photos for image in resampled(photo)]
    jpegs = {quality: [len(_jpeg(quality, image)) for image in sizes] for quality in (100, WEB_JPEG)}
    Findings(
        title="Formats",
        question=f"milliseconds to encode a size, {len(photos)} pictures in {len(WIDTHS)} sizes",
        rows=[_row(name, encoder, sizes, jpegs) for name, encoder in _encoders({Webp: webp, Avif: avif})],
        notes=["SSIM of luma, to the pixels before encoding. Kept: smaller than the JPEG of that quality."],
    ).show(json_file, html_file)


def resampled(photo: Photo) -> Iterator[Image.Image]:
    """Yield a picture's sizes before encoding."""
    full = rendered(open_picture(photo.data, LIMITS), WHITE)
    for width in WIDTHS.values():
        yield full.resize((width, max(1, round(width * full.height / full.width))), Image.Resampling.LANCZOS)


def _encoders(qualities: Mapping[type[Further], int]) -> Iterator[tuple[str, Encoder]]:
    for quality in (100, WEB_JPEG):
        yield f"JPEG {quality}", partial(_jpeg, quality)
    for kind, quality in qualities.items():
        name, efforts = EFFORTS[kind]
        for effort in efforts:
            yield f"{kind.__name__} {quality}, {name.lower()} {effort}", partial(_further, kind, quality, name, effort)


def _jpeg(quality: int, image: Image.Image) -> bytes:
    return encode(image, b"", quality, "4:2:0")


def _further(kind: type[Further], quality: int, name: str, effort: int, image: Image.Image) -> bytes:
    with mock.patch.object(kind, name, effort):
        return kind.encode(image, b"", quality, "4:2:0")


def _row(name: str, encoder: Encoder, sizes: list[Image.Image], jpegs: dict[int, list[int]]) -> Row:
    encoder(sizes[0])
    taken_ms, files = [], []
    for image in sizes:
        started = time.perf_counter()
        files.append(encoder(image))
        taken_ms.append(1000 * (time.perf_counter() - started))
    alike = [ssim(image, _decoded(file)) for image, file in zip(sizes, files, strict=True)]
    facts = {
        "ms a picture": sum(taken_ms) / len(sizes) * len(WIDTHS),
        "KB a picture": sum(map(len, files)) / 1000 / len(sizes) * len(WIDTHS),
        "SSIM": f"{np.median(alike):.4f}",
        "lowest": f"{min(alike):.4f}",
    }
    for quality, beside in jpegs.items():
        kept = sum(len(file) < other for file, other in zip(files, beside, strict=True))
        facts[f"kept beside {quality}"] = f"{100 * kept / len(files):.0f} %"
    return Row(name=name, samples=Samples(taken_ms, "ms"), facts=facts)


def _decoded(file: bytes) -> Image.Image:
    with Image.open(io.BytesIO(file)) as image:
        return image.convert("RGB")


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Return the mean structural similarity of two pictures' luma, 1 for the same.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004, equation 13
    with its window of 11 pixels and constants.
    """
    first, second = (np.asarray(image.convert("L"), np.float64) for image in (one, other))
    mean_1, mean_2 = _windowed(first), _windowed(second)
    variance_1, variance_2 = _windowed(first**2) - mean_1**2, _windowed(second**2) - mean_2**2
    covariance = _windowed(first * second) - mean_1 * mean_2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    return float(np.mean(likeness / ((mean_1**2 + mean_2**2 + c1) * (variance_1 + variance_2 + c2))))


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means under a Gaussian window of 11 pixels with a standard deviation of 1.5."""
    weights = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    for _ in range(2):
        length = values.shape[0] - 10
        values = sum(weight * values[at : at + length] for at, weight in enumerate(weights / weights.sum())).T
    return values
