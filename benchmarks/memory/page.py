"""The memory report's page: chart, recommendations, and each function's table and link."""

from collections.abc import Sequence

from benchmarks.memory.report import MemoryReport
from benchmarks.memory.rows import Measurement
from benchmarks.page import Page, PageTable

COLUMNS = {
    "MB": "memory_mb",
    "vCPU": "vcpus",
    "how": "how",
    "init ms": "init_ms",
    "p50": "p50_ms",
    "p95": "p95_ms",
    "p99": "p99_ms",
    "batch p50": "batch_p50_ms",
    "batch p95": "batch_p95_ms",
    "batch p99": "batch_p99_ms",
    "billed": "billed_ms_per_image",
    "peak MB": "peak_mb",
    "room %": "headroom_percent",
    "$/million": "cost_per_million",
}


def page(report: MemoryReport) -> Page:
    """Return the page of a report."""
    links = report.links()
    tables = [
        PageTable(
            heading=function,
            columns=[*COLUMNS, "verdict"],
            rows=[_cells(row) for row in report.of(function)],
            bad=[number for number, row in enumerate(report.of(function)) if row.verdict != "ok"],
            link=links.get(function, ""),
            link_text="as aws-lambda-power-tuning shows it",
        )
        for function in report.advice
    ]
    return Page(
        title=report.title,
        question=report.question,
        chart=lambda: _chart(report),
        chart_shows="cost, batch and image times against memory",
        tables=[*tables, _capacity(report.rows)],
        notes=report.lines(),
        machine=report.machine,
    )


def _chart(report: MemoryReport) -> bytes:
    from benchmarks.memory.plot import plot  # noqa: PLC0415 matplotlib takes a second

    return plot(report)


def _cells(row: Measurement) -> list[str]:
    """Return a row's cells, the verdict last."""
    values = [getattr(row, name) for name in COLUMNS.values()]
    texts = ["" if value is None else f"{value:,.1f}" if isinstance(value, float) else str(value) for value in values]
    texts[1] = f"{row.vcpus:.2f}"
    if row.cost_per_million is not None:
        interval = "" if row.cost_low is None else f" ({row.cost_low:,.2f} to {row.cost_high:,.2f})"
        texts[-1] = f"{row.cost_per_million:,.2f}{interval}"
    return [*texts, row.verdict]


def _capacity(rows: Sequence[Measurement]) -> PageTable:
    """Return the largest picture that each size holds, by class; it is the same for all functions that decode."""
    held = {row.memory_mb: row.largest_megapixels for row in rows if row.largest_megapixels}
    kinds = list(dict.fromkeys(kind for largest in held.values() for kind in largest))
    return PageTable(
        heading="Largest picture that a size holds, megapixels by class",
        columns=["MB", *kinds],
        rows=[[f"{size:,}", *(f"{largest[kind]:.1f}" for kind in kinds)] for size, largest in held.items()],
    )
