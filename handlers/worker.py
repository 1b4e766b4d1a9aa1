"""One batch in, one partial-batch response out: what becomes of each message, and why.

The image's fault is written down and the message is done; our fault or the world's leaves the message in
its queue. One bad record never costs another: a record that is delivered again runs in a child process.
Records delivered for the first time run side by side, within the memory that the function has.
"""

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import budget, clients, storage
from handlers import master as masters
from handlers.errors import InvalidJobError, PixelCascadeError, RejectedImageError
from handlers.imaging.memory import capacity_bytes
from handlers.isolation import run_isolated
from handlers.job import Job
from handlers.master import Master, MasterGoneError
from handlers.pipeline import Pipeline
from handlers.settings import Settings

# Kept back at a batch's end: to write the response, and to kill a child that overstays.
RESERVE_S = 2.0
# A record that is started with less could only be cut off.
SHORTEST_RECORD_S = 3.0

NAMESPACE = "PixelCascade"

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


class DeadlineError(PixelCascadeError):
    """The function's time-out is too near to start another record."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a message: `written`, `superseded`, `gone`, `rejected` or `refused`, and what is worth a log."""

    name: str
    details: Mapping[str, Any]


Work = Callable[[Master, Settings], Mapping[str, Any]]
"""What one branch does with a master: write its outputs, return what is worth a log.

`written` among it tells whether a newer master was there first."""


def process(event: dict[str, Any], context: LambdaContext, work: Work, *, whole: bool = True) -> Mapping[str, Any]:
    """Do `work` for each job of an SQS batch; return the ids of the messages to deliver again.

    Masters are fetched `whole`, or by ranges as far as the work reads.
    """
    batch = _Batch(
        context=context,
        settings=Settings.from_environment(),
        work=work,
        whole=whole,
        waiting=itertools.count(len(event["Records"]) - 1, -1),
    )
    # Before any fork: a child finds loaded what making its own client needs.
    clients.s3()
    processor = Pipeline(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    record_handler = functools.partial(_record, batch=batch)
    try:
        return process_partial_response(
            event=event, record_handler=record_handler, processor=processor, context=context
        )
    finally:
        # Here, for records run in threads, and what those print at once could be one line.
        for outcome, duration_ms in batch.ended:
            _count(outcome, duration_ms)
        metrics.flush_metrics()


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """What the records of a batch have in common; `waiting` counts those that are not yet started."""

    context: LambdaContext
    settings: Settings
    work: Work
    whole: bool
    waiting: Iterator[int]
    ended: list[tuple[Outcome, float]] = field(default_factory=list)


def _record(record: SQSRecord, *, batch: _Batch) -> None:
    """See one message to its end and log it; whatever this raises leaves the message in its queue."""
    started = time.monotonic()
    behind = next(batch.waiting)
    deliveries = int(record.attributes.approximate_receive_count)
    line = {"message_id": record.message_id, "deliveries": deliveries}
    try:
        left_s = batch.context.get_remaining_time_in_millis() / 1000 - RESERVE_S
        if left_s < SHORTEST_RECORD_S:
            raise DeadlineError(f"{left_s:.1f} s are left, {SHORTEST_RECORD_S} are needed to start a record")
        see = functools.partial(_see_to, record, batch)
        # One that stalled before may stall again, and so may others behind it: each gets its share of the time that
        # is left. The quick ones are done with less, so that the next delivery of a slow one shares with few.
        wall_s = max(SHORTEST_RECORD_S, left_s / (behind + 1))
        memory_mb = batch.settings.memory_mb
        outcome = see() if deliveries <= 1 else run_isolated(see, wall_s=wall_s, memory_mb=memory_mb)
    except Exception as error:
        duration_ms = _since_ms(started)
        logger.exception("retry", extra={**line, "error": type(error).__name__, "duration_ms": duration_ms})
        batch.ended.append((Outcome(name="retry", details={}), duration_ms))
        raise
    duration_ms = _since_ms(started)
    logger.info(outcome.name, extra={**line, **outcome.details, "duration_ms": duration_ms})
    batch.ended.append((outcome, duration_ms))


def _see_to(record: SQSRecord, batch: _Batch) -> Outcome:
    """Do one message's job, or write down why it cannot be done."""
    settings = batch.settings
    try:
        job = _trusted(Job.from_json(record.body), settings)
    except InvalidJobError as error:
        key = settings.layout.refused_key(record.message_id, settings.branch)
        storage.write_refusal(settings.bucket, key, _reason(error, settings, body=record.body))
        return Outcome(name="refused", details=_why(error))
    try:
        master = masters.fetch(job) if batch.whole else masters.fetch_header(job)
    except MasterGoneError:
        return Outcome(name="gone", details={"key": job.key})
    try:
        with budget.of_function(capacity_bytes(settings.memory_mb)).picture() as place:
            details = batch.work(replace(master, admit=place.take, leave=place.leave), settings)
    except RejectedImageError as error:
        key = settings.layout.rejected_key(job.key, settings.branch)
        written = storage.write_rejection(master, key, _reason(error, settings, bucket=job.bucket, key=job.key))
        return Outcome(name="rejected" if written else "superseded", details={"key": job.key, **_why(error)})
    finally:
        master.body.close()
    return Outcome(name="written" if details["written"] else "superseded", details={"key": job.key, **details})


def _trusted(job: Job, settings: Settings) -> Job:
    """Return the job if it is this stack's own: anyone may have sent it."""
    if job.bucket != settings.bucket:
        raise InvalidJobError(f"got bucket {job.bucket!r}, allowed is this stack's, {settings.bucket!r}")
    settings.layout.path(job.key)
    return job


def _reason(error: PixelCascadeError, settings: Settings, **fields: str) -> dict[str, str]:
    return {
        **fields,
        "branch": settings.branch,
        "error": type(error).__name__,
        "message": str(error),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _why(error: PixelCascadeError) -> dict[str, str]:
    """Return a reason for the log, in which `message` is the line's own and no extra may have that name."""
    return {"error": type(error).__name__, "reason": str(error)}


def _count(outcome: Outcome, duration_ms: float) -> None:
    """Count an image; a rejected one also by its reason."""
    if outcome.name == "retry":
        metrics.add_metric(name="RetriedImage", unit=MetricUnit.Count, value=1)
        return
    metrics.add_metric(name="ImageDuration", unit=MetricUnit.Milliseconds, value=duration_ms)
    rejected = outcome.name in {"rejected", "refused"}
    metrics.add_metric(name="RejectedImage", unit=MetricUnit.Count, value=int(rejected))
    if rejected:
        reason = {"reason": outcome.details["error"]}
        with single_metric(
            name="RejectedImage", unit=MetricUnit.Count, value=1, namespace=NAMESPACE, default_dimensions=reason
        ) as metric:
            metric.add_dimension("service", metrics.service)


def _since_ms(started: float) -> float:
    return round(1000 * (time.monotonic() - started), 1)
