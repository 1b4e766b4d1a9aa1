"""How the benchmarks measure: interleaved, pinned to one core, as medians with their spread."""

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Input = TypeVar("Input")

PACKAGES = (
    "pillow",
    "pillow-simd",
    "cykooz_resizer",
    "isal",
    "boto3",
    "aws_lambda_powertools",
    "pyvips",
    "pyvips-binary",
    "scikit-image",
)


@dataclass(frozen=True)
class Samples:
    """One contestant's values, run by run, in `unit`."""

    values: Sequence[float]
    unit: str = "ms"

    @property
    def median(self) -> float:
        """Return the middle value."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """Return the quartiles: half of the values lie between them."""
        return self.percentile(25), self.percentile(75)

    @property
    def quartiles(self) -> str:
        """Return the quartiles as text: `1.23 to 1.45`."""
        return "{:,.2f} to {:,.2f}".format(*self.spread)

    def percentile(self, percent: int) -> float:
        """Return the percentile: this many percent of the values are not above it."""
        if len(self.values) == 1:
            return self.values[0]
        return statistics.quantiles(self.values, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True, kw_only=True)
class Times:
    """One contestant's milliseconds: `runs` has the mean over the inputs, run by run, `inputs` the median of each."""

    runs: Samples
    inputs: Samples


def pin(core: int = -1) -> None:
    """Bind this process and its children to one core, the last by default."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def milliseconds(call: Callable[[], object]) -> float:
    """Return the time of a call."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def interleaved(
    contestants: Mapping[str, Callable[[Input], float]], inputs: Sequence[Input], runs: int
) -> dict[str, Times]:
    """Return each contestant's times; all take turns, input by input.

    A contestant returns the milliseconds it took. An additional first run warms up and does not count.
    """
    rounds: dict[str, list[list[float]]] = {name: [] for name in contestants}
    for number in range(runs + 1):
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for one in inputs:
            for name, contestant in contestants.items():
                times[name].append(contestant(one))
        for name, values in times.items() if number else ():
            rounds[name].append(values)
    return {
        name: Times(
            runs=Samples([statistics.fmean(values) for values in found]),
            inputs=Samples([statistics.median(values) for values in zip(*found, strict=True)]),
        )
        for name, found in rounds.items()
    }


def ratio(theirs: Samples, ours: Samples) -> Samples:
    """Return the ratio of their times, run by run."""
    return Samples([one / other for one, other in zip(theirs.values, ours.values, strict=True)], "x")


def machine() -> dict[str, object]:
    """Return the machine and versions that the figures depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version for name in PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
