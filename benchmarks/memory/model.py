"""The time of a batch under a share of CPU that this machine cannot provide, calibrated on shares that it can.

A batch's work takes its CPU time divided by the share; a part of it uses at most one core. The time of waiting for S3
that work does not hide is added: time = CPU x (serial / min(share, 1) + (1 - serial) / share) + wait.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.batch_worker import Figures
from benchmarks.measuring import Samples

Batches = Sequence[tuple[Sequence[str], Figures]]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One measured batch: its share of cores, its duration and its CPU time."""

    vcpus: float
    wall_s: float
    cpu_s: float

    @property
    def shared_s(self) -> float:
        """Return the time if all work could use every core."""
        return self.cpu_s / self.vcpus

    @property
    def lone_s(self) -> float:
        """Return what is added if no work can use more than one core."""
        return self.cpu_s / min(self.vcpus, 1) - self.shared_s


@dataclass(frozen=True, kw_only=True)
class Model:
    """A calibrated model: the fraction of the work that uses at most one core, and the seconds of waiting."""

    serial: float
    wait_s: float

    def wall_s(self, cpu_s: float, vcpus: float) -> float:
        """Return the time of a batch."""
        point = Point(vcpus=vcpus, wall_s=0, cpu_s=cpu_s)
        return point.shared_s + self.serial * point.lone_s + self.wait_s

    def batches(self, known: Batches, vcpus: float) -> Batches:
        """Return known batches as under another share; an image's time grows in proportion to its batch's."""
        return [(keys, self._batch(figures, vcpus)) for keys, figures in known]

    def _batch(self, figures: Figures, vcpus: float) -> Figures:
        wall_s = self.wall_s(figures.cpu_s, vcpus)
        factor = wall_s / figures.wall_s
        images = tuple(replace(image, duration_ms=image.duration_ms * factor) for image in figures.images)
        return replace(figures, wall_s=wall_s, images=images)

    def worst_miss(self, shares: Sequence[Sequence[Point]]) -> float:
        """Return the largest relative error of a share's median time."""
        return max(
            abs(
                Samples([self.wall_s(point.cpu_s, point.vcpus) for point in points]).median
                / Samples([point.wall_s for point in points]).median
                - 1
            )
            for points in shares
        )


def calibrate(points: Sequence[Point]) -> Model:
    """Return the model with the least squares of relative errors, with both values within bounds."""
    from scipy.optimize import lsq_linear  # noqa: PLC0415 it takes a third of a second

    parts = [(point.lone_s / point.wall_s, 1 / point.wall_s) for point in points]
    rest = [1 - point.shared_s / point.wall_s for point in points]
    serial, wait_s = lsq_linear(parts, rest, bounds=((0, 0), (1, math.inf)), method="bvls").x
    return Model(serial=float(serial), wait_s=float(wait_s))
