"""The memory report as a page: chart, recommendations, and each function's table and link."""

from benchmarks.memory.plot import plot
from benchmarks.memory.report import COLUMNS, MemoryReport, cells
from benchmarks.page import Page, PageTable


def page(report: MemoryReport) -> Page:
    """Return the page of a report."""
    links = report.links()
    return Page(
        title=report.title,
        question=report.question,
        chart=plot(report),
        chart_shows="cost, batch and image times against memory",
        tables=[
            PageTable(
                heading=function,
                columns=[*COLUMNS, "verdict"],
                rows=[cells(row) for row in report.of(function)],
                bad=[number for number, row in enumerate(report.of(function)) if row.verdict != "ok"],
                link=links.get(function, ""),
                link_text="as aws-lambda-power-tuning shows it",
            )
            for function in report.advice
        ],
        notes=report.lines(),
        machine=report.machine,
    )
