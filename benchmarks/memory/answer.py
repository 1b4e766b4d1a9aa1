"""From the command's options to its report: pictures, a slow S3, the trials, and the recommendations."""

import math
import time
from collections.abc import Sequence

from benchmarks.artefact import unpacked
from benchmarks.measuring import machine
from benchmarks.memory.advice import FEWEST_BATCHES, advise
from benchmarks.memory.boundary import check
from benchmarks.memory.cgroups import usable
from benchmarks.memory.mix import Plan, plan
from benchmarks.memory.report import MemoryReport
from benchmarks.memory.request import Request
from benchmarks.memory.rows import row
from benchmarks.memory.study import Study, study
from benchmarks.memory.trial import Bench
from benchmarks.worker_process import loopback
from components.config import StackConfig

NOTES = (
    "p50 to p99: milliseconds of an image, while others of its batch run too; batch: of a whole invocation.",
    "Rejected pictures count, because they cost too. init: process and imports, on all cores that the function sees.",
    "billed: milliseconds of an invocation divided by its images. room: how far the memory is above the peak.",
    "peak: with the largest pictures in one batch. Costs are for warm invocations: GB-seconds and requests.",
)


def answer(request: Request) -> MemoryReport:
    """Run the benchmark, and print a line for each size to standard error."""
    config = request.config
    dealt = plan(request.images, request.mix, config.batch_size, config.input_formats)
    with unpacked(config) as artefact, loopback(dealt.objects, request.delay_ms) as port:
        bench = Bench(
            plan=dealt, port=port, config=config, runs=_runs(request, dealt), no_groups=usable(), artefact=artefact
        )
        return _answer(request, bench)


def _runs(request: Request, dealt: Plan) -> int:
    """Return how often all pictures are sent: as the option says, else once, or as often as writing a setting needs."""
    return request.runs or (math.ceil(FEWEST_BATCHES / len(dealt.batches)) if request.stack_file else 1)


def _answer(request: Request, bench: Bench) -> MemoryReport:
    started, config, dealt = time.monotonic(), bench.config, bench.plan
    studies = [study(bench, function, request.sizes) for function in request.functions]
    rows = [row(trial, dealt, config.architecture, config.max_pixels) for one in studies for trial in one.trials]
    advice = {
        one.function.task: advise([row for row in rows if row.function == one.function.task], config.timeout_s)
        for one in studies
    }
    boundaries = {
        one.function.task: check(bench, one.function, chosen.cheapest.memory_mb, request.delay_ms)
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
        notes=_notes(bench, studies, time.monotonic() - started),
        machine=machine(),
        jpeg_quality=config.jpeg_quality,
        output_formats=config.output_formats,
        sizes=config.sizes,
        input_formats=tuple(config.input_formats),
    )


def _mix(request: Request) -> str:
    if request.mix:
        return "mixed " + ", ".join(f"{kind} {weight:g}" for kind, weight in request.mix.items())
    return "each picture once" if request.images else "drawn pictures"


def _outputs(config: StackConfig) -> str:
    """Say what the resizer makes of each size."""
    further = [f"{name} {quality}" for name, quality in config.output_formats.items()]
    return " and ".join([f"JPEG {config.jpeg_quality}", *further])


def _notes(bench: Bench, studies: Sequence[Study], seconds: float) -> list[str]:
    models = [
        f"{one.function.task}, modelled: {100 * one.model.serial:.0f} % of the work uses one core at most, and a batch "
        f"waits for {1000 * one.model.wait_s:.0f} ms; the model is within {100 * one.miss:.0f} % of the measured "
        "median batches."
        for one in studies
        if one.model
    ]
    return [
        *NOTES,
        f"The functions run from the package for {bench.artefact.target}.",
        *models,
        *([f"No size is measured within its limits: {bench.no_groups}."] if bench.no_groups else []),
        f"{len(bench.plan.masters)} pictures, {seconds:.0f} s in all.",
    ]
