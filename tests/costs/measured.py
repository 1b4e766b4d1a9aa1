"""Results of a memory benchmark with round figures, for the estimate's tests."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

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

FUNCTIONS = ("convert", "resize", "metadata")


def row(function: str, memory_mb: int = 1024, **changes: Any) -> MeasuredTimes:
    """Return a row of 100 ms per picture and 10 ms per megapixel, in batches of ten."""
    times = {"fixed_ms": 100.0, "ms_per_megapixel": 10.0, "batch_size": 10, "init_ms": 1000.0}
    return MeasuredTimes(**{"function": function, "memory_mb": memory_mb, "verdict": "ok", **times, **changes})


def durations(*rows: MeasuredTimes) -> Durations:
    """Return the durations of these rows, or of one row per function."""
    return Durations(architecture="x86_64", rows=rows or [row(function) for function in FUNCTIONS])


def written(folder: Path, *rows: MeasuredTimes) -> Path:
    """Write rows in the benchmark's format, and return the file."""
    found, file = durations(*rows), folder / "memory.json"
    file.write_text(json.dumps({**asdict(found), "machine": {}}))
    return file


def estimate(workload: Workload | None = None, **settings: Any) -> Estimate:
    """Return the estimate for a thousand pictures in full batches, with 1,024 MB for every function."""
    memory = dict.fromkeys(("format_conversion_memory_mb", "resizing_memory_mb", "metadata_extraction_memory_mb"), 1024)
    config = StackConfig(**{**memory, "publisher_memory_mb": 1024, **settings})
    return Estimate(
        config=config,
        workload=workload or full_batches(),
        durations=durations(),
        publisher=durations(row("publish", fixed_ms=40.0, ms_per_megapixel=0.0, batch_size=1)),
        encodings=ENCODINGS,
    )


def full_batches(**changes: Any) -> Workload:
    """Return a workload of a thousand pictures of ten megapixels each, in batches of ten."""
    plain = {"images": 1000, "megapixels": 10, "upload_mb": 3, "per_batch": 10, "publisher_ms": 50, "cold_starts": 0}
    return Workload(**{**plain, **changes})
