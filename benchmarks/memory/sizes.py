"""What Lambda gives a function at each memory size, the largest picture that it holds, and what it charges."""

import math
from collections.abc import Mapping

from components.config import MB_PER_VCPU
from components.prices import LAMBDA_GB_SECOND, LAMBDA_REQUEST
from handlers.imaging.limits import BYTES_PER_PIXEL, FILE_COPIES, capacity_bytes, pixels_that_fit

DEFAULT = (128, 256, 512, 885, 1024, 1536, 1769, 3008, 3538, 5307, 7076, 10_240)
SMALLEST_MB, LARGEST_MB = 128, 10_240
MOST_VCPUS = 6

# From this many MB on, a function sees this many cores; within its share of CPU it may use all of them in turn.
# Source: measured by others, as in https://stackoverflow.com/q/66522916; AWS documents only the share.
CORES_FROM_MB = {0: 2, 3009: 3, 5308: 4, 7077: 5, 8846: 6}

MILLION = 1_000_000


def vcpus(memory_mb: int) -> float:
    """Return the share of CPU, in cores."""
    return min(memory_mb / MB_PER_VCPU, MOST_VCPUS)


def cores_seen(memory_mb: int) -> int:
    """Return how many cores the function sees."""
    return max(cores for start_mb, cores in CORES_FROM_MB.items() if memory_mb >= start_mb)


def largest_pixels(memory_mb: int, bytes_per_pixel: float = 0.0) -> int:
    """Return the most pixels of a picture, given its file's bytes per pixel."""
    pixels = int(capacity_bytes(memory_mb) / (BYTES_PER_PIXEL + FILE_COPIES * bytes_per_pixel))
    while pixels > pixels_that_fit(memory_mb, int(pixels * bytes_per_pixel)):
        pixels -= 1
    return pixels


def largest_megapixels(memory_mb: int, bytes_per_pixel: Mapping[str, float], max_pixels: int) -> dict[str, float]:
    """Return it in millions of pixels by class of pictures, at most the stack's maxPixels."""
    return {
        kind: min(largest_pixels(memory_mb, density), max_pixels) // 100_000 / 10
        for kind, density in bytes_per_pixel.items()
    }


def billed_ms(wall_s: float) -> int:
    """Return the billed milliseconds of one invocation, rounded up.

    Source: Lambda's price list, read in January 2025.
    """
    return math.ceil(round(1000 * wall_s, 6))


def time_cost(wall_s: float, memory_mb: int, architecture: str) -> float:
    """Return the US dollars of some time: its GB-seconds."""
    return billed_ms(wall_s) / 1000 * memory_mb / 1024 * LAMBDA_GB_SECOND[architecture]


def invocation_cost(wall_s: float, memory_mb: int, architecture: str) -> float:
    """Return the US dollars of one warm invocation: its time and the request."""
    return time_cost(wall_s, memory_mb, architecture) + LAMBDA_REQUEST
