"""What encoding costs in each format and quality, as `python -m benchmarks formats` measured it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.config import StackConfig
from costs.durations import Durations, DurationsError
from handlers.imaging.frames import Box

MEASURED = Path(__file__).parent.parent / "benchmarks" / "measured" / "formats.json"
COMMAND = "python -m benchmarks formats --images DIR --json FILE"

HEIGHT_BY_WIDTH = 0.8
"""The mean of the 24 photographs of docs/performance.md."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """One format at one quality: milliseconds of one core, and bytes of the file, per pixel.

    A row that compares efforts has no format.
    """

    format: str = ""
    quality: int = 0
    ms_per_megapixel: float
    bytes_per_pixel: float

    @property
    def name(self) -> str:
        """Its name in a stack's settings, such as `webp=80`."""
        return f"{self.format}={self.quality}"


@dataclass(frozen=True, kw_only=True)
class Encodings:
    """The encodings that were measured."""

    rows: Sequence[Encoding]

    def of(self, name: str, quality: int) -> Encoding:
        """Return the encoding of a format that was measured at the nearest quality.

        Raises: DurationsError, if the format was not measured.
        """
        rows = [row for row in self.rows if row.format == name]
        if not rows:
            raise DurationsError(f"expected a benchmark of all formats, got one without {name}: run `{COMMAND}` again")
        return min(rows, key=lambda row: abs(row.quality - quality))

    def made(self, settings: StackConfig | Durations) -> list[Encoding]:
        """Return the encodings of all formats of a stack."""
        return [self.of(*one) for one in {"jpeg": settings.jpeg_quality, **settings.output_formats}.items()]


def pixels(sizes: Mapping[str, int | str]) -> float:
    """Return the pixels of all sizes of a picture, as a stack's config has them."""
    return sum(map(_pixels, sizes.values()))


def _pixels(size: int | str) -> float:
    if isinstance(size, int):
        return size * size * HEIGHT_BY_WIDTH
    box = Box.parse(size)
    return _pixels(min(box.width, round(box.height / HEIGHT_BY_WIDTH))) if box.inside else box.width * box.height
