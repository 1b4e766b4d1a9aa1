"""How many pixels a function of a given memory holds."""

from collections.abc import Iterable

BASE_MB = 150
"""Interpreter, boto3, Pillow and the runtime, before the first picture."""

BYTES_PER_PIXEL = 16
"""Peak of the costliest way through convert and resize; see docs/imaging.md for the measurement."""

RASTER_BYTES_PER_PIXEL, OUTPUT_BYTES_PER_PIXEL = 4, 8
"""What stays of the master while outputs are made, and what these take: resampled, turned, encoded."""

FILE_COPIES = 3
"""How often the file's own bytes are in memory at once: as fetched, as cleaned, as encoded."""


def area(sizes: Iterable[tuple[int, int]]) -> int:
    """Return how many pixels pictures of such (width, height) have in all."""
    return sum(width * height for width, height in sizes)


def bytes_needed(pixels: int, output_pixels: int = 0) -> int:
    """Return the most bytes that a master of so many pixels takes on its way to outputs of so many in all."""
    return max(BYTES_PER_PIXEL * pixels, RASTER_BYTES_PER_PIXEL * pixels + OUTPUT_BYTES_PER_PIXEL * output_pixels)


def pixels_that_fit(memory_mb: int, file_bytes: int = 0) -> int:
    """Return the most pixels that `memory_mb` MB hold beside a file of `file_bytes`; at least 1."""
    free = capacity_bytes(memory_mb) - FILE_COPIES * file_bytes
    return max(1, free // BYTES_PER_PIXEL)


def capacity_bytes(memory_mb: int) -> int:
    """Return the bytes that a function of `memory_mb` MB has for pictures and their files."""
    return max(1, (memory_mb - BASE_MB) * 1024 * 1024)
