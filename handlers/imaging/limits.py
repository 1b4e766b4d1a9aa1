"""The limits of a picture, and the memory that it needs; all are checked before a pixel is decoded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from handlers.errors import ImageTooLargeError

MAX_SIDE_PX = 65_500
"""The longest side of a JPEG. Source: libjpeg's JPEG_MAX_DIMENSION."""

MEGABYTE = 1024 * 1024
MEMORY_SHARE = 0.9
"""The share of a function's memory that is used; the rest is for the runtime."""

BASE_MB = 120
"""Interpreter, boto3, Pillow: 60 MB, of which a child process may copy nearly all."""

BYTES_PER_PIXEL = 14
"""The peak of the most expensive pictures in convert and resize; see docs/imaging.md for the measurement."""

RASTER_BYTES_PER_PIXEL, OUTPUT_BYTES_PER_PIXEL = 4, 8
"""Bytes of the master's pixels while outputs are made, and of an output's: resampled, turned, encoded."""

FILE_COPIES = 2
"""Copies of the file in memory at the same time: as it was fetched, and for the decoder or the output."""


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits for one picture; the stack's config has the first five by their camelCase names.

    `memory_mb` is the function's memory, which is the limit if fewer pixels than `max_pixels` fit into it. The checks
    raise ImageTooLargeError, whose message names limit, value and setting.
    """

    max_pixels: int = 64_000_000
    max_bytes: int = 50_000_000
    max_scans: int = 100
    max_segments: int = 512
    max_frames: int = 10_000
    max_side: int = MAX_SIDE_PX
    memory_mb: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "memory_mb" and value is None:
                continue
            if not is_whole(value) or value < 1:
                raise ValueError(f"expected {field.name} as a whole number of at least 1, got {value!r}")

    @classmethod
    def for_memory(cls, memory_mb: int, **overrides: int) -> Self:
        """Make limits for a function of `memory_mb` MB."""
        return cls(**{"memory_mb": memory_mb, **overrides})

    def check_file(self, size_bytes: int) -> None:
        """Refuse a file that is too long."""
        if size_bytes > self.max_bytes:
            raise ImageTooLargeError(
                f"expected a file of at most {self.max_bytes:,} bytes (maxBytes), got {size_bytes:,}: upload a smaller "
                "file or raise maxBytes"
            )

    def check_canvas(
        self, width: int, height: int, file_bytes: int = 0, bytes_per_pixel: int = BYTES_PER_PIXEL
    ) -> None:
        """Refuse a picture of width x height pixels that is over a limit; `bytes_per_pixel` is its format's peak."""
        longest = max(width, height)
        if longest > self.max_side:
            raise ImageTooLargeError(
                f"expected no side longer than {self.max_side:,} pixels, the most that a JPEG holds, got {width:,} x "
                f"{height:,}: upload a smaller picture"
            )
        pixels = width * height
        if pixels > self.max_pixels:
            raise ImageTooLargeError(
                f"expected at most {self.max_pixels:,} pixels (maxPixels), got {width:,} x {height:,} = {pixels:,}: "
                "upload a smaller picture or raise maxPixels"
            )
        if self.memory_mb is None:
            return
        most = pixels_that_fit(self.memory_mb, file_bytes, bytes_per_pixel)
        if pixels > most:
            raise ImageTooLargeError(
                f"expected at most {most:,} pixels, as many as the function's {self.memory_mb:,} MB of memory hold "
                f"(maxPixels is {self.max_pixels:,}), got {width:,} x {height:,} = {pixels:,}: upload a smaller "
                "picture or raise the function's memory"
            )

    def check_outputs(
        self, sizes: Mapping[str, tuple[int, int]], pixels: int, file_bytes: int, encoder_bytes: int
    ) -> None:
        """Refuse outputs, (width, height) by name, that do not fit into memory beside a master of that many pixels.

        `encoder_bytes` is what encoders of further formats need in addition.
        """
        if self.memory_mb is None:
            return
        output_pixels = area(sizes.values())
        need = bytes_needed(pixels, output_pixels, encoder_bytes) + FILE_COPIES * file_bytes
        if need > capacity_bytes(self.memory_mb):
            raise ImageTooLargeError(
                f"expected outputs that fit into {capacity_bytes(self.memory_mb):,} bytes of the function's "
                f"{self.memory_mb:,} MB of memory, got {output_pixels:,} pixels that take {need:,}: upload a picture "
                "that is less tall, change sizes, or raise the function's memory"
            )

    def check_scans(self, scans: int) -> None:
        """Refuse a JPEG with too many scans."""
        if scans > self.max_scans:
            raise ImageTooLargeError(
                f"expected a JPEG of at most {self.max_scans:,} scans (maxScans), got {scans:,} or more: save it again "
                "or raise maxScans"
            )

    def check_segments(self, segments: int, what: str) -> None:
        """Refuse a file with too many segments or chunks."""
        if segments > self.max_segments:
            raise ImageTooLargeError(
                f"expected at most {self.max_segments:,} {what} (maxSegments), got {segments:,} or more: save the file "
                "again without metadata or raise maxSegments"
            )


def area(sizes: Iterable[tuple[int, int]]) -> int:
    """Return the total number of pixels of pictures of these (width, height)."""
    return sum(width * height for width, height in sizes)


def bytes_needed(
    pixels: int, output_pixels: int = 0, encoder_bytes: int = 0, bytes_per_pixel: int = BYTES_PER_PIXEL
) -> int:
    """Return the peak memory, in bytes, that a master of `pixels` needs to become outputs of `output_pixels` in all.

    Decoding takes `bytes_per_pixel`; during encoding, only the master's pixels are left.
    """
    encoding = RASTER_BYTES_PER_PIXEL * pixels + OUTPUT_BYTES_PER_PIXEL * output_pixels + encoder_bytes
    return max(bytes_per_pixel * pixels, encoding)


def pixels_that_fit(memory_mb: int, file_bytes: int = 0, bytes_per_pixel: int = BYTES_PER_PIXEL) -> int:
    """Return how many pixels fit into `memory_mb` MB beside a file of `file_bytes`; at least 1."""
    free = capacity_bytes(memory_mb) - FILE_COPIES * file_bytes
    return max(1, free // bytes_per_pixel)


def capacity_bytes(memory_mb: int) -> int:
    """Return the bytes for pictures and their files in a function of `memory_mb` MB."""
    return max(1, int(MEMORY_SHARE * memory_mb - BASE_MB) * MEGABYTE)
