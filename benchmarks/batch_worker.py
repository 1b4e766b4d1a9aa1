"""`python -m benchmarks.batch_worker MODULE CORE...`: one function, as Lambda keeps it; started by `worker_process`.

It imports the function and says so in a line, then answers each line of keys with a line of figures, all as JSON. The
function is configured by its environment, so that nothing is imported here that Lambda would not import.
"""

import importlib
import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

BUCKET = "images"


@dataclass(frozen=True, kw_only=True)
class Image:
    """The outcome of one message: as the worker logs it, the name of an error, and the time."""

    key: str
    outcome: str
    error: str
    duration_ms: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one batch; `peak_mb` is the process's peak so far, `failed` the number of failed messages."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    failed: int
    images: tuple[Image, ...]


class Context:
    """A function's context, whose time runs out."""

    function_name = "measured"

    def __init__(self, timeout_s: float) -> None:
        self._deadline = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the time-out."""
        return max(0, int(1000 * (self._deadline - time.monotonic())))


def event(keys: list[str]) -> dict[str, Any]:
    """Return a batch of first deliveries."""
    return {
        "Records": [
            {
                "messageId": key,
                "receiptHandle": "none",
                "body": json.dumps({"bucket": BUCKET, "key": f"master/{key}", "etag": "measured", "generation": 1}),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for key in keys
        ]
    }


def uploads(keys: list[str]) -> dict[str, Any]:
    """Return S3's event of uploads."""
    return {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": f"master/{key}"}}} for key in keys]}


EVENTS = {"handlers.job_publisher": uploads}
"""The event of a function, by its module; the others take batches."""


def measure(handler: Callable[..., Any], batch: dict[str, Any], timeout_s: float, log: io.StringIO) -> Figures:
    """Run one invocation; `log` is where the function logs to, and is emptied."""
    context = Context(timeout_s)
    wall, cpu = time.perf_counter(), time.process_time()
    response = handler(batch, context)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    lines = log.getvalue().splitlines()
    log.seek(0)
    log.truncate()
    return Figures(
        wall_s=wall,
        cpu_s=cpu,
        peak_mb=process_mb("VmHWM"),
        failed=len(response["batchItemFailures"]) if response else 0,
        images=tuple(_images(lines)),
    )


def _images(lines: list[str]) -> list[Image]:
    """Read the worker's log: one line of JSON for each message, with its id, and other lines."""
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    return [
        Image(
            key=entry["message_id"],
            outcome=entry["message"],
            error=entry.get("error", ""),
            duration_ms=entry["duration_ms"],
        )
        for entry in entries
        if "message_id" in entry
    ]


def process_mb(name: str) -> float:
    """Return a line of the process's status in megabytes: `VmRSS` is its memory, `VmHWM` the peak.

    Source: proc(5). The peak that getrusage(2) returns may be the parent's, from before the program was started.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def serve(module: str, cores: list[int]) -> None:
    """Run the function until the input ends."""
    os.sched_setaffinity(0, cores)
    answers, sys.stdout = sys.stdout, io.StringIO()
    handler = importlib.import_module(module).handler
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        batch = EVENTS.get(module, event)(asked["keys"])
        figures = measure(handler, batch, asked["timeout_s"], log=sys.stdout)
        print(json.dumps(asdict(figures)), file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], [int(core) for core in sys.argv[2:]])
