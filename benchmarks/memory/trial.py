"""One function at one memory size: start it, send its largest pictures, then every batch; and note why it failed."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.artefact import Artefact
from benchmarks.batch_worker import Figures
from benchmarks.line_process import ChildDiedError
from benchmarks.memory.cgroups import Group, group
from benchmarks.memory.mix import Plan
from benchmarks.memory.sizes import cores_seen, vcpus
from benchmarks.worker_process import WorkerArgs, WorkerProcess
from components.branches import ImageBranch
from components.config import StackConfig
from handlers.errors import ImageTooLargeError
from handlers.imaging.limits import pixels_that_fit

How = Literal["measured", "modelled"]
Batches = Sequence[tuple[Sequence[str], Figures]]
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

    def can_measure(self, memory_mb: int) -> bool:
        """Return whether this machine can provide what Lambda gives a function at a size."""
        return not self.no_groups and machine_has(vcpus(memory_mb))


@dataclass(kw_only=True)
class Trial:
    """What a function did at a size, with a share of CPU; `problem` says what makes the size too small.

    `found` has the keys and figures of each batch: the first, which warms the function up, those that count, and the
    heaviest and the lightest.
    """

    function: ImageBranch
    memory_mb: int
    vcpus: float
    how: How
    init_s: float | None = None
    peak_mb: float | None = None
    found: Batches = ()
    problem: str = ""

    @property
    def batches(self) -> Batches:
        """The batches that count."""
        return () if self.problem else self.found[1:-ENDS]

    @property
    def ends(self) -> Batches:
        """The heaviest and the lightest, which count for the line of time over megapixels alone."""
        return self.found[-ENDS:] if self.batches else ()


def machine_has(cores: float) -> bool:
    """Return whether this process may use so many cores."""
    return cores <= len(os.sched_getaffinity(0))


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
                if (cores or bench.can_measure(one.trial.memory_mb)) and not one.trial.problem:
                    one.send(keys)
        return [one.trial for one in trying]


@contextlib.contextmanager
def limited(args: WorkerArgs, *, by_groups: bool = True) -> Iterator[tuple[WorkerProcess, Group | None]]:
    """Start a function within the memory of its size, by a control group, and limit its CPU as far as this machine can.

    Raises: ChildDiedError.
    """
    with contextlib.ExitStack() as stack:
        cage = None
        if by_groups:
            cage = stack.enter_context(group(f"pixelcascade-{os.getpid()}-{args.module}-{args.memory_mb}"))
            cage.limit_memory(args.memory_mb)
            args = replace(args, joins=cage.joins)
        worker = stack.enter_context(WorkerProcess(args))
        # A starting function has its cores for itself. Source: measured by others, as in
        # https://bitesizedserverless.com/bite/lambda-cold-start-bootstrap/
        if cage and machine_has(vcpus(args.memory_mb)):
            cage.limit_cpu(vcpus(args.memory_mb))
        yield worker, cage


@contextlib.contextmanager
def _started(bench: Bench, function: ImageBranch, memory_mb: int, cores: int | None) -> Iterator["_Trying"]:
    """Start a function and warm it up with its heaviest batch."""
    args = WorkerArgs(
        artefact=bench.artefact,
        module=function.module,
        port=bench.port,
        cores=sorted(os.sched_getaffinity(0))[: cores or cores_seen(memory_mb)],
        memory_mb=memory_mb,
        config=bench.config,
    )
    how: How = "measured" if bench.can_measure(memory_mb) else "modelled"
    one = _Trying(bench, Trial(function=function, memory_mb=memory_mb, vcpus=cores or vcpus(memory_mb), how=how))
    with contextlib.ExitStack() as stack:
        try:
            one.worker, one.cage = stack.enter_context(limited(args, by_groups=not bench.no_groups))
        except ChildDiedError as error:
            one.trial.problem = str(error)
        else:
            one.trial.init_s = one.worker.init_s
            one.send(bench.plan.heaviest)
        yield one


@dataclass
class _Trying:
    """A trial, and the function's process, which may have failed to start."""

    bench: Bench
    trial: Trial
    worker: WorkerProcess | None = None
    cage: Group | None = None

    def send(self, keys: Sequence[str]) -> None:
        """Run one batch, and check whether the size is large enough for it."""
        assert self.worker is not None  # noqa: S101 - without it there is a problem
        try:
            figures = self.worker.invoke(keys)
        except ChildDiedError as error:
            self.trial.problem, self.trial.peak_mb = str(error), self._group_peak_mb()
            return
        self.trial.found = [*self.trial.found, (keys, figures)]
        # The group's peak lacks libraries read earlier, the process's lacks kernel memory.
        self.trial.peak_mb = max(figures.peak_mb, self._group_peak_mb() or 0.0)
        self.trial.problem = self._problem(figures, self.trial.peak_mb)

    def _group_peak_mb(self) -> float | None:
        return self.cage.peak_mb() if self.cage else None

    def _problem(self, figures: Figures, peak_mb: float) -> str:
        total = len(figures.images)
        if figures.failed:
            errors = sorted({image.error for image in figures.images if image.outcome == "retry"})
            return f"{figures.failed} of {total} messages failed: {', '.join(errors)}"
        if unfit := sum(image.error == TOO_LARGE and self._unfit(image.key) for image in figures.images):
            return f"{unfit} of {total} pictures were refused for lack of memory"
        if peak_mb > self.trial.memory_mb:
            return f"its peak of {peak_mb:,.0f} MB is above its memory"
        return ""

    def _unfit(self, key: str) -> bool:
        """Return whether this memory, and no other limit, is too small for a master."""
        master = self.bench.plan.masters[key]
        fitting = pixels_that_fit(self.trial.memory_mb, len(master.data))
        return fitting < master.pixels <= self.bench.config.max_pixels
