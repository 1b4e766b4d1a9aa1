"""One function at one memory size: start it, send its largest pictures, then every batch; and note why it failed."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.artefact import Artefact
from benchmarks.batch_worker import Figures
from benchmarks.memory.cgroups import Group, group
from benchmarks.memory.mix import Plan
from benchmarks.memory.model import Batches
from benchmarks.memory.sizes import cores_seen, vcpus
from benchmarks.worker_process import WorkerArgs, WorkerDiedError, WorkerProcess
from components.branches import ImageBranch
from components.config import StackConfig
from handlers.errors import ImageTooLargeError
from handlers.imaging.limits import pixels_that_fit

How = Literal["measured", "modelled"]
ENDS = 2
TOO_LARGE = ImageTooLargeError.__name__


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all trials share; `no_groups` says why control groups cannot be used, if they cannot."""

    plan: Plan
    port: int
    config: StackConfig
    runs: int
    no_groups: str
    artefact: Artefact


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a function did at a size; `problem` says what makes the size too small.

    `batches` are those that count, keys and figures; `ends` are the heaviest and the lightest, and count for the line
    of time over megapixels alone; `seen` holds the figures of all, the first and a failed one too.
    """

    function: ImageBranch
    memory_mb: int
    how: How
    init_s: float | None = None
    peak_mb: float | None = None
    batches: Batches = ()
    ends: Batches = ()
    seen: Sequence[Figures] = ()
    problem: str = ""


def can_measure(bench: Bench, memory_mb: int) -> bool:
    """Return whether this machine can provide what Lambda gives a function at a size."""
    return not bench.no_groups and vcpus(memory_mb) <= len(os.sched_getaffinity(0))


def run(bench: Bench, function: ImageBranch, memory_mb: int, *, cores: int | None = None) -> Trial:
    """Run a function at one size alone."""
    (trial,) = run_all(bench, function, [memory_mb], cores=cores)
    return trial


def run_all(bench: Bench, function: ImageBranch, sizes: Sequence[int], *, cores: int | None = None) -> list[Trial]:
    """Run a function at all sizes, within their limits where there are control groups; they take turns, batch by batch.

    So a slow minute of this machine is one of every size. Times are taken where the machine can give what Lambda gives,
    or where `cores` names a number of cores instead: there each batch runs. Elsewhere only the largest pictures' batch
    does, for its peak and to see whether it passes.
    """
    plan = bench.plan
    with contextlib.ExitStack() as stack:
        trying = [stack.enter_context(_started(bench, function, memory_mb, cores)) for memory_mb in sizes]
        for keys in [*list(plan.batches) * bench.runs, plan.heaviest, plan.lightest]:
            for one in trying:
                if one.timed and not one.problem:
                    one.send(keys)
        return [one.trial() for one in trying]


@contextlib.contextmanager
def _cage(bench: Bench, memory_mb: int) -> Iterator[Group | None]:
    if bench.no_groups:
        yield None
        return
    with group(f"pixelcascade-{os.getpid()}-{memory_mb}") as cage:
        cage.limit_memory(memory_mb)
        yield cage


@contextlib.contextmanager
def _started(bench: Bench, function: ImageBranch, memory_mb: int, cores: int | None) -> Iterator["_Trying"]:
    """Start a function and warm it up with its heaviest batch."""
    with _cage(bench, memory_mb) as cage, contextlib.ExitStack() as stack:
        one = _Trying(bench=bench, function=function, memory_mb=memory_mb, cage=cage, cores=cores)
        try:
            one.worker = stack.enter_context(WorkerProcess(one.args()))
        except WorkerDiedError as error:
            one.problem = str(error)
        else:
            # A starting function has its cores for itself. Source: measured by others, as in
            # https://bitesizedserverless.com/bite/lambda-cold-start-bootstrap/
            if cage and can_measure(bench, memory_mb):
                cage.limit_cpu(vcpus(memory_mb))
            one.send(bench.plan.heaviest)
        yield one


@dataclass(kw_only=True)
class _Trying:
    """A function's process at one size, and its results so far."""

    bench: Bench
    function: ImageBranch
    memory_mb: int
    cage: Group | None
    cores: int | None
    worker: WorkerProcess | None = None
    found: list[tuple[Sequence[str], Figures]] = field(default_factory=list)
    peak_mb: float | None = None
    problem: str = ""

    @property
    def timed(self) -> bool:
        """Return whether its times are those that it would take on Lambda."""
        return can_measure(self.bench, self.memory_mb) or self.cores is not None

    def send(self, keys: Sequence[str]) -> None:
        """Run one batch, and check whether the size is large enough for it."""
        assert self.worker is not None  # noqa: S101 - without it there is a problem
        try:
            figures = self.worker.invoke(keys)
        except WorkerDiedError as error:
            self.problem, self.peak_mb = str(error), self.cage.peak_mb() if self.cage else None
            return
        self.found.append((keys, figures))
        self.peak_mb = self._peak_mb(figures)
        self.problem = self._problem(figures, self.peak_mb)

    def trial(self) -> Trial:
        """Return what was found."""
        whole = self.timed and not self.problem
        return Trial(
            function=self.function,
            memory_mb=self.memory_mb,
            how="measured" if can_measure(self.bench, self.memory_mb) else "modelled",
            init_s=self.worker.init_s if self.worker else None,
            peak_mb=self.peak_mb,
            batches=self.found[1:-ENDS] if whole else (),
            ends=self.found[-ENDS:] if whole else (),
            seen=[figures for _, figures in self.found],
            problem=self.problem,
        )

    def args(self) -> WorkerArgs:
        """Return how to start its process."""
        available = sorted(os.sched_getaffinity(0))
        return WorkerArgs(
            artefact=self.bench.artefact,
            module=self.function.module,
            port=self.bench.port,
            cores=available[: self.cores or cores_seen(self.memory_mb)],
            memory_mb=self.memory_mb,
            config=self.bench.config,
            joins=self.cage.joins if self.cage else (),
        )

    def _peak_mb(self, figures: Figures) -> float:
        """Return the larger peak: the group's lacks libraries read earlier, the process's lacks kernel memory."""
        return max(figures.peak_mb, (self.cage.peak_mb() if self.cage else None) or 0.0)

    def _problem(self, figures: Figures, peak_mb: float) -> str:
        total = len(figures.images)
        if figures.failed:
            errors = sorted({image.error for image in figures.images if image.outcome == "retry"})
            return f"{figures.failed} of {total} messages failed: {', '.join(errors)}"
        if unfit := sum(image.error == TOO_LARGE and self._unfit(image.key) for image in figures.images):
            return f"{unfit} of {total} pictures were refused for lack of memory"
        if peak_mb > self.memory_mb:
            return f"its peak of {peak_mb:,.0f} MB is above its memory"
        return ""

    def _unfit(self, key: str) -> bool:
        """Return whether this memory, and no other limit, is too small for a master."""
        master = self.bench.plan.masters[key]
        fitting = pixels_that_fit(self.memory_mb, len(master.data))
        return fitting < master.pixels <= self.bench.config.max_pixels
