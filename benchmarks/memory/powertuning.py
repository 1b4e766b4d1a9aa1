"""The link to aws-lambda-power-tuning's chart of a function's sizes, which contains all the data."""

import base64
import struct
from collections.abc import Sequence

from benchmarks.memory.rows import Measurement

PAGE = "https://lambda-power-tuning.show/"


def url(rows: Sequence[Measurement]) -> str:
    """Return the link for one function's sizes: MB, mean milliseconds and US dollars of an invocation.

    Source: aws-lambda-power-tuning, `lambda/utils.js`, buildVisualizationURL: base64 of little-endian Int16, Float32
    and Float32, semicolons between.
    """
    shown = sorted((row for row in rows if row.invocation_ms is not None), key=lambda row: row.memory_mb)
    columns = (
        ("h", [row.memory_mb for row in shown]),
        ("f", [row.invocation_ms for row in shown]),
        ("f", [row.invocation_cost for row in shown]),
    )
    return f"{PAGE}#{';'.join(_encoded(kind, values) for kind, values in columns)}"


def _encoded(kind: str, values: Sequence[object]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}{kind}", *values)).decode("ascii")
