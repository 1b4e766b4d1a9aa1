"""How many pixels a function of a given memory holds."""

BASE_MB = 150
"""Interpreter, boto3, Pillow and the runtime, before the first picture."""

BYTES_PER_PIXEL = 16
"""Peak of the costliest way through convert and resize; see docs/imaging.md for the measurement."""

FILE_COPIES = 3
"""How often the file's own bytes are in memory at once: as fetched, as cleaned, as encoded."""


def pixels_that_fit(memory_mb: int, file_bytes: int = 0) -> int:
    """Return the most pixels that `memory_mb` MB hold beside a file of `file_bytes`; at least 1."""
    free = capacity_bytes(memory_mb) - FILE_COPIES * file_bytes
    return max(1, free // BYTES_PER_PIXEL)


def capacity_bytes(memory_mb: int) -> int:
    """Return the bytes that a function of `memory_mb` MB has for pictures and their files."""
    return max(1, (memory_mb - BASE_MB) * 1024 * 1024)
