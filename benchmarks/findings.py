"""A benchmark's findings: a row for each contestant, as a report and as JSON."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from benchmarks.measuring import Samples, machine
from benchmarks.options import html_option, json_option
from benchmarks.page import Page, PageTable


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table; `facts` are further columns."""

    name: str
    samples: Samples
    facts: dict[str, Any] = field(default_factory=dict)

    def cells(self) -> dict[str, str]:
        """Return the line's cells by column."""
        return {
            "what": self.name,
            "median": f"{self.samples.median:,.2f} {self.samples.unit}",
            "quartiles": self.samples.quartiles,
            **{name: f"{value:,.2f}" if isinstance(value, float) else str(value) for name, value in self.facts.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The answer to one question."""

    title: str
    question: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()

    def show(self, json_file: Path | None, html_file: Path | None) -> None:
        """Print the table, and write the chosen files; the plot is a PNG beside the page."""
        lines = [row.cells() for row in self.rows]
        columns = list(dict.fromkeys(name for line in lines for name in line))
        page = Page(
            title=self.title,
            question=self.question,
            chart=self._chart,
            chart_shows="medians and quartiles",
            tables=[PageTable(columns=columns, rows=[[line.get(name, "") for name in columns] for line in lines])],
            notes=self.notes,
            machine=machine(),
        )
        page.show(self._plain(), json_file, html_file)

    def _plain(self) -> dict[str, Any]:
        rows = [
            {
                "name": row.name,
                "unit": row.samples.unit,
                "runs": len(row.samples.values),
                "median": row.samples.median,
                "quartiles": row.samples.spread,
                "values": list(row.samples.values),
                **row.facts,
            }
            for row in self.rows
        ]
        return {**asdict(self), "rows": rows, "machine": machine()}

    def _chart(self) -> bytes:
        from benchmarks.charts import bars  # noqa: PLC0415 matplotlib takes a second and 40 MB

        return bars({row.name: row.samples for row in self.rows})


def findings_command(measure: Callable[..., Findings]) -> click.Command:
    """Make a command of a function that returns its findings: they are printed, and written as its options say."""

    @html_option
    @json_option
    @click.command()
    @functools.wraps(measure)
    def command(*, json_file: Path | None, html_file: Path | None, **options: Any) -> None:
        measure(**options).show(json_file, html_file)

    return command
