"""Does speed cost quality? Every size of every picture, compared with Lanczos from the full decode."""

import contextlib
import io
import math
from pathlib import Path

import click
from PIL import Image, ImageChops, ImageStat

from benchmarks.contestants import WIDTHS, libvips, resampled_by, vips
from benchmarks.findings import Findings, Row
from benchmarks.measuring import Samples
from benchmarks.options import html_option, images_option, json_option
from benchmarks.photos import LIMITS, Photo, load
from components.errors import NOT_AS_EXPECTED
from handlers.imaging import resize

PROMISED_DB = 45.0
SAME_DB = 99.0


@click.command()
@images_option
@click.option("--libvips", "by_libvips", is_flag=True, help="Resample by libvips, as in the layer for arm64.")
@json_option
@html_option
def quality(*, images: Path | None, by_libvips: bool, json_file: Path | None, html_file: Path | None) -> None:
    """Measure the PSNR of each size.

    Exits 1 if one is below the promised minimum.
    """
    photos = load(images, jpeg_only=True)
    with _by_libvips() if by_libvips else contextlib.nullcontext():
        found = [decibels(photo) for photo in photos]
    rows = [Row(name=name, samples=Samples([one[name] for one in found], "dB")) for name in WIDTHS]
    for row in rows:
        row.facts["worst"] = min(row.samples.values)
        row.facts["picture"] = photos[row.samples.values.index(row.facts["worst"])].name
    Findings(
        title="Quality",
        question=f"PSNR of {len(photos)} pictures' sizes to Lanczos-3 from the full decode",
        rows=rows,
        notes=["Both use the same encoder, 4:2:0 at quality 100, so its loss does not count."],
    ).show(json_file, html_file)
    if any(row.facts["worst"] < PROMISED_DB for row in rows):
        raise SystemExit(NOT_AS_EXPECTED)


def _by_libvips() -> contextlib.AbstractContextManager[object]:
    """Resample by libvips within the context.

    Raises: click.UsageError.
    """
    library = vips()
    if library is None:
        raise click.UsageError("expected pyvips for --libvips, got an environment without it: install pyvips[binary]")
    return resampled_by(libvips(library))


def decibels(photo: Photo) -> dict[str, float]:
    """Return each size's PSNR."""
    full = photo.rendered()
    found = {}
    for name, jpeg in resize(photo.data, WIDTHS, limits=LIMITS).items():
        with Image.open(io.BytesIO(jpeg)) as ours:
            theirs = io.BytesIO()
            full.resize(ours.size, Image.Resampling.LANCZOS).save(theirs, "JPEG", quality=100, subsampling=2)
            found[name] = psnr(ours.convert("RGB"), Image.open(theirs).convert("RGB"))
    return found


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    statistics = ImageStat.Stat(ImageChops.difference(one, other))
    error = sum(statistics.sum2) / sum(statistics.count)
    return SAME_DB if error == 0 else 10 * math.log10(255**2 / error)
