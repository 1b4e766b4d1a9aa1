"""How messages reach a branch's function: defaults, and the rules of SQS and Lambda that a queue must keep.

Source: Lambda's developer guide, "Using Lambda with Amazon SQS", queue configuration.
"""

DEFAULT_BATCH_SIZE = 10
DEFAULT_MAX_CONCURRENCY = 10
DEFAULT_MAX_RECEIVES = 5
MAX_BATCH_WITHOUT_WINDOW = 10  # Source: Lambda's API reference, CreateEventSourceMapping.
VISIBILITY_PER_TIMEOUT = 6


def visibility_timeout_s(timeout_s: int, batch_window_s: int) -> int:
    """Return for how many seconds a queue hides a received message: six time-outs and the batch window."""
    return VISIBILITY_PER_TIMEOUT * timeout_s + batch_window_s
