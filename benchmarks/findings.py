"""A benchmark's findings as a table, JSON, a plot, and a self-contained HTML page."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.measuring import Samples, machine
from benchmarks.page import Page, PageTable
from costs.console import wide_console


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
        console = wide_console()
        columns, rows = self._table()
        table = Table(*columns, title=f"{self.title}: {self.question}", title_justify="left")
        for row in rows:
            table.add_row(*row)
        console.print(table)
        for note in [*self.notes, ", ".join(f"{name} {value}" for name, value in machine().items())]:
            console.print(note)
        if json_file:
            json_file.write_text(json.dumps(self._plain(), indent=1) + "\n", encoding="utf-8")
        if html_file:
            self._page().write(html_file)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        lines = [row.cells() for row in self.rows]
        columns = list(dict.fromkeys(name for line in lines for name in line))
        return columns, [[line.get(name, "") for name in columns] for line in lines]

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

    def _page(self) -> Page:
        from benchmarks.charts import bars  # noqa: PLC0415 matplotlib takes a second and 40 MB

        columns, rows = self._table()
        return Page(
            title=self.title,
            question=self.question,
            chart=bars({row.name: row.samples for row in self.rows}),
            chart_shows="medians and quartiles",
            tables=[PageTable(columns=columns, rows=rows)],
            notes=self.notes,
            machine=machine(),
        )
