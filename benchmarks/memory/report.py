"""All results of a run, as JSON and CSV have them."""

import base64
import csv
import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

import msgspec

from benchmarks.memory.advice import CHOICES, Advice
from benchmarks.memory.boundary import Boundary
from benchmarks.memory.rows import Measurement
from components.config import DEFAULT_INPUTS, StackConfig

POWER_TUNING = "https://lambda-power-tuning.show/"
NOT_IN_CSV = {"image_ms_percentiles", "largest_megapixels"}


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
    sizes: Mapping[str, int | str] = field(default_factory=lambda: StackConfig().sizes)
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
        links = {function: power_tuning_url(self.of(function)) for function in self.advice}
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


def as_csv(rows: Sequence[Measurement]) -> str:
    """Return the rows as CSV."""
    names = [column.name for column in fields(Measurement) if column.name not in NOT_IN_CSV]
    file = io.StringIO()
    writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return file.getvalue()


def power_tuning_url(rows: Sequence[Measurement]) -> str:
    """Return the link to aws-lambda-power-tuning's chart of one function's sizes, which contains all the data.

    That is MB, mean milliseconds and US dollars of an invocation.
    Source: aws-lambda-power-tuning, `lambda/utils.js`, buildVisualizationURL: base64 of little-endian Int16, Float32
    and Float32, semicolons between.
    """
    shown = sorted((row for row in rows if row.invocation_ms is not None), key=lambda row: row.memory_mb)
    columns = (
        ("h", [row.memory_mb for row in shown]),
        ("f", [row.invocation_ms for row in shown]),
        ("f", [row.invocation_cost for row in shown]),
    )
    return f"{POWER_TUNING}#{';'.join(_encoded(kind, values) for kind, values in columns)}"


def _encoded(kind: str, values: Sequence[object]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}{kind}", *values)).decode("ascii")
