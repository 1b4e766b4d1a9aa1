"""What the reference set-up would cost on the same workload, as far as it is known.

PixelCascade began as it: made by hand, S3 -> function -> SNS -> three queues -> three functions in Go, each of which
downloads the whole picture.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from components import prices
from components.branches import BRANCHES
from costs import logs
from costs.bill import Bill, Line
from costs.calls import PRICES, UPLOAD, message_lines
from costs.durations import Durations
from costs.estimate import GB, IDLE_POLLS, LOGS_COMPRESSED, STACK
from costs.workload import Assumption, Workload

# Measured on one core, on photographs of 6.5 megapixels, with the code that it uses: Go's image/jpeg and Lanczos-3.
MEASURED_MEGAPIXELS = 6.5
MEASURED_MS = {"convert": 483.0, "resize": 1123.0, "metadata": 0.0}

MEMORY_MB = {"publish": 256, "convert": 1769, "resize": 1769, "metadata": 256}
TASKS = {UPLOAD: "publish", **{row.name: row.task for row in BRANCHES if row.task in MEMORY_MB}}
SIZES = 3
CALLS_IN_A_ROW = {row.name: 2 if row.records else 1 + min(row.files_of(SIZES), 2) for row in BRANCHES}
OWN_LOG_BYTES = 100

PUBLISHER_MS = 40.0
"""Milliseconds billed for one upload: one call of SNS by a warm function; assumed, not measured."""


@dataclass(frozen=True, kw_only=True)
class ReferenceSetup:
    """The set-up under a workload. Unknown values are taken from PixelCascade's measurements."""

    workload: Workload
    durations: Durations

    def billed_ms(self, part: str) -> float:
        """Return the milliseconds that a part's function is billed for one picture.

        Raises: DurationsError.
        """
        if part == UPLOAD:
            return PUBLISHER_MS
        task = TASKS[part]
        measured = self.durations.of(task, MEMORY_MB[task])
        own = dataclasses.replace(measured, ms_per_megapixel=MEASURED_MS[task] / MEASURED_MEGAPIXELS)
        wait_ms = self.workload.call_ms * CALLS_IN_A_ROW[part]
        return own.billed_ms(self.workload.megapixels, wait_ms=wait_ms, per_batch=self.workload.per_batch)

    def bill(self, keeping: Iterable[Line]) -> Bill:
        """Return the month's bill. `keeping` has the storage of a stack's results; its logs are kept for ever."""
        logged = list(self._log_lines())
        results = [line for line in keeping if line.part in TASKS and line.part != UPLOAD]
        kept_gb = LOGS_COMPRESSED * sum(line.count for line in logged)
        return Bill(
            work=[*self._function_lines(), *self._request_lines(), *logged],
            keeping=[*results, Line(part=STACK, count=kept_gb, price=prices.LOGS_GB_MONTH)],
        )

    def _function_lines(self) -> Iterator[Line]:
        for part in TASKS:
            gb_seconds = MEMORY_MB[TASKS[part]] / 1024 * self.billed_ms(part) / 1000
            yield Line(part=part, count=self.workload.images * gb_seconds, price=prices.LAMBDA_GB_SECOND["x86_64"])

    def _request_lines(self) -> Iterator[Line]:
        images = self.workload.images
        yield Line(part=UPLOAD, count=images, price=prices.LAMBDA_REQUEST)
        for part, operations in _calls().items():
            for operation, count in operations.items():
                yield Line(part=part, count=images * count, price=PRICES[operation])
        yield from (line for line in message_lines(images, self.workload.per_batch) if line.part in TASKS)
        yield Line(part=STACK, count=(len(TASKS) - 1) * IDLE_POLLS, price=prices.SQS_REQUEST)

    def _log_lines(self) -> Iterator[Line]:
        for part in TASKS:
            per_batch = 1 if part == UPLOAD else self.workload.per_batch
            each = OWN_LOG_BYTES + logs.INVOCATION_BYTES / per_batch
            yield Line(part=part, count=self.workload.images * each / GB, price=prices.LOGS_GB)

    def assumptions(self) -> list[Assumption]:
        """Return the assumptions about the set-up. In doubt, they make it cheaper."""
        memory = ", ".join(f"{task} {memory_mb} MB" for task, memory_mb in MEMORY_MB.items())
        convert, resize = (f"{MEASURED_MS[task]:,g} ms" for task in ("convert", "resize"))
        measured = (
            f"one core, {MEASURED_MEGAPIXELS} megapixels, growing with them; else as PixelCascade's, no cold start"
        )
        return [
            Assumption("the reference set-up's time", f"{convert} to convert, {resize} to resize", measured),
            Assumption("its metadata worker", "the fixed time", "what decoding takes there was not measured apart"),
            Assumption("its memory", memory, "not known; 1,769 MB is one core"),
            Assumption("its outputs and sizes", "as large as PixelCascade's", "not known; it makes three sizes"),
            Assumption("its watching", "no alarm, metric, dashboard", "logs are kept for ever, as Lambda makes them"),
            Assumption("its own log", f"{OWN_LOG_BYTES} bytes a picture", "not known"),
        ]


def _calls() -> Mapping[str, Mapping[str, float]]:
    """Return how often each operation is called for one picture, by part: no record, no event."""
    found: dict[str, Mapping[str, float]] = {UPLOAD: {"PublishBatch": 1}}
    for row in BRANCHES:
        if row.name in TASKS:
            written = {"PutItem": 1} if row.records else {"PutObject": row.files_of(SIZES)}
            found[row.name] = {"GetObject": 1, **written}
    return found
