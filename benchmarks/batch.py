"""Is a core ever idle while a batch waits for S3? A worker's batch against an S3 that answers late."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.batch_worker import BUCKET, Figures
from benchmarks.findings import Findings, Row
from benchmarks.measuring import Samples
from benchmarks.options import html_option, images_option, json_option, runs_option
from benchmarks.photos import Photo, load

WORKERS = ("pixel_resizer", "format_converter")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}


@click.command()
@images_option
@runs_option(9)
@json_option
@html_option
@click.option("--size", default=10, show_default=True, help="Messages in a batch.")
@click.option("--delay", "delay_ms", default=30.0, show_default=True, help="Milliseconds until S3 answers a call.")
@click.option("--memory", "memory_mb", default=1769, show_default=True, help="MB of the function's memory.")
def batch(
    images: Path | None,
    runs: int,
    json_file: Path | None,
    html_file: Path | None,
    *,
    size: int,
    delay_ms: float,
    memory_mb: int,
) -> None:
    """Run batches through a worker on one core and on all; print images per second and how busy the cores are."""
    photos = load(images, jpeg_only=True)
    cores = sorted(os.sched_getaffinity(0))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        keys = _write(photos, Path(folder), size)
        with _loopback(Path(folder), delay_ms, len(cores) - 1) as port:
            for worker in WORKERS:
                found = _interleaved(
                    worker, keys, port=port, runs=runs, core_sets=[cores[:1], cores], memory_mb=memory_mb
                )
                rows += _rows(worker, size, found)
    Findings(
        title="Batch",
        question=f"batches of {size}, {delay_ms:g} ms until S3 answers a call, {runs} runs",
        rows=rows,
        notes=[
            "busy: CPU time of the worker over time taken, of all cores it may use.",
            "S3 is played by another process of this machine: on all cores it shares them.",
        ],
    ).show(json_file, html_file)


def _write(photos: list[Photo], folder: Path, size: int) -> list[str]:
    for number in range(size):
        (folder / f"{number}.jpg").write_bytes(photos[number % len(photos)].data)
    return [f"{number}.jpg" for number in range(size)]


@contextlib.contextmanager
def _loopback(folder: Path, delay_ms: float, core: int) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.loopback", str(folder), str(delay_ms), str(core)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        assert server.stdin is not None  # noqa: S101
        yield int(server.stdout.readline())
        server.stdin.close()


def _interleaved(
    worker: str, keys: list[str], *, port: int, runs: int, core_sets: list[list[int]], memory_mb: int
) -> list[list[Figures]]:
    """Return the runs of each set of cores; they take turns, one process each."""
    found: list[list[Figures]] = [[] for _ in core_sets]
    for number in range(runs + 1):
        for cores, figures in zip(core_sets, found, strict=True):
            told = json.dumps({"worker": worker, "keys": keys, "cores": cores, "memory_mb": memory_mb})
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.batch_worker", told],
                env={**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise SystemExit(f"{worker} on {BUCKET} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            if number:
                figures.append(Figures(**json.loads(done.stdout.splitlines()[-1])))
    return found


def _rows(worker: str, size: int, found: list[list[Figures]]) -> list[Row]:
    rows = []
    rates = [Samples([size / figures.wall_s for figures in runs], "images/s") for runs in found]
    for runs, rate in zip(found, rates, strict=True):
        cores = runs[0].cores
        busy = Samples([100 * figures.cpu_s / figures.wall_s / figures.cores for figures in runs], "%")
        facts = {
            "busy %": busy.median,
            "times one core": rate.median / rates[0].median,
            "peak MB": Samples([figures.peak_mb for figures in runs], "MB").median,
        }
        rows.append(Row(name=f"{worker}, {cores} core{'s' if cores > 1 else ''}", samples=rate, facts=facts))
    return rows
