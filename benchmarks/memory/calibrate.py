"""Compare these figures with Lambda's own: REPORT lines from CloudWatch and the rows of the same size."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import click
import msgspec

from benchmarks.measuring import Samples
from benchmarks.memory.rows import Measurement

# Source: Lambda's developer guide, "Monitoring functions", the REPORT line; tabs or spaces separate its parts.
REPORT = re.compile(
    r"REPORT RequestId: \S+\s+Duration: (?P<duration_ms>\d+(?:\.\d+)?) ms\s+Billed Duration: \d+ ms\s+"
    r"Memory Size: (?P<memory_mb>\d+) MB\s+Max Memory Used: (?P<used_mb>\d+) MB"
    r"(?:\s+Init Duration: (?P<init_ms>\d+(?:\.\d+)?) ms)?"
)
FORM = "lines such as `REPORT RequestId: ... Duration: 123.45 ms Billed Duration: 124 ms Memory Size: 1769 MB ...`"


@dataclass(frozen=True, kw_only=True)
class LambdaReport:
    """One invocation as Lambda reports it; a warm one has no `init_ms`."""

    memory_mb: int
    duration_ms: float
    used_mb: int
    init_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One size on Lambda and here; `None` for a value that one of them lacks."""

    memory_mb: int
    invocations: int
    duration_ms: tuple[float, float | None]
    init_ms: tuple[float | None, float | None]
    peak_mb: tuple[float, float | None]

    @property
    def factor(self) -> float | None:
        """Return Lambda's duration divided by this machine's."""
        real, ours = self.duration_ms
        return real / ours if ours else None


def parse(text: str) -> list[LambdaReport]:
    """Read the REPORT lines of a log and skip others.

    Raises: click.BadParameter.
    """
    found = [msgspec.convert(match.groupdict(), LambdaReport, strict=False) for match in REPORT.finditer(text)]
    if not found:
        raise click.BadParameter(f"expected {FORM}, got a log without REPORT lines: copy them from CloudWatch")
    return found


def compare(reports: Sequence[LambdaReport], rows: Sequence[Measurement]) -> list[Difference]:
    """Compare by size with one function's rows.

    Lambda's duration is that of warm invocations where there are any: a cold one also makes its clients.
    """
    ours = {row.memory_mb: row for row in rows}
    differences = []
    for memory_mb in sorted({report.memory_mb for report in reports}):
        of_size = [report for report in reports if report.memory_mb == memory_mb]
        warm = [report for report in of_size if report.init_ms is None] or of_size
        inits = [report.init_ms for report in of_size if report.init_ms is not None]
        row = ours.get(memory_mb)
        differences.append(
            Difference(
                memory_mb=memory_mb,
                invocations=len(of_size),
                duration_ms=(
                    Samples([report.duration_ms for report in warm]).median,
                    row.batch_p50_ms if row else None,
                ),
                init_ms=(Samples(inits).median if inits else None, row.init_ms if row else None),
                peak_mb=(max(report.used_mb for report in of_size), row.peak_mb if row else None),
            )
        )
    return differences


def sentence(differences: Sequence[Difference]) -> str:
    """Return the factor between this machine and Lambda as sentences."""
    factors = [one.factor for one in differences if one.factor]
    missing = [f"{one.memory_mb:,}" for one in differences if not one.factor]
    parts = []
    if factors:
        median = Samples(factors).median
        parts.append(f"Lambda takes {median:.2f} times as long as it does here: multiply times and GB-seconds by it.")
        if len(factors) > 1:
            parts.append(f"By size, {min(factors):.2f} to {max(factors):.2f} times.")
    if missing:
        parts.append(f"There are no times to compare at {', '.join(missing)} MB: name these by --sizes.")
    parts.append("Durations are per batch: compare them only if Lambda's batches are as large, with similar pictures.")
    return " ".join(parts)
