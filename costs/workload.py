"""What a month of uploads consists of, and the assumptions about it."""

from dataclasses import dataclass
from typing import NamedTuple

HOURS = 730  # Of a month, as AWS's own calculators count it.
MONTH_S = HOURS * 3600

BYTES_PER_PIXEL = 0.3
"""Of an upload where its size is not given: the median of the 24 photographs of docs/performance.md."""

CALL_MS = 30.0
"""Until S3 or DynamoDB answers a call, as in `python -m benchmarks batch`."""

COLD_STARTS = 0.01
"""Share of invocations that find no warm function. Source: Lambda's operator guide, "Cold starts and latency"."""


class Assumption(NamedTuple):
    """Something that the estimate assumes; `why` also says how to change it."""

    what: str
    value: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A month's uploads: how many there are, their megapixels and megabytes (10^6), and how many are in one batch.

    `publisher_ms` is what the publisher is billed for one, None for what was measured.
    """

    images: float
    megapixels: float
    upload_mb: float
    per_batch: float = 1
    publisher_ms: float | None = None
    call_ms: float = CALL_MS
    cold_starts: float = COLD_STARTS

    @property
    def per_second(self) -> float:
        """Uploads a second, evenly spread over the month."""
        return self.images / MONTH_S

    def assumptions(self) -> list[Assumption]:
        """Return the assumptions about the uploads."""
        size, batch = f"{self.upload_mb:,.2f} MB", f"{self.per_batch:g}"
        median = f"{BYTES_PER_PIXEL} bytes a pixel unless --mb is given, the median of 24 camera photographs"
        return [
            Assumption("an upload", size, median),
            Assumption(
                "messages in one batch", batch, "--per-batch; 1 is the most expensive, as when uploads come one by one"
            ),
            Assumption(
                "a call of S3", f"{self.call_ms:g} ms", "--call-ms; a picture alone in its batch waits for all of them"
            ),
            Assumption("cold starts", f"{self.cold_starts:.1%} of invocations", "--cold-starts; AWS says under 1 %"),
        ]
