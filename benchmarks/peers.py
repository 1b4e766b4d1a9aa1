"""Is PixelCascade as fast as possible, and faster than others? All take turns in one run, on one core."""

import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks import children, contestants
from benchmarks.contestants import Contestant, timed
from benchmarks.findings import Findings, Row, findings_command
from benchmarks.line_process import LineProcess
from benchmarks.measuring import interleaved, pin, ratio
from benchmarks.options import EXISTING_FILE, FOLDER, images_option, runs_option
from benchmarks.photos import LIMITS, Photo, as_format, load
from handlers.imaging import convert

OURS = "PixelCascade"
PNGS = 6
CALLS = {"sizes": "sizes", "convert": "reencoded", "copy": "converted", "png": "converted"}
"""PixelCascade's call for each task."""


@findings_command
@images_option
@runs_option(5)
@click.option(
    "--task", "tasks", multiple=True, type=click.Choice(list(CALLS)), help="Only these tasks; all if not given."
)
@click.option("--sharp", "sharp_folder", type=FOLDER, help="Folder in which npm has installed sharp.")
@click.option("--simd", "simd_python", type=EXISTING_FILE, help="A Python that has pillow-simd instead of Pillow.")
def peers(
    images: Path | None, runs: int, tasks: tuple[str, ...], sharp_folder: Path | None, simd_python: Path | None
) -> Findings:
    """Compare with Pillow, libjpeg-turbo, pyvips and sharp.

    Also with pillow-simd; each as far as it is installed.
    """
    pin()
    with tempfile.TemporaryDirectory() as folder:
        sharp = children.sharp(sharp_folder) if sharp_folder else None
        simd = children.other_python(simd_python) if simd_python else None
        photos = load(images, jpeg_only=True)
        inputs = {task: _inputs(task, photos) for task in tasks or CALLS}
        rows = [
            row
            for task, some in inputs.items()
            for row in _rows(task, _rivals(task, sharp, simd, Path(folder)), some, runs)
        ]
    return Findings(
        title="Peers",
        question=f"milliseconds a picture, quality 100, mean of {len(photos)} pictures a run, {runs} runs",
        rows=rows,
        notes=[
            "ratio: how many times as long as PixelCascade for all pictures together, with its quartiles over runs.",
            "ratio by picture: the same for each picture, with its quartiles over pictures.",
            f"copy: the pictures that need nothing; png: the first {PNGS} as PNG.",
        ],
    )


def _inputs(task: str, photos: list[Photo]) -> list[Photo]:
    """Return a task's pictures, of which there is one at least.

    Raises: click.BadParameter.
    """
    if task == "copy":
        copied = [photo for photo in photos if convert(photo.data, limits=LIMITS).copied]
        if not copied:
            others = " ".join(f"--task {other}" for other in CALLS if other != task)
            expected = f"expected a picture that can be copied; choose other --images, or {others}"
            raise click.BadParameter(f"{expected} (none of {len(photos)} can)", param_hint="--task")
        return copied
    return [as_format(photo, "png") for photo in photos[:PNGS]] if task == "png" else photos


def _rows(task: str, rivals: Mapping[str, Contestant], inputs: list[Photo], runs: int) -> list[Row]:
    found = interleaved(rivals, inputs, runs)
    rows = []
    for name, times in found.items():
        by_run, by_picture = ratio(times.runs, found[OURS].runs), ratio(times.inputs, found[OURS].inputs)
        facts = {
            "ratio": by_run.median,
            "ratio's quartiles": by_run.quartiles,
            "ratio by picture": by_picture.median,
            "its quartiles": by_picture.quartiles,
            "pictures": len(inputs),
        }
        rows.append(Row(name=f"{task}: {name}", samples=times.runs, facts=facts))
    return rows


def _rivals(task: str, sharp: LineProcess | None, simd: LineProcess | None, folder: Path) -> dict[str, Contestant]:
    """Return a task's contestants on this machine, PixelCascade first; `folder` is for pictures of other programs."""
    vips = contestants.vips()
    call = CALLS[task]
    found = {OURS: timed(contestants.task(call))}
    if task == "sizes":
        found["PixelCascade with plain Pillow"] = contestants.sizes_by(contestants.by_pillow)
        found["libjpeg-turbo, no resampling"] = contestants.floor_of_sizes
        found["naive Pillow"] = timed(contestants.naive_sizes)
    if task == "convert":
        found["libjpeg-turbo, decode and encode"] = timed(contestants.floor_of_conversion)
    if simd and task in ("sizes", "convert"):
        found["PixelCascade with pillow-simd"] = children.contestant(simd, call, folder)
    if vips and task == "sizes":
        found["PixelCascade with libvips, as on arm64"] = contestants.sizes_by(contestants.libvips(vips))
        found["pyvips, one shrunk decode"] = timed(functools.partial(contestants.vips_sizes, vips))
    elif vips:
        found["pyvips"] = timed(functools.partial(contestants.vips_conversion, vips))
    if sharp:
        found["sharp"] = children.contestant(sharp, "sizes" if task == "sizes" else "reencoded", folder)
    return found
