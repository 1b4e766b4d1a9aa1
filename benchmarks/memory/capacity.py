"""The largest picture that a memory size holds, by the rules in `handlers.imaging.limits`."""

from collections.abc import Mapping

from handlers.imaging.limits import BYTES_PER_PIXEL, FILE_COPIES, capacity_bytes, pixels_that_fit


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
