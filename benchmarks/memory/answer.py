"""From the command's options to its report: pictures, a slow S3, the trials, and the recommendations."""

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.artefact import unpacked
from benchmarks.measuring import machine
from benchmarks.memory.advice import FEWEST_BATCHES, advise
from benchmarks.memory.boundary import Boundary, check
from benchmarks.memory.cgroups import usable
from benchmarks.memory.mix import Plan, plan
from benchmarks.memory.report import MemoryReport
from benchmarks.memory.request import Request
from benchmarks.memory.rows import row
from benchmarks.memory.study import ShowProgress, Study, study
from benchmarks.memory.trial import Bench
from benchmarks.worker_process import loopback
from components.config import StackConfig

NOTES = (
    "p50 to p99: milliseconds of an image, while others of its batch run too; batch: of a whole invocation.",
    "Rejected pictures count, because they cost too. init: process and imports, on all cores that the function sees.",
    "billed: milliseconds of an invocation divided by its images. room: how far the memory is above the peak.",
    "peak: with the largest pictures in one batch. Costs are for warm invocations: GB-seconds and requests.",
)


def answer(request: Request, show_progress: ShowProgress) -> MemoryReport:
    """Run the benchmark; `show_progress` is called with a line for each size."""
    config = request.config()
    dealt = plan(request.images, request.mix, config.batch_size, config.input_formats)
    with unpacked(config) as artefact:
        bench = Bench(
            plan=dealt, port=0, config=config, runs=_runs(request, dealt), no_groups=usable(), artefact=artefact
        )
        return _answer(request, bench, show_progress)


def _runs(request: Request, dealt: Plan) -> int:
    """Return how often all pictures are sent: as the option says, else once, or as often as writing a setting needs."""
    return request.runs or (math.ceil(FEWEST_BATCHES / len(dealt.batches)) if request.stack_file else 1)


def _answer(request: Request, bench: Bench, show_progress: ShowProgress) -> MemoryReport:
    started, config, dealt = time.monotonic(), bench.config, bench.plan
    studies = _studies(request, bench, show_progress)
    rows = [row(trial, dealt, config.architecture, config.max_pixels) for one in studies for trial in one.trials]
    advice = {
        one.function.task: advise([row for row in rows if row.function == one.function.task], config.timeout_s)
        for one in studies
    }
    boundaries = {
        one.function.task: _boundary(request, bench, one, chosen.cheapest.memory_mb)
        for one in studies
        if (chosen := advice[one.function.task]) and one.function.decodes
    }
    return MemoryReport(
        title="Memory",
        question=f"{len(dealt.batches) * bench.runs} batches of {config.batch_size} a size, {_mix(request)}, "
        f"{request.delay_ms:g} ms until S3 answers a call, {config.architecture} prices, {_outputs(config)}",
        architecture=config.architecture,
        rows=rows,
        advice=advice,
        boundaries=boundaries,
        notes=[
            *NOTES,
            f"The functions run from the package for {bench.artefact.target}.",
            *_models(studies),
            *_limits(bench),
            _took(started, dealt),
        ],
        machine=machine(),
        jpeg_quality=config.jpeg_quality,
        output_formats=config.output_formats,
        input_formats=tuple(config.input_formats),
    )


def _studies(request: Request, bench: Bench, show_progress: ShowProgress) -> list[Study]:
    with tempfile.TemporaryDirectory() as folder:
        bench.plan.write(Path(folder))
        with loopback(Path(folder), request.delay_ms) as port:
            return [
                study(replace(bench, port=port), function, request.sizes, show_progress)
                for function in request.functions
            ]


def _boundary(request: Request, bench: Bench, one: Study, memory_mb: int) -> Boundary:
    return check(bench, one.function, memory_mb, request.delay_ms)


def _mix(request: Request) -> str:
    if request.mix:
        return "mixed " + ", ".join(f"{kind} {weight:g}" for kind, weight in request.mix.items())
    return "each picture once" if request.images else "drawn pictures"


def _outputs(config: StackConfig) -> str:
    """Say what the resizer makes of each size."""
    further = [f"{name} {quality}" for name, quality in config.output_formats.items()]
    return " and ".join([f"JPEG {config.jpeg_quality}", *further])


def _models(studies: Sequence[Study]) -> list[str]:
    return [
        f"{one.function.task}, modelled: {100 * one.model.serial:.0f} % of the work uses one core at most, and a batch "
        f"waits for {1000 * one.model.wait_s:.0f} ms; the model is within {100 * one.miss:.0f} % of the measured "
        "median batches."
        for one in studies
        if one.model
    ]


def _limits(bench: Bench) -> list[str]:
    if not bench.no_groups:
        return []
    return [f"No size is measured within its limits: {bench.no_groups}."]


def _took(started: float, dealt: Plan) -> str:
    return f"{len(dealt.masters)} pictures, {time.monotonic() - started:.0f} s in all."
