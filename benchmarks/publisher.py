"""How long is the publisher billed for an upload? By memory size, within that size's share of CPU."""

import os
import statistics
from collections.abc import Sequence

import click

from benchmarks.artefact import Artefact, unpacked
from benchmarks.findings import Findings, Row, findings_command
from benchmarks.line_process import ChildDiedError
from benchmarks.measuring import Samples
from benchmarks.memory.cgroups import usable
from benchmarks.memory.request import parse_sizes
from benchmarks.memory.sizes import billed_ms, cores_seen
from benchmarks.memory.trial import limited
from benchmarks.options import delay_option, runs_option
from benchmarks.worker_process import WorkerArgs, loopback
from components.config import StackConfig
from costs.calls import UPLOAD, calls_in_a_row

WARM_UPS = 3
CALLS = calls_in_a_row()[UPLOAD]


@findings_command
@runs_option(50)
@delay_option
@click.option("--sizes", default="128,256,512,1024,1769", callback=parse_sizes, help="Memory, in MB.")
def publisher(runs: int, delay_ms: float, sizes: Sequence[int]) -> Findings:
    """Measure what the publisher is billed for an upload.

    Uploads are sent one by one; the publisher's own time is also printed without waiting for calls.
    """
    if problem := usable():
        raise click.ClickException(f"expected control groups, which give a function its share of CPU: {problem}")
    with unpacked(StackConfig()) as artefact, loopback({}, delay_ms) as port:
        rows = [_row(artefact, port, memory_mb, runs, delay_ms) for memory_mb in sizes]
    return Findings(
        title="Publisher",
        question=f"milliseconds an upload of a new name, {delay_ms:g} ms until a call is answered, {runs} runs",
        rows=rows,
        notes=[
            f"The function runs from the package for {artefact.target}.",
            f"fixed_ms: the billed time without waiting for {CALLS:g} calls, one after the other.",
        ],
    )


def _row(artefact: Artefact, port: int, memory_mb: int, runs: int, delay_ms: float) -> Row:
    """Return a size's row, with the facts that `costs.durations` reads.

    Raises: click.ClickException, if the function ends by itself.
    """
    try:
        init_s, walls_s = _uploads(artefact, port, memory_mb, runs)
    except ChildDiedError as error:
        expected = f"expected a publisher that answers at {memory_mb} MB"
        raise click.ClickException(f"{expected}, got none ({error}): leave this size out") from error
    billed = statistics.mean(map(billed_ms, walls_s))
    facts = {
        "function": "publish",
        "memory_mb": memory_mb,
        "verdict": "ok",
        "billed_ms": round(billed, 1),
        "fixed_ms": round(max(0.0, billed - CALLS * delay_ms), 1),
        "ms_per_megapixel": 0.0,
        "batch_size": 1,
        "init_ms": round(1000 * init_s, 1),
    }
    return Row(name=f"{memory_mb:,} MB", samples=Samples([1000 * wall for wall in walls_s]), facts=facts)


def _uploads(artefact: Artefact, port: int, memory_mb: int, runs: int) -> tuple[float, list[float]]:
    """Return the seconds of the function's start, and of each upload after the first ones.

    Raises: ChildDiedError.
    """
    args = WorkerArgs(
        artefact=artefact,
        module="job_publisher",
        port=port,
        cores=sorted(os.sched_getaffinity(0))[: cores_seen(memory_mb)],
        memory_mb=memory_mb,
        config=StackConfig(),
    )
    with limited(args) as (worker, _):
        walls_s = [worker.invoke([f"{number}.jpg"]).wall_s for number in range(WARM_UPS + runs)]
        return worker.init_s, walls_s[WARM_UPS:]
