"""One function at one memory size: started, given its largest pictures, then every batch; and what stopped it."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.batch_worker import Figures
from benchmarks.memory.cgroups import Group, group
from benchmarks.memory.mix import Plan
from benchmarks.memory.model import Batches
from benchmarks.memory.sizes import cores_seen, vcpus
from benchmarks.worker_process import WorkerArgs, WorkerDiedError, WorkerProcess
from components.config import StackConfig
from handlers.errors import ImageTooLargeError
from handlers.imaging.memory import pixels_that_fit

How = Literal["measured", "modelled"]
ENDS = 2
TOO_LARGE = ImageTooLargeError.__name__


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function: its module below `handlers`, and the key of the stack's config that has its memory."""

    name: str
    module: str
    config_key: str
    decodes: bool = True


FUNCTIONS = {
    function.name: function
    for function in (
        Function(name="resize", module="pixel_resizer", config_key="pixelcascade:resizingMemoryMb"),
        Function(name="convert", module="format_converter", config_key="pixelcascade:formatConversionMemoryMb"),
        Function(
            name="metadata",
            module="metadata_extractor",
            config_key="pixelcascade:metadataExtractionMemoryMb",
            decodes=False,
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all trials have in common; `no_groups` says why there are no control groups, where there are none."""

    plan: Plan
    port: int
    config: StackConfig
    runs: int
    no_groups: str


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a function did at a size; `problem` says what makes the size too small.

    `batches` are those that count, keys and figures; `ends` are the heaviest and the lightest, and count for the line
    of time over megapixels alone; `seen` holds the figures of all, the first and a failed one too.
    """

    function: Function
    memory_mb: int
    how: How
    init_s: float | None = None
    peak_mb: float | None = None
    batches: Batches = ()
    ends: Batches = ()
    seen: Sequence[Figures] = ()
    problem: str = ""


def can_measure(bench: Bench, memory_mb: int) -> bool:
    """Tell whether this machine can give a function what Lambda gives at a size."""
    return not bench.no_groups and vcpus(memory_mb) <= len(os.sched_getaffinity(0))


def run(bench: Bench, function: Function, memory_mb: int, *, cores: int | None = None) -> Trial:
    """Run a function at a size, within its limits where there are control groups.

    Times are taken where the machine can give what Lambda gives, or where `cores` names a number of cores instead:
    there each batch runs. Elsewhere only the largest pictures' batch does, for its peak and to see whether it passes.
    """
    timed = can_measure(bench, memory_mb) or cores is not None
    batches = [*list(bench.plan.batches) * bench.runs, bench.plan.heaviest, bench.plan.lightest] if timed else []
    how: How = "measured" if can_measure(bench, memory_mb) else "modelled"
    with _cage(bench, memory_mb) as cage:
        run_in = _Run(bench=bench, function=function, memory_mb=memory_mb, cage=cage, cores=cores)
        return run_in.trial(how, batches)


@contextlib.contextmanager
def _cage(bench: Bench, memory_mb: int) -> Iterator[Group | None]:
    if bench.no_groups:
        yield None
        return
    with group(f"pixelcascade-{os.getpid()}-{memory_mb}") as cage:
        cage.limit_memory(memory_mb)
        yield cage


@dataclass(frozen=True, kw_only=True)
class _Run:
    bench: Bench
    function: Function
    memory_mb: int
    cage: Group | None
    cores: int | None

    def trial(self, how: How, batches: Sequence[Sequence[str]]) -> Trial:
        """Start the function, warm it up with its heaviest batch, and run the others until one fails."""
        found: list[tuple[Sequence[str], Figures]] = []
        seen: list[Figures] = []
        init_s, peak_mb, problem = None, None, ""
        try:
            with WorkerProcess(self._args()) as worker:
                init_s = worker.init_s
                # A starting function has its cores for itself. Source: measured by others, as in
                # https://bitesizedserverless.com/bite/lambda-cold-start-bootstrap/
                if self.cage and how == "measured":
                    self.cage.limit_cpu(vcpus(self.memory_mb))
                for number, keys in enumerate([self.bench.plan.heaviest, *batches]):
                    figures = worker.invoke(keys)
                    seen.append(figures)
                    peak_mb = self._peak_mb(figures)
                    problem = self._problem(figures, peak_mb)
                    if problem:
                        break
                    if number:
                        found.append((keys, figures))
        except WorkerDiedError as error:
            problem, peak_mb = str(error), self.cage.peak_mb() if self.cage else None
        return Trial(
            function=self.function,
            memory_mb=self.memory_mb,
            how=how,
            init_s=init_s,
            peak_mb=peak_mb,
            batches=found[:-ENDS],
            ends=found[-ENDS:],
            seen=seen,
            problem=problem,
        )

    def _args(self) -> WorkerArgs:
        available = sorted(os.sched_getaffinity(0))
        return WorkerArgs(
            module=self.function.module,
            port=self.bench.port,
            cores=available[: self.cores or cores_seen(self.memory_mb)],
            memory_mb=self.memory_mb,
            config=self.bench.config,
            joins=self.cage.joins if self.cage else (),
        )

    def _peak_mb(self, figures: Figures) -> float:
        """Return the larger peak: the group's lacks libraries read before, the process's what the kernel holds."""
        return max(figures.peak_mb, (self.cage.peak_mb() if self.cage else None) or 0.0)

    def _problem(self, figures: Figures, peak_mb: float) -> str:
        total = len(figures.images)
        if figures.failed:
            errors = sorted({image.error for image in figures.images if image.outcome == "retry"})
            return f"{figures.failed} of {total} messages failed: {', '.join(errors)}"
        if unfit := sum(image.error == TOO_LARGE and self._unfit(image.key) for image in figures.images):
            return f"{unfit} of {total} pictures were refused: the memory does not hold them"
        if peak_mb > self.memory_mb:
            return f"its peak of {peak_mb:,.0f} MB is above its memory"
        return ""

    def _unfit(self, key: str) -> bool:
        """Tell whether this memory, not another limit, is too small for a master."""
        master = self.bench.plan.masters[key]
        fitting = pixels_that_fit(self.memory_mb, len(master.data))
        return fitting < master.pixels <= self.bench.config.max_pixels
