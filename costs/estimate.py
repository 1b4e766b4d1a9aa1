"""What a month of pictures costs with a stack's settings: functions, requests, logs, alarms and storage."""

from collections.abc import Iterator
from dataclasses import dataclass

from components import prices
from components.branches import BRANCHES, ImageBranch
from components.config import MB_PER_VCPU, StackConfig
from costs import logs
from costs.bill import Bill, Line
from costs.calls import (
    HEADER_GETS,
    ITEM_OVERHEAD_BYTES,
    UPLOAD,
    calls_in_a_row,
    ranges,
    record_bytes,
    request_lines,
)
from costs.durations import Duration, Durations
from costs.encodings import Encoding, Encodings, pixels
from costs.workload import HOURS, Workload

STACK = "stack"

# Metrics that the alarms look at; one on an expression of two is billed as two. What `components.watch` makes.
BRANCH_ALARM_METRICS, OTHER_ALARM_METRICS, RULE_ALARM_METRICS = 8, 8, 2
# ImageDuration and RejectedImage by service: what `handlers.worker` counts where nothing is rejected or tried again.
BRANCH_METRICS = 2

# Lambda polls a queue that is empty five times at once, 20 s each; fewer only without maximum concurrency.
# Source: Lambda's developer guide, "Configuring scaling behavior for SQS event source mappings".
IDLE_POLLS = 5 * 3 * 60 * HOURS

# AWS bills storage, logs and transfer by the binary gigabyte. Source: Amazon S3 FAQs, "Billing".
GB, MB = 2.0**30, 1e6
LOGS_COMPRESSED = 0.2
DAYS = HOURS / 24

ITEM_BYTES = 1023 + ITEM_OVERHEAD_BYTES
"""Of the metadata of one picture: the mean of the 24 photographs of docs/performance.md."""

