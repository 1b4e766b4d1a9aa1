"""How long does one picture take, and how much memory? By class of picture, on one core."""

from pathlib import Path

import click

from benchmarks.contestants import TASKS, timed
from benchmarks.findings import Findings, Row
from benchmarks.measuring import Samples, pin
from benchmarks.options import NumberOption, html_option, images_option, json_option, runs_option
from benchmarks.peak import peak_mb
from benchmarks.photos import Photo, as_png, load
from benchmarks.streaming import stream_rows

CLASSES = ((3e6, "under 3 MP"), (8e6, "3 to 8 MP"), (14e6, "8 to 14 MP"), (30e6, "14 to 30 MP"), (1e12, "over 30 MP"))


CALLS = {"resize": "sizes", "convert": "reencoded", "convert, copying": "converted", "metadata": "described"}


@click.command()
@images_option
@runs_option(7)
@json_option
@html_option
@click.option("--png", is_flag=True, help="The same pictures as PNG.")
@click.option(
    "--stream",
    "mb_per_s",
    is_flag=False,
    flag_value=80.0,
    type=NumberOption(1, 10_000, "MB/s"),
    help="From a server instead, at so many MB/s (80), 30 ms to the first byte: fetched whole, and streamed.",
)
def latency(
    images: Path | None,
    runs: int,
    json_file: Path | None,
    html_file: Path | None,
    *,
    png: bool,
    mb_per_s: float | None,
) -> None:
    """Time convert, resize and describe, one picture after the other."""
    pin()
    photos = load(images, jpeg_only=True)
    if png:
        photos = [as_png(photo) for photo in photos]
    if mb_per_s:
        Findings(
            title="Latency of a picture in flight",
            question=f"milliseconds from the request to the result, {mb_per_s:g} MB/s, quality 100, {runs} runs",
            rows=stream_rows(_classes(photos), runs, mb_per_s),
            notes=["of whole: time streamed over time fetched whole first, run by run."],
        ).show(json_file, html_file)
        return
    rows = [
        _row(f"{name}, {kind}", call, members, runs)
        for kind, members in _classes(photos).items()
        for name, call in CALLS.items()
    ]
    Findings(
        title="Latency",
        question=f"milliseconds a picture, quality 100, {runs} runs of each of {len(photos)} pictures",
        rows=rows,
        notes=["peak MB: what the largest picture of the class adds to a warm process of its own."],
    ).show(json_file, html_file)


def _classes(photos: list[Photo]) -> dict[str, list[Photo]]:
    found: dict[str, list[Photo]] = {name: [] for _, name in CLASSES}
    for photo in photos:
        found[next(name for most, name in CLASSES if _pixels(photo) < most)].append(photo)
    return {name: members for name, members in found.items() if members}


def _row(name: str, call: str, photos: list[Photo], runs: int) -> Row:
    run = timed(TASKS[call])
    for photo in photos:
        run(photo)
    taken = [(run(photo), photo) for _ in range(runs) for photo in photos]
    samples = Samples([ms for ms, _ in taken])
    pixels = sum(_pixels(photo) for _, photo in taken)
    facts = {
        "p95": samples.percentile(95),
        "p99": samples.percentile(99),
        "MP/s": pixels / 1e3 / sum(samples.values),
        "peak MB": peak_mb(call, max(photos, key=_pixels).data),
        "pictures": len(photos),
    }
    return Row(name=name, samples=samples, facts=facts)


def _pixels(photo: Photo) -> int:
    width, height = photo.size
    return width * height
