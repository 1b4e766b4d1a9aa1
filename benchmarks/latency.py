"""How much time and memory does one picture take? By class of picture, on one core."""

from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.contestants import task, timed
from benchmarks.findings import Findings, Row, findings_command
from benchmarks.measuring import Samples, pin
from benchmarks.options import images_option, number, runs_option, stack_option
from benchmarks.peak import peak_mb
from benchmarks.photos import HEIC_ENCODER, Photo, as_format, can_be, load
from benchmarks.streaming import stream_rows
from components.config import StackConfig

CLASSES = ((3e6, "under 3 MP"), (8e6, "3 to 8 MP"), (14e6, "8 to 14 MP"), (30e6, "14 to 30 MP"), (1e12, "over 30 MP"))
CALLS = {"resize": "sizes", "convert": "reencoded", "convert, copying": "converted", "metadata": "described"}


@findings_command
@images_option
@runs_option(7)
@click.option("--png", is_flag=True, help="Measure the same pictures as PNG.")
@stack_option("Stack whose outputFormats and inputFormats are measured too.")
@click.option(
    "--stream",
    "mb_per_s",
    is_flag=False,
    flag_value=80.0,
    type=number(1, 10_000, "MB/s"),
    help="Compare fetching whole with streaming, from a server with this rate (80) and 30 ms to the first byte.",
)
def latency(images: Path | None, runs: int, *, png: bool, config: StackConfig, mb_per_s: float | None) -> Findings:
    """Measure convert, resize and describe, one picture at a time.

    With --stack, a stack's further formats too.
    """
    if mb_per_s and (config.output_formats or config.further_inputs):
        raise click.UsageError("expected --stream, or --stack with further formats, got both: leave one out")
    pin()
    photos = load(images, jpeg_only=True)
    if png:
        photos = [as_format(photo, "png") for photo in photos]
    return _in_flight(photos, runs, mb_per_s) if mb_per_s else _in_memory(photos, runs, config)


def _in_flight(photos: list[Photo], runs: int, mb_per_s: float) -> Findings:
    return Findings(
        title="Latency of a picture in flight",
        question=f"milliseconds from the request to the result, {mb_per_s:g} MB/s, quality 100, {runs} runs",
        rows=stream_rows(_classes(photos), runs, mb_per_s),
        notes=["of whole: the time streamed divided by the time fetched whole, run by run."],
    )


def _in_memory(photos: list[Photo], runs: int, config: StackConfig) -> Findings:
    qualities = [f"{name}={quality}" for name, quality in config.output_formats.items()]
    further = {f"resize, {one} too": f"sizes {one}" for one in qualities}
    rows = _rows(photos, {**CALLS, **further}, runs)
    for form in filter(can_be, config.further_inputs):
        # Only JPEGs are copied.
        calls = {f"{name} of {form}": f"{call}@{form}" for name, call in CALLS.items() if call != "converted"}
        rows += _rows([as_format(photo, form) for photo in photos], calls, runs)
    return Findings(
        title="Latency",
        question=f"milliseconds a picture, quality 100, {runs} runs of each of {len(photos)} pictures",
        rows=rows,
        notes=[
            "peak MB: what the largest picture of the class adds to a separate warm process.",
            *(
                f"Not timed: {form}, which no encoder here writes; {HEIC_ENCODER} writes HEIC."
                for form in config.further_inputs
                if not can_be(form)
            ),
        ],
    )


def _classes(photos: list[Photo]) -> dict[str, list[Photo]]:
    found: dict[str, list[Photo]] = {name: [] for _, name in CLASSES}
    for photo in photos:
        found[next(name for most, name in CLASSES if photo.pixels < most)].append(photo)
    return {name: members for name, members in found.items() if members}


def _rows(photos: list[Photo], calls: Mapping[str, str], runs: int) -> list[Row]:
    """Return a row for each class of pictures and call."""
    return [
        _row(f"{name}, {kind}", call, members, runs)
        for kind, members in _classes(photos).items()
        for name, call in calls.items()
    ]


def _row(name: str, call: str, photos: list[Photo], runs: int) -> Row:
    run = timed(task(call))
    for photo in photos:
        run(photo)
    taken = [(run(photo), photo) for _ in range(runs) for photo in photos]
    samples = Samples([ms for ms, _ in taken])
    pixels = sum(photo.pixels for _, photo in taken)
    facts = {
        "p95": samples.percentile(95),
        "p99": samples.percentile(99),
        "MP/s": pixels / 1e3 / sum(samples.values),
        "peak MB": peak_mb(call, max(photos, key=lambda photo: photo.pixels).data),
        "pictures": len(photos),
    }
    return Row(name=name, samples=samples, facts=facts)
