"""Results of a memory benchmark with round figures, for the estimate's tests."""

import importlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.branches import BRANCHES, ImageBranch
from components.config import StackConfig
from costs.durations import Durations, MeasuredTimes
from costs.encodings import Encoding, Encodings
from costs.estimate import Estimate
from costs.workload import Workload

ENCODINGS = Encodings(
    rows=[
        Encoding(format=name, quality=quality, ms_per_megapixel=ms, bytes_per_pixel=size)
        for name, quality, ms, size in (
            ("jpeg", 82, 3.0, 0.2),
            ("jpeg", 100, 5.0, 0.9),
            ("webp", 80, 70.0, 0.1),
            ("avif", 60, 160.0, 0.1),
        )
    ]
)
"""Made-up, round results of the formats benchmark."""

MEMORY: dict[str, Any] = {row.memory: 1024 for row in BRANCHES if isinstance(row.memory, str)}
"""1,024 MB for every branch whose memory is a setting."""


def row(function: str, memory_mb: int = 1024, **changes: Any) -> MeasuredTimes:
    """Return a row of 100 ms per picture and 10 ms per megapixel, in batches of ten."""
    times = {"fixed_ms": 100.0, "ms_per_megapixel": 10.0, "batch_size": 10, "init_ms": 1000.0}
    return MeasuredTimes(**{"function": function, "memory_mb": memory_mb, "verdict": "ok", **times, **changes})


def durations(*rows: MeasuredTimes) -> Durations:
    """Return the durations of these rows, or of one row per function at its memory in `estimate`."""
    return Durations(architecture="x86_64", rows=rows or at_memory_of(StackConfig(**MEMORY)))


def at_memory_of(config: StackConfig) -> list[MeasuredTimes]:
    """Return one row per function, at the memory that a stack gives it."""
    return [row(branch.task, branch.memory_mb(config)) for branch in BRANCHES]


def benchmark_file(folder: Path, *rows: MeasuredTimes) -> Path:
    """Write rows in the benchmark's format, and return the file."""
    found, file = durations(*rows), folder / "memory.json"
    file.write_text(json.dumps({**asdict(found), "machine": {}}))
    return file


def estimate(workload: Workload | None = None, **settings: Any) -> Estimate:
    """Return the estimate for a thousand pictures in full batches, with 1,024 MB wherever memory is a setting."""
    config = StackConfig(**{**MEMORY, "publisher_memory_mb": 1024, **settings})
    return Estimate(
        config=config,
        workload=workload or full_batches(),
        durations=durations(),
        publisher=durations(row("publish", fixed_ms=40.0, ms_per_megapixel=0.0, batch_size=1)),
        encodings=ENCODINGS,
    )


def handler_of(branch: ImageBranch) -> Callable[..., Any]:
    """Return the entry point of a branch's function."""
    module, _, name = branch.handler.rpartition(".")
    handler: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return handler


def full_batches(**changes: Any) -> Workload:
    """Return a workload of a thousand pictures of ten megapixels each, in batches of ten."""
    plain = {"images": 1000, "megapixels": 10, "upload_mb": 3, "per_batch": 10, "publisher_ms": 50, "cold_starts": 0}
    return Workload(**{**plain, **changes})
