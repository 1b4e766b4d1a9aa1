"""The time of a batch under a share of CPU that this machine cannot provide, calibrated on shares that it can.

A batch's work takes its CPU time divided by the share; a part of it uses at most one core. The time of waiting for S3
that work does not hide is added: time = CPU x (serial / min(share, 1) + (1 - serial) / share) + wait.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.batch_worker import Figures
from benchmarks.measuring import Samples
from benchmarks.memory.trial import Batches, Trial


@dataclass(frozen=True, kw_only=True)
class Model:
    """A calibrated model: the fraction of the work that uses at most one core, and the seconds of waiting."""

    serial: float
    wait_s: float

    def wall_s(self, cpu_s: float, vcpus: float) -> float:
        """Return the time of a batch."""
        shared_s, lone_s = _parts(cpu_s, vcpus)
        return shared_s + self.serial * lone_s + self.wait_s

    def batches(self, known: Batches, vcpus: float) -> Batches:
        """Return known batches as under another share; an image's time grows in proportion to its batch's."""
        return [(keys, self._batch(figures, vcpus)) for keys, figures in known]

    def _batch(self, figures: Figures, vcpus: float) -> Figures:
        wall_s = self.wall_s(figures.cpu_s, vcpus)
        factor = wall_s / figures.wall_s
        images = tuple(replace(image, duration_ms=image.duration_ms * factor) for image in figures.images)
        return replace(figures, wall_s=wall_s, images=images)

    def worst_miss(self, known: Sequence[Trial]) -> float:
        """Return the largest relative error of a trial's median time."""
        return max(
            abs(_median_s(self.batches(trial.batches, trial.vcpus)) / _median_s(trial.batches) - 1) for trial in known
        )


def calibrate(known: Sequence[Trial]) -> Model:
    """Return the model with the least squares of relative errors, with both values within bounds."""
    from scipy.optimize import lsq_linear  # noqa: PLC0415 it takes a third of a second

    parts, rest = [], []
    for figures, vcpus in ((figures, trial.vcpus) for trial in known for _, figures in trial.batches):
        shared_s, lone_s = _parts(figures.cpu_s, vcpus)
        parts.append((lone_s / figures.wall_s, 1 / figures.wall_s))
        rest.append(1 - shared_s / figures.wall_s)
    serial, wait_s = lsq_linear(parts, rest, bounds=((0, 0), (1, math.inf)), method="bvls").x
    return Model(serial=float(serial), wait_s=float(wait_s))


def _parts(cpu_s: float, vcpus: float) -> tuple[float, float]:
    """Return the time if all work could use every core, and what is added if none can use more than one."""
    shared_s = cpu_s / vcpus
    return shared_s, cpu_s / min(vcpus, 1) - shared_s


def _median_s(batches: Batches) -> float:
    return Samples([figures.wall_s for _, figures in batches]).median