BY_NAME = {row.name: row for row in BRANCHES}
RESIZING = next(row.name for row in BRANCHES if row.per_size)
PARTS = (UPLOAD, *BY_NAME)
PUBLISH = "publish"
"""What the publisher's benchmark calls it."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A stack's settings under a workload, with durations that were measured."""

    config: StackConfig
    workload: Workload
    durations: Durations
    publisher: Durations
    encodings: Encodings

    def memory_mb(self, part: str) -> int:
        """Return the memory of a part's function in MB."""
        return self.config.publisher_memory_mb if part == UPLOAD else BY_NAME[part].memory_mb(self.config)

    def duration(self, part: str) -> Duration:
        """Return what was measured of a part's function, nearest to its memory.

        Raises: DurationsError.
        """
        if part == UPLOAD:
            return self.publisher.of(PUBLISH, self.memory_mb(part))
        return self.durations.of(BY_NAME[part].task, self.memory_mb(part))

    def billed_ms(self, part: str) -> float:
        """Return the milliseconds that a part's function is billed for one picture."""
        wait_ms = self.workload.call_ms * calls_in_a_row(header_gets=self.header_gets)[part]
        if part == UPLOAD:
            return self.workload.publisher_ms or self.duration(part).fixed_ms + wait_ms
        measured_ms = self.duration(part).billed_ms(
            self.workload.megapixels, wait_ms=wait_ms, per_batch=self.workload.per_batch
        )
        return measured_ms + (self._formats_ms if BY_NAME[part].per_size else 0.0)

    @property
    def outputs(self) -> list[Encoding]:
        """The formats and qualities in which each size is made."""
        return self.encodings.made(self.config)

    @property
    def output_pixels(self) -> float:
        """Pixels of all sizes of a picture."""
        return pixels(self.config.sizes)

    @property
    def record_bytes(self) -> int:
        """Bytes that a picture's record is billed for while it is kept."""
        return record_bytes(self.config.sized_files) + ITEM_OVERHEAD_BYTES

    def encoding_ms(self, core_ms: float) -> float:
        """Return what the resizer is billed for milliseconds of one core, of which a function has its share."""
        return core_ms * max(1.0, MB_PER_VCPU / self.memory_mb(RESIZING))

    def resizing_dollars(self, billed_ms: float) -> float:
        """Return the US dollars of the resizer's milliseconds."""
        gb_seconds = self.memory_mb(RESIZING) / 1024 * billed_ms / 1000
        return gb_seconds * prices.LAMBDA_GB_SECOND[self.config.architecture]

    @property
    def _formats_ms(self) -> float:
        """Milliseconds that the stack's sizes and formats take beyond those that the resizer was measured with."""
        ours, theirs = (
            sum(one.ms_per_megapixel for one in self.encodings.made(settings)) * pixels(settings.sizes) / 1e6
            for settings in (self.config, self.durations)
        )
        return self.encoding_ms(ours - theirs)

    def cold_ms(self, part: str) -> float:
        """Return what cold starts add to a picture's milliseconds, on average.

        Source: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase, August 2025.
        """
        per_batch = 1 if part == UPLOAD else self.workload.per_batch
        return self.duration(part).init_ms * self.workload.cold_starts / per_batch

    @property
    def header_gets(self) -> float:
        """GETs of the metadata worker for one picture; a stack that salvages has it read the whole master."""
        return ranges(self.workload.upload_mb * MB) if self.config.salvage else HEADER_GETS

    def bill(self) -> Bill:
        """Return the month's bill."""
        work = [*self._function_lines(), *self._request_lines(), *self._log_lines(), *self._fixed_lines()]
        return Bill(work=work, keeping=list(self._keeping_lines()))

    def _function_lines(self) -> Iterator[Line]:
        price = prices.LAMBDA_GB_SECOND[self.config.architecture]
        for part in PARTS:
            gb_seconds = self.memory_mb(part) / 1024 * (self.billed_ms(part) + self.cold_ms(part)) / 1000
            yield Line(part=part, count=self.workload.images * gb_seconds, price=price)

    def _request_lines(self) -> Iterator[Line]:
        images = self.workload.images
        yield Line(part=UPLOAD, count=images, price=prices.LAMBDA_REQUEST)
        lines = request_lines(
            images, sizes=self.config.sized_files, per_batch=self.workload.per_batch, header_gets=self.header_gets
        )
        yield from (line for line in lines if self.config.events or line.price is not prices.EVENTS)
        # An existing bucket sends the events of all objects. Source: EventBridge's price page, "opt-in data events".
        if self.config.bucket:
            written = sum(row.files_of(self.config.sized_files) for row in BRANCHES)
            yield Line(part=UPLOAD, count=images * (1 + written), price=prices.EVENTS)

    def _log_lines(self) -> Iterator[Line]:
        kept_months = LOGS_COMPRESSED * self.config.log_retention_days / DAYS
        workers = logs.worker_bytes(self.config, self.workload.per_batch)
        for part in PARTS:
            each = logs.publisher_bytes(self.config) if part == UPLOAD else workers
            size_gb = self.workload.images * each / GB
            yield Line(part=part, count=size_gb, price=prices.LOGS_GB)
            yield Line(part=part, count=size_gb * kept_months, price=prices.LOGS_GB_MONTH)

    def _fixed_lines(self) -> Iterator[Line]:
        """Yield what the stack costs without any upload."""
        branches = len(BRANCHES)
        yield Line(part=STACK, count=branches * IDLE_POLLS, price=prices.SQS_REQUEST)
        yield Line(part=STACK, count=branches * BRANCH_METRICS, price=prices.METRIC_MONTH)
        alarms = branches * BRANCH_ALARM_METRICS + OTHER_ALARM_METRICS
        if self.config.events:  # One metric of each function: its events that were not sent.
            alarms += branches + 1
        if self.config.bucket:
            alarms += RULE_ALARM_METRICS
        yield Line(part=STACK, count=alarms, price=prices.ALARM_MONTH)
        yield Line(part=STACK, count=1, price=prices.DASHBOARD_MONTH)

    def _keeping_lines(self) -> Iterator[Line]:
        images = self.workload.images
        yield from self._table_lines(UPLOAD, images * self.record_bytes / GB)
        for row in BRANCHES:
            if row.key:
                yield Line(part=row.name, count=images * self._file_bytes(row) / GB, price=prices.S3_GB_MONTH)
            if row.records:
                yield from self._table_lines(row.name, images * ITEM_BYTES / GB)

    def _table_lines(self, part: str, size_gb: float) -> Iterator[Line]:
        """Yield what a table costs each month; `components.storage` lets protected ones recover."""
        yield Line(part=part, count=size_gb, price=prices.DYNAMODB_GB_MONTH)
        if self.config.protect_data:
            yield Line(part=part, count=size_gb, price=prices.DYNAMODB_BACKUP_GB_MONTH)

    def _file_bytes(self, row: ImageBranch) -> float:
        """Return the bytes of what a branch makes of one picture: its sizes, or one file as large as the upload."""
        if not row.per_size:
            return self.workload.upload_mb * MB
        return self.output_pixels * sum(one.bytes_per_pixel for one in self.outputs)
