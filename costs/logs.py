"""How many bytes of logs one picture causes; a test compares them with what the functions print."""

from components.config import StackConfig

# What Lambda itself prints for an invocation, log format Text.
# Source: Lambda's developer guide, "Viewing CloudWatch logs for Lambda functions".
_ID = "8f507cfc-0000-4697-b07a-ac58fc914c95"
_LAMBDA = (
    f"START RequestId: {_ID} Version: $LATEST\n"
    f"END RequestId: {_ID}\n"
    f"REPORT RequestId: {_ID}\tDuration: 123.45 ms\tBilled Duration: 124 ms\t"
    "Memory Size: 1769 MB\tMax Memory Used: 250 MB\t\n"
)
INVOCATION_BYTES = len(_LAMBDA)

# What the functions print, a JSON line each: for a job published, for a picture, and for a batch its metrics.
JOB_BYTES = 250
PICTURE_BYTES = 390
BATCH_BYTES = 300


def publisher_bytes(config: StackConfig) -> int:
    """Return the bytes that one upload adds to the publisher's log."""
    return _invocation_bytes(config) + _line_bytes(config, JOB_BYTES)


def worker_bytes(config: StackConfig, per_batch: float) -> float:
    """Return the bytes that one picture of a batch adds to a worker's log."""
    return _line_bytes(config, PICTURE_BYTES) + (_invocation_bytes(config) + BATCH_BYTES) / per_batch


def _line_bytes(config: StackConfig, info_bytes: int) -> int:
    """Return what a line of level INFO adds: nothing at level WARNING."""
    return 0 if config.log_level == "WARNING" else info_bytes


def _invocation_bytes(config: StackConfig) -> int:
    """Return what Lambda itself prints; at level WARN, nothing for an invocation that succeeds."""
    return INVOCATION_BYTES if config.system_logs else 0
