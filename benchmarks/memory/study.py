"""All sizes of a function: measured if this machine can provide them, modelled if not."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.memory.model import Model, Point, calibrate
from benchmarks.memory.sizes import vcpus
from benchmarks.memory.trial import Bench, Trial, run, run_all
from components.branches import ImageBranch
from components.config import MB_PER_VCPU

ShowProgress = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One function's trials, size by size, and the model of those that were not measured, with its error."""

    function: ImageBranch
    trials: Sequence[Trial]
    model: Model | None = None
    miss: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Known:
    """A measured trial, and the share of CPU that it had."""

    vcpus: float
    trial: Trial

    @property
    def points(self) -> Sequence[Point]:
        """Return its batches for the model."""
        return [
            Point(vcpus=self.vcpus, wall_s=figures.wall_s, cpu_s=figures.cpu_s) for _, figures in self.trial.batches
        ]


def study(bench: Bench, function: ImageBranch, sizes: Sequence[int], show_progress: ShowProgress) -> Study:
    """Run a function at each size, and continue after one that is too small."""
    show_progress(f"{function.task}: {len(sizes)} sizes take turns")
    trials = run_all(bench, function, sizes)
    for trial in trials:
        show_progress(f"{function.task}, {trial.memory_mb:,} MB: {trial.problem or trial.how}")
    known = [
        _Known(vcpus=vcpus(trial.memory_mb), trial=trial) for trial in trials if trial.batches and not trial.problem
    ]
    if all(trial.how == "measured" or trial.problem for trial in trials):
        return Study(function=function, trials=trials)
    known += _references(bench, function, known)
    if not known:
        return Study(function=function, trials=trials)
    model = calibrate([point for one in known for point in one.points])
    return Study(
        function=function,
        trials=[_modelled(trial, known, model) for trial in trials],
        model=model,
        miss=model.worst_miss([one.points for one in known]),
    )


def _references(bench: Bench, function: ImageBranch, known: Sequence[_Known]) -> list[_Known]:
    """Run a function with one core, and with all cores, unless the measured shares reach as far.

    They need no control group, and only a run with several cores shows what several cores gain.
    """
    found, most = [], max((one.vcpus for one in known), default=0.0)
    for cores in sorted({1, len(os.sched_getaffinity(0))}):
        if cores <= most:
            continue
        trial = run(bench, function, cores * MB_PER_VCPU, cores=cores)
        if trial.batches and not trial.problem:
            found.append(_Known(vcpus=cores, trial=trial))
    return found


def _modelled(trial: Trial, known: Sequence[_Known], model: Model) -> Trial:
    """Return an unmeasured trial with the model's times, from the batches of the nearest measured share."""
    if trial.how == "measured" or trial.problem:
        return trial
    share = vcpus(trial.memory_mb)
    nearest = min(known, key=lambda one: abs(one.vcpus - share))
    batches, ends = (model.batches(known, share) for known in (nearest.trial.batches, nearest.trial.ends))
    return replace(trial, batches=batches, ends=ends)
