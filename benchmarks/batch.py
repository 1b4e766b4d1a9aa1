"""Is a core idle while a batch waits for S3? A worker's batch against a slow S3."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.artefact import Artefact, unpacked
from benchmarks.batch_worker import Figures
from benchmarks.findings import Findings, Row, findings_command
from benchmarks.measuring import Samples
from benchmarks.options import delay_option, images_option, runs_option
from benchmarks.photos import load
from benchmarks.worker_process import WorkerArgs, WorkerProcess, loopback
from components.config import StackConfig

WORKERS = ("pixel_resizer", "format_converter")
CONFIG = StackConfig()
MEMORY_MB = 1769
"""One vCPU."""


@findings_command
@images_option
@runs_option(9)
@delay_option
def batch(images: Path | None, runs: int, delay_ms: float) -> Findings:
    """Measure a worker's batches on one core and on all.

    Prints images per second and how busy the cores are.
    """
    photos, size = load(images, jpeg_only=True), CONFIG.batch_size
    masters = {f"{number}.jpg": photos[number % len(photos)].data for number in range(size)}
    rows = []
    with unpacked(CONFIG) as artefact, loopback(masters, delay_ms) as port:
        for worker in WORKERS:
            starts = _starts(artefact, worker, port)
            rows += _rows(starts, size, _interleaved(starts, list(masters), runs))
    return Findings(
        title="Batch",
        question=f"batches of {size}, {delay_ms:g} ms until S3 answers a call, {runs} runs",
        rows=rows,
        notes=[
            f"The functions run from the package for {artefact.target}.",
            "busy: CPU time of the worker, divided by the elapsed time of all cores that it may use.",
            "The loopback S3 is another process on this machine. With all cores, it uses some of their time.",
        ],
    )


def _starts(artefact: Artefact, module: str, port: int) -> list[WorkerArgs]:
    """Return how a worker is started on one core, and on all."""
    cores = sorted(os.sched_getaffinity(0))
    one = WorkerArgs(artefact=artefact, module=module, port=port, cores=cores[:1], memory_mb=MEMORY_MB, config=CONFIG)
    return [one, replace(one, cores=cores)]


def _interleaved(starts: Sequence[WorkerArgs], keys: list[str], runs: int) -> list[list[Figures]]:
    """Return the runs of each way to start a worker; they take turns, one process each."""
    found: list[list[Figures]] = [[] for _ in starts]
    for number in range(runs + 1):
        for args, figures in zip(starts, found, strict=True):
            with WorkerProcess(args) as worker:
                worker.invoke(keys)  # The first batch warms the worker up.
                warm = worker.invoke(keys)
            if warm.failed:
                raise SystemExit(f"expected a batch without failures, got {warm.failed} of {args.module}")
            if number:
                figures.append(warm)
    return found


def _rows(starts: Sequence[WorkerArgs], size: int, found: list[list[Figures]]) -> list[Row]:
    rows = []
    rates = [Samples([size / figures.wall_s for figures in runs], "images/s") for runs in found]
    for args, runs, rate in zip(starts, found, rates, strict=True):
        cores = len(args.cores)
        busy = Samples([100 * figures.cpu_s / figures.wall_s / cores for figures in runs], "%")
        facts = {
            "busy %": busy.median,
            "times one core": rate.median / rates[0].median,
            "peak MB": Samples([figures.peak_mb for figures in runs], "MB").median,
        }
        rows.append(Row(name=f"{args.module}, {cores} core{'s' if cores > 1 else ''}", samples=rate, facts=facts))
    return rows
