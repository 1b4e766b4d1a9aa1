"""All sizes of a function: measured if this machine can provide them, modelled if not."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from benchmarks.memory.model import Model, calibrate
from benchmarks.memory.trial import Bench, Trial, run, run_all
from components.branches import ImageBranch
from components.config import MB_PER_VCPU


@dataclass(frozen=True, kw_only=True)
class Study:
    """One function's trials, size by size, and the model of those that were not measured, with its error."""

    function: ImageBranch
    trials: Sequence[Trial]
    model: Model | None = None
    miss: float = 0.0


def study(bench: Bench, function: ImageBranch, sizes: Sequence[int]) -> Study:
    """Run a function at each size, and continue after one that is too small."""
    click.echo(f"{function.task}: {len(sizes)} sizes take turns", err=True)
    trials = run_all(bench, function, sizes)
    for trial in trials:
        click.echo(f"{function.task}, {trial.memory_mb:,} MB: {trial.problem or trial.how}", err=True)
    if all(trial.how == "measured" or trial.problem for trial in trials):
        return Study(function=function, trials=trials)
    known = [trial for trial in trials if trial.batches]
    known += _references(bench, function, most=max((trial.vcpus for trial in known), default=0.0))
    if not known:
        return Study(function=function, trials=trials)
    model = calibrate(known)
    return Study(
        function=function,
        trials=[_modelled(trial, known, model) for trial in trials],
        model=model,
        miss=model.worst_miss(known),
    )


def _references(bench: Bench, function: ImageBranch, most: float) -> list[Trial]:
    """Run a function with one core, and with all cores, unless the measured shares reach as far as `most`.

    They need no control group, and only a run with several cores shows what several cores gain.
    """
    numbers = sorted(cores for cores in {1, len(os.sched_getaffinity(0))} if cores > most)
    trials = [run(bench, function, cores * MB_PER_VCPU, cores=cores) for cores in numbers]
    return [trial for trial in trials if trial.batches]


def _modelled(trial: Trial, known: Sequence[Trial], model: Model) -> Trial:
    """Return an unmeasured trial with the model's times, from the batches of the nearest measured share."""
    if trial.how == "measured" or trial.problem:
        return trial
    nearest = min(known, key=lambda one: abs(one.vcpus - trial.vcpus))
    return replace(trial, found=model.batches(nearest.found, trial.vcpus))
