"""What a format or another quality costs and saves: Lambda time, requests and storage against bytes sent."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from components import prices
from costs.console import print_numbers
from costs.encodings import Encoding
from costs.estimate import GB, Estimate

WEB_QUALITY, FULL_QUALITY = 82, 100
"""JPEG qualities to compare: one for web pages, and the default."""

CANDIDATES = {"webp": 80, "avif": 60}
"""What a stack without further formats could make."""


@dataclass(frozen=True, kw_only=True)
class FormatPrice:
    """A further format beside the stack's JPEGs, or JPEGs of another quality instead of them; US dollars a month.

    `ms` is what the resizer is billed for its files of one picture, `kb` their size; `made` says whether the stack
    makes them. What is added to the month's work and to each month of keeping is below 0 where it is saved, and so is
    `view`: what sending every size of every picture once costs more than the stack's JPEGs do.
    """

    name: str
    made: bool
    instead: bool
    ms: float
    kb: float
    compute: float
    requests: float
    keeping: float
    view: float

    @property
    def break_even_views(self) -> float | None:
        """Views of each picture a month from which the format saves money; None if it never does."""
        spent = self.compute + self.requests + self.keeping
        return max(0.0, spent) / -self.view if self.view < 0 else None

    def sentence(self) -> str:
        """Return it as a sentence."""
        what = f"{self.name} instead of the stack's JPEGs" if self.instead else f"{self.name} beside JPEG"
        dollars = {"Lambda": self.compute, "requests": self.requests, "storage in each month": self.keeping}
        spent = ", ".join(f"{_more(value)} for {name}" for name, value in dollars.items() if value)
        views = self.break_even_views
        pays = (
            "" if self.instead or views is None else f"; it saves money from {views:,.1f} views of each picture a month"
        )
        sent = f"{_more(self.view)} for sending all sizes of all pictures once"
        return f"{what}, in US dollars: {spent}, {sent}{pays}."

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {**asdict(self), "break_even_views": self.break_even_views}


def format_prices(estimate: Estimate) -> list[FormatPrice]:
    """Return the prices of the stack's further formats, or of possible ones, and of another JPEG quality.

    Raises: DurationsError.
    """
    config, encodings = estimate.config, estimate.encodings
    jpeg = encodings.of("jpeg", config.jpeg_quality)
    formats, made = config.output_formats or CANDIDATES, bool(config.output_formats)
    other = FULL_QUALITY if config.jpeg_quality <= WEB_QUALITY else WEB_QUALITY
    return [
        *(_price(estimate, encodings.of(*one), jpeg, made=made) for one in formats.items()),
        _price(estimate, encodings.of("jpeg", other), jpeg, made=False),
    ]


def print_formats(console: Console, found: Iterable[FormatPrice]) -> None:
    """Print what further formats and another quality cost and save, compared with the stack's JPEGs."""
    rows = []
    for one in found:
        what = "instead" if one.instead else "made" if one.made else "not made"
        added = (f"{value:+,.2f}" for value in (one.compute, one.requests, one.keeping, one.view))
        views = "" if one.instead or one.break_even_views is None else f"{one.break_even_views:,.1f}"
        rows.append((f"{one.name}, {what}", f"{one.ms:,.1f}", f"{one.kb:,.0f}", *added, views))
    dollars = ("Lambda", "requests", "storage", "sending every size")
    columns = ("format", "ms a picture", "KB a picture", *dollars, "break-even views")
    title = "Formats: what is added to the bill with the stack's JPEGs, US dollars a month"
    print_numbers(console, columns, rows, title=title)


def _price(estimate: Estimate, one: Encoding, jpeg: Encoding, *, made: bool) -> FormatPrice:
    images, pixels = estimate.workload.images, estimate.output_pixels
    instead = one.format == "jpeg"
    own_ms, jpeg_ms = (estimate.encoding_ms(found.ms_per_megapixel * pixels / 1e6) for found in (one, jpeg))
    own_gb, jpeg_gb = (images * pixels * found.bytes_per_pixel / GB for found in (one, jpeg))
    files = 0 if instead else len(estimate.config.sizes)
    return FormatPrice(
        name=one.name,
        made=made,
        instead=instead,
        ms=own_ms,
        kb=pixels * one.bytes_per_pixel / 1000,
        compute=images * estimate.resizing_dollars(own_ms - jpeg_ms if instead else own_ms),
        requests=images * files * prices.S3_PUT,
        keeping=(own_gb - jpeg_gb if instead else own_gb) * prices.S3_GB_MONTH,
        view=(own_gb - jpeg_gb) * prices.TRANSFER_GB,
    )


def _more(dollars: float) -> str:
    return f"{abs(dollars):,.2f} {'less' if dollars < 0 else 'more'}"
