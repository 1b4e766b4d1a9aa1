"""The result of a trial: latency, memory and cost as one row, the same in the table, the JSON and the CSV."""

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.batch_worker import Figures
from benchmarks.measuring import Samples
from benchmarks.memory.mix import Plan
from benchmarks.memory.sizes import MILLION, billed_ms, invocation_cost, largest_megapixels, time_cost
from benchmarks.memory.trial import How, Trial

RESAMPLINGS = 1000
SEED = 1
PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One function at one size.

    `p50_ms`, `p95_ms` and `p99_ms` are the times of one image, from the start of its record to the end, while others of
    its batch run too; the fields with `batch_` are those of a whole invocation. `billed_ms_per_image` is an
    invocation's billed time divided by its images; `fixed_ms` and `ms_per_megapixel` are its parts per image and per
    megapixel. Costs are US dollars; `cost_low` and `cost_high` are a 95 % bootstrap interval over batches, None for a
    single batch. `cold_start_cost` is the cost of a million cold starts.
    """

    function: str
    memory_mb: int
    vcpus: float
    how: How
    verdict: Literal["ok", "too small"]
    why: str
    init_ms: float | None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    batch_p50_ms: float | None = None
    batch_p95_ms: float | None = None
    batch_p99_ms: float | None = None
    billed_ms_per_image: float | None = None
    fixed_ms: float | None = None
    ms_per_megapixel: float | None = None
    peak_mb: float | None = None
    headroom_percent: float | None = None
    cost_per_million: float | None = None
    cost_low: float | None = None
    cost_high: float | None = None
    cold_start_cost: float | None = None
    invocation_ms: float | None = None
    invocation_cost: float | None = None
    images: int = 0
    batch_size: int = 0
    image_ms_percentiles: dict[str, float]
    largest_megapixels: dict[str, float]

    @property
    def batches(self) -> int:
        """The number of measured batches."""
        return math.ceil(self.images / self.batch_size) if self.batch_size else 0


def row(trial: Trial, plan: Plan, architecture: str, max_pixels: int) -> Measurement:
    """Return the row of a trial."""
    facts: dict[str, Any] = {
        "function": trial.function.task,
        "memory_mb": trial.memory_mb,
        "vcpus": round(trial.vcpus, 3),
        "how": trial.how,
        "verdict": "too small" if trial.problem else "ok",
        "why": trial.problem,
        "init_ms": trial.init_s and round(1000 * trial.init_s, 1),
        "peak_mb": trial.peak_mb and round(trial.peak_mb, 1),
        "headroom_percent": round(100 * (trial.memory_mb / trial.peak_mb - 1), 1)
        if trial.peak_mb and not trial.problem
        else None,
        "batch_size": len(plan.heaviest),
        "image_ms_percentiles": {},
        "largest_megapixels": largest_megapixels(trial.memory_mb, plan.bytes_per_pixel(), max_pixels)
        if trial.function.decodes
        else {},
    }
    if trial.init_s:
        # Since August 2025 AWS bills it:
        # https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase
        facts["cold_start_cost"] = round(MILLION * time_cost(trial.init_s, trial.memory_mb, architecture), 3)
    if trial.batches:
        batches = [figures for _, figures in trial.batches]
        facts |= _latency(batches) | _cost(batches, trial.memory_mb, architecture) | _slope(trial, plan)
    return Measurement(**facts)


def _latency(batches: Sequence[Figures]) -> dict[str, Any]:
    images = Samples([image.duration_ms for figures in batches for image in figures.images])
    invocations = Samples([1000 * figures.wall_s for figures in batches])
    return {
        **{f"p{percent}_ms": round(images.percentile(percent), 1) for percent in (50, 95, 99)},
        **{f"batch_p{percent}_ms": round(invocations.percentile(percent), 1) for percent in (50, 95, 99)},
        "image_ms_percentiles": {str(percent): round(images.percentile(percent), 1) for percent in PERCENTILES},
        "images": len(images.values),
    }


def _cost(batches: Sequence[Figures], memory_mb: int, architecture: str) -> dict[str, float]:
    """Return the billed time and the cost of a million images, with its interval if there are several batches."""
    costs = [(invocation_cost(figures.wall_s, memory_mb, architecture), len(figures.images)) for figures in batches]
    billed = [billed_ms(figures.wall_s) for figures in batches]
    return {
        "billed_ms_per_image": round(sum(billed) / sum(images for _, images in costs), 2),
        "cost_per_million": round(_per_million(costs), 3),
        "invocation_ms": round(sum(billed) / len(billed), 1),
        "invocation_cost": sum(cost for cost, _ in costs) / len(costs),
        **(_interval(costs) if len(costs) > 1 else {}),
    }


def _interval(costs: Sequence[tuple[float, int]]) -> dict[str, float]:
    """Return the bootstrap interval of the cost of a million images."""
    chance = random.Random(SEED)  # noqa: S311 no secret
    ordered = sorted(_per_million(chance.choices(costs, k=len(costs))) for _ in range(RESAMPLINGS))
    return {
        "cost_low": round(ordered[RESAMPLINGS * 25 // 1000], 3),
        "cost_high": round(ordered[RESAMPLINGS * 975 // 1000 - 1], 3),
    }


def _per_million(costs: Sequence[tuple[float, int]]) -> float:
    return MILLION * sum(cost for cost, _ in costs) / sum(images for _, images in costs)


def _slope(trial: Trial, plan: Plan) -> dict[str, float]:
    """Return the straight line through all batches: an image's share of the billed time over its megapixels.

    Neither part is negative: if least squares makes one negative, the line has only the other.
    """
    points = [
        (plan.megapixels(keys), billed_ms(figures.wall_s) / len(keys))
        for keys, figures in [*trial.batches, *trial.ends]
    ]
    megapixels, billed = zip(*points, strict=True)
    mean_x, mean_y = statistics.mean(megapixels), statistics.mean(billed)
    slope = max(0.0, statistics.linear_regression(megapixels, billed).slope) if len(set(megapixels)) > 1 else 0.0
    if mean_y < slope * mean_x:
        slope = mean_y / mean_x
    return {"fixed_ms": round(max(0.0, mean_y - slope * mean_x), 2), "ms_per_megapixel": round(slope, 3)}
