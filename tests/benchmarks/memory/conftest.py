"""Made-up rows and batches, for the tests of what is reported about them."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmarks.batch_worker import Figures, Image
from benchmarks.memory.advice import advise
from benchmarks.memory.report import MemoryReport
from benchmarks.memory.rows import Measurement
from benchmarks.photos import drawn


def row(memory_mb: int, **facts: Any) -> Measurement:
    """Return the row of a size that works, changed by `facts`."""
    cost = facts.get("cost_per_million", 2.0) or 0.0
    well: dict[str, Any] = {
        "function": "resize",
        "memory_mb": memory_mb,
        "vcpus": memory_mb / 1769,
        "how": "measured",
        "verdict": "ok",
        "why": "",
        "init_ms": 250.0,
        "batch_p50_ms": 1000.0,
        "batch_p99_ms": 1500.0,
        "peak_mb": 200.0,
        "headroom_percent": 100.0,
        "cost_per_million": cost,
        "cost_low": 0.99 * cost,
        "cost_high": 1.01 * cost,
        "images": 80,
        "batch_size": 10,
        "image_ms_percentiles": {},
        "largest_megapixels": {},
    }
    assert facts.keys() <= {field.name for field in fields(Measurement)}
    return Measurement(**{**well, **facts})


def report_of(rows: Sequence[Measurement], **changes: Any) -> MemoryReport:
    """Return the report of a resizer's rows, changed by `changes`."""
    plain: dict[str, Any] = {
        "title": "Memory",
        "question": "is it <right>?",
        "architecture": "x86_64",
        "rows": rows,
        "advice": {"resize": advise(rows, 60)},
        "boundaries": {},
        "notes": ["a note"],
        "machine": {"processor": "this"},
    }
    return MemoryReport(**{**plain, **changes})


def figures(wall_s: float, cpu_s: float, keys: list[str]) -> Figures:
    """Return the figures of a batch in which each image took half of the time."""
    images = tuple(Image(key=key, outcome="written", error="", duration_ms=500 * wall_s) for key in keys)
    return Figures(wall_s=wall_s, cpu_s=cpu_s, peak_mb=100, failed=0, images=images)


def pictures(folder: Path) -> Path:
    """Return a new folder with four small pictures."""
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.jpg").write_bytes(drawn((320, 240)))
    return folder
