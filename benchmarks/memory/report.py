"""The report as tables on the terminal, JSON, CSV, and a page with its plot."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import msgspec
from rich.table import Table

from benchmarks.memory.advice import CHOICES, Advice
from benchmarks.memory.boundary import Boundary
from benchmarks.memory.powertuning import url
from benchmarks.memory.rows import Measurement
from components.config import DEFAULT_INPUTS
from costs.console import wide_console

NOT_IN_CSV = {"image_ms_percentiles", "largest_megapixels"}
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
UNBROKEN = {"MB", "how", "p50", "p95", "p99", "batch p95", "batch p99", "$/million"}


@dataclass(frozen=True, kw_only=True)
class MemoryReport:
    """All results; mappings are keyed by the function's name."""

    title: str
    question: str
    architecture: str
    rows: Sequence[Measurement]
    advice: Mapping[str, Advice | None]
    boundaries: Mapping[str, Boundary]
    notes: Sequence[str]
    machine: Mapping[str, object]
    jpeg_quality: int = 100
    output_formats: Mapping[str, int] = field(default_factory=dict)
    input_formats: tuple[str, ...] = DEFAULT_INPUTS

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """Return the report that `plain` was made of.

        Raises: msgspec.ValidationError, if it was not made from a report of this version.
        """
        return msgspec.convert({**plain, "advice": plain.get("recommendations")}, cls)

    def of(self, function: str) -> list[Measurement]:
        """Return one function's rows."""
        return [row for row in self.rows if row.function == function]

    def links(self) -> dict[str, str]:
        """Return each function's link to aws-lambda-power-tuning's page."""
        links = {function: url(self.of(function)) for function in self.advice}
        return {function: link for function, link in links.items() if not link.endswith("#;;")}

    def lines(self) -> list[str]:
        """Return the sentences below the tables."""
        small = [
            f"{row.function}, {row.memory_mb:,} MB is too small: {row.why}." for row in self.rows if row.verdict != "ok"
        ]
        advised = [
            f"{function}, {choice}: {getattr(advice, choice).memory_mb:,} MB, {getattr(advice, choice).why}."
            for function, advice in self.advice.items()
            if advice
            for choice in CHOICES
        ]
        nothing = [
            f"{function}: none of these sizes is safe; add larger ones to --sizes or send smaller batches."
            for function, advice in self.advice.items()
            if not advice
        ]
        limits = [f"{one.sentence(function)}." for function, one in self.boundaries.items()]
        return [*small, *advised, *nothing, *limits, *self.notes]

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        plain: dict[str, Any] = asdict(self)
        for function, one in self.boundaries.items():
            plain["boundaries"][function]["holds"] = one.holds
        return {**plain, "recommendations": plain.pop("advice"), "power_tuning": self.links()}


def show(report: MemoryReport) -> None:
    """Print tables, recommendations and links."""
    console = wide_console()
    for function in report.advice:
        console.print(_table(report, function))
    console.print(_capacity(report.rows))
    for line in [*report.lines(), ", ".join(f"{name} {value}" for name, value in report.machine.items())]:
        console.print(line, highlight=False)
    for function, link in report.links().items():
        console.print(f"{function}: {link}", highlight=False, soft_wrap=True)


def write(report: MemoryReport, *, json_file: Path | None, csv_file: Path | None) -> None:
    """Write the files that the options name."""
    if json_file:
        json_file.write_text(json.dumps(report.plain(), indent=1) + "\n", encoding="utf-8")
    if csv_file:
        csv_file.write_text(_csv(report.rows), encoding="utf-8")


def cells(row: Measurement) -> list[str]:
    """Return a row's cells, the verdict last."""
    values = [getattr(row, name) for name in COLUMNS.values()]
    texts = ["" if value is None else f"{value:,.1f}" if isinstance(value, float) else str(value) for value in values]
    texts[1] = f"{row.vcpus:.2f}"
    if row.cost_per_million is not None:
        interval = "" if row.cost_low is None else f" ({row.cost_low:,.2f} to {row.cost_high:,.2f})"
        texts[-1] = f"{row.cost_per_million:,.2f}{interval}"
    return [*texts, row.verdict]


def _table(report: MemoryReport, function: str) -> Table:
    table = Table(title=f"{report.title}, {function}: {report.question}", title_justify="left")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "how" else "right", no_wrap=name in UNBROKEN)
    table.add_column("verdict", no_wrap=True)
    for row in report.of(function):
        table.add_row(*cells(row))
    return table


def _capacity(rows: Sequence[Measurement]) -> Table:
    """Return the largest picture that each size holds, by class; it is the same for all functions that decode."""
    held = {row.memory_mb: row.largest_megapixels for row in rows if row.largest_megapixels}
    kinds = list(dict.fromkeys(kind for largest in held.values() for kind in largest))
    table = Table("MB", *kinds, title="Largest picture that a size holds, megapixels by class", title_justify="left")
    for memory_mb, largest in held.items():
        table.add_row(f"{memory_mb:,}", *(f"{largest[kind]:.1f}" for kind in kinds))
    return table


def _csv(rows: Sequence[Measurement]) -> str:
    names = [column.name for column in fields(Measurement) if column.name not in NOT_IN_CSV]
    file = io.StringIO()
    writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return file.getvalue()
