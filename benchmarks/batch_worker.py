"""`python -m benchmarks.batch_worker JSON`: one warm worker's batch on given cores; prints its figures as JSON."""

import importlib
import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

BUCKET = "images"
SETTLED_RUNS = 1


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one batch took."""

    wall_s: float
    cpu_s: float
    cores: int
    peak_mb: float


class Context:
    """A function's context with a minute left."""

    function_name = "measured"

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000


def event(keys: list[str]) -> dict[str, Any]:
    """Return a batch of first deliveries."""
    return {
        "Records": [
            {
                "messageId": key,
                "receiptHandle": "none",
                "body": json.dumps({"bucket": BUCKET, "key": f"master/{key}"}),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for key in keys
        ]
    }


def measure(worker: str, keys: list[str], cores: list[int], memory_mb: int) -> Figures:
    """Run the batch once to warm up, and once for the figures."""
    from components.config import StackConfig  # noqa: PLC0415 - not for who imports Figures
    from components.image_worker import picture_environment  # noqa: PLC0415

    os.sched_setaffinity(0, cores)
    told = {"BUCKET": BUCKET, "BRANCH": "measured", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)}
    os.environ.update({**picture_environment(StackConfig()), **told})
    handler = importlib.import_module(f"handlers.{worker}").handler
    for _ in range(SETTLED_RUNS):
        handler(event(keys), Context())
    wall, cpu = time.perf_counter(), time.process_time()
    response = handler(event(keys), Context())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if response != {"batchItemFailures": []}:
        raise SystemExit(f"got {response}, allowed is a batch without failures")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figures(wall_s=wall, cpu_s=cpu, cores=len(cores), peak_mb=peak_mb)


if __name__ == "__main__":
    print("\n" + json.dumps(asdict(measure(**json.loads(sys.argv[1])))))
