"""How many bytes of logs one picture causes; a test compares them with what the functions print."""

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


def publisher_bytes(*, system_logs: bool = True) -> int:
    """Return the bytes that one upload adds to the publisher's log."""
    return _invocation_bytes(system_logs=system_logs) + JOB_BYTES


def worker_bytes(per_batch: float, *, system_logs: bool = True) -> float:
    """Return the bytes that one picture of a batch adds to a worker's log."""
    return PICTURE_BYTES + (_invocation_bytes(system_logs=system_logs) + BATCH_BYTES) / per_batch


def _invocation_bytes(*, system_logs: bool) -> int:
    """Return what Lambda itself prints; at level WARN, nothing for an invocation that succeeds."""
    return INVOCATION_BYTES if system_logs else 0
