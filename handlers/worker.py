"""One batch in, one partial-batch response out: what becomes of each message, and why.

The way of a picture is a line: fetch -> open (header, limits) -> room in memory -> work -> write. The image's fault is
written down and the message is done; any other failure leaves the message in its queue. One bad record never costs
another: a record that is delivered again runs in a child process.
"""

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import budget, clients, imaging, retries, storage
from handlers import master as masters
from handlers.errors import InvalidJobError, MasterUnreadableError, PixelCascadeError, RejectedImageError
from handlers.imaging import Picture
from handlers.imaging.limits import FILE_COPIES, capacity_bytes
from handlers.isolation import run_isolated
from handlers.job import Job
from handlers.master import Master, MasterGoneError
from handlers.output import Output
from handlers.pipeline import Pipeline, runs_isolated
from handlers.settings import Settings

# Kept back at a batch's end: to write the response, and to kill a child that runs over its time.
RESERVE_S = 2.0
# A record that is started with less would only be cut off.
SHORTEST_RECORD_S = 3.0
# With less, a call of SQS could still be under way at the time-out, and the whole batch would fail.
SHORTEST_CALL_S = 1.0

NAMESPACE = "PixelCascade"

logger = Logger()
metrics = Metrics(namespace=NAMESPACE)


class DeadlineError(PixelCascadeError):
    """The function's time-out is too near to start another record."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a message: written, superseded, gone, rejected, refused or retry; and details for the log."""

    name: str
    details: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one branch does with a picture.

    `run` returns what to write; `bytes_needed` how much memory that takes beside the file, 0 where nothing is decoded.
    Masters are fetched `whole`, or by ranges as far as `run` reads.
    """

    run: Callable[[Picture, Master, Settings], Output]
    bytes_needed: Callable[[Picture, Settings], int]
    whole: bool = True


def process(event: dict[str, Any], context: LambdaContext, work: Work) -> Mapping[str, Any]:
    """Do `work` for each job of an SQS batch; return the ids of the messages to deliver again."""
    batch = _Batch(
        context=context,
        settings=Settings.from_environment(),
        work=work,
        waiting=itertools.count(len(event["Records"]) - 1, -1),
    )
    # Before any fork, so that a child need not load what its own client needs.
    clients.s3()
    processor = Pipeline(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    record_handler = functools.partial(_record, batch=batch)
    try:
        return process_partial_response(
            event=event, record_handler=record_handler, processor=processor, context=context
        )
    finally:
        # Here, because records run in threads, whose lines could be printed as one.
        for outcome, duration_ms in batch.ended:
            _count(outcome, duration_ms)
        metrics.flush_metrics()
        _schedule_retries(batch)


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """What the records of a batch have in common; `waiting` counts those that are not yet started."""

    context: LambdaContext
    settings: Settings
    work: Work
    waiting: Iterator[int]
    ended: list[tuple[Outcome, float]] = field(default_factory=list)
    retry_delays_s: dict[str, int] = field(default_factory=dict)


def _record(record: SQSRecord, *, batch: _Batch) -> None:
    """Process one message and log it; any exception leaves the message in its queue."""
    started = time.monotonic()
    behind = next(batch.waiting)
    deliveries = int(record.attributes.approximate_receive_count)
    line = {"message_id": record.message_id, "deliveries": deliveries}
    try:
        left_s = batch.context.get_remaining_time_in_millis() / 1000 - RESERVE_S
        if left_s < SHORTEST_RECORD_S:
            raise DeadlineError(f"expected {SHORTEST_RECORD_S} s to start a record, got {left_s:.1f} s")
        run = functools.partial(_outcome, record, batch)
        # A record that stalled before may stall again, and so may others behind it: each gets its share of the time
        # that is left. Quick ones take less, so that the next delivery of a slow one shares with few.
        wall_s = max(SHORTEST_RECORD_S, left_s / (behind + 1))
        memory_mb = batch.settings.memory_mb
        outcome = run_isolated(run, wall_s=wall_s, memory_mb=memory_mb) if runs_isolated(record) else run()
    except Exception as error:
        duration_ms = _since_ms(started)
        logger.exception("retry", extra={**line, "error": type(error).__name__, "duration_ms": duration_ms})
        batch.ended.append((Outcome(name="retry", details={}), duration_ms))
        # A record that was not started has not failed: it comes back at once.
        longest_s = batch.settings.visibility_timeout_s
        delay_s = 0 if isinstance(error, DeadlineError) else retries.delay_s(deliveries, longest_s)
        batch.retry_delays_s[record.receipt_handle] = delay_s
        raise
    duration_ms = _since_ms(started)
    logger.info(outcome.name, extra={**line, **outcome.details, "duration_ms": duration_ms})
    batch.ended.append((outcome, duration_ms))


def _schedule_retries(batch: _Batch) -> None:
    """Choose when failed messages come again; if SQS does not answer, the queue's visibility time-out decides."""
    if not batch.retry_delays_s or batch.context.get_remaining_time_in_millis() < 1000 * SHORTEST_CALL_S:
        return
    try:
        refused = retries.schedule(batch.settings.queue_url, batch.retry_delays_s)
    except Exception as error:  # noqa: BLE001 - a failure here must not fail the whole batch
        refused = [type(error).__name__]
    if refused:
        logger.warning("the retries were not scheduled", extra={"errors": sorted(set(refused))})


def _outcome(record: SQSRecord, batch: _Batch) -> Outcome:
    """Do one message's job, or write down why it cannot be done."""
    settings = batch.settings
    try:
        job = _trusted(Job.from_json(record.body), settings)
    except InvalidJobError as error:
        key = settings.layout.refused_key(record.message_id, settings.branch)
        storage.write_refusal(settings.bucket, key, _reason(error, settings, body=record.body))
        return Outcome(name="refused", details=_why(error))
    try:
        master = masters.fetch(job) if batch.work.whole else masters.fetch_header(job)
    except MasterGoneError:
        return Outcome(name="gone", details={"key": job.key})
    except MasterUnreadableError as error:
        return _rejected(masters.look(job), error, settings)
    try:
        output = _output(master, batch.work, settings)
        written = output.write(master, settings)
    except RejectedImageError as error:
        return _rejected(master, error, settings)
    finally:
        master.body.close()
    details = {"key": job.key, "bytes_in": master.size_bytes, **output.details}
    return Outcome(name="written" if written else "superseded", details=details)


def _rejected(master: Master, error: RejectedImageError, settings: Settings) -> Outcome:
    """Write down why a master is rejected, unless it was replaced since."""
    key = master.claim.key
    reason = _reason(error, settings, bucket=master.bucket, key=key)
    noted = storage.write_rejection(master, settings.layout.rejected_key(key, settings.branch), reason)
    return Outcome(name="rejected" if noted else "superseded", details={"key": key, **_why(error)})


def _output(master: Master, work: Work, settings: Settings) -> Output:
    """Open the picture, wait for room in memory, and do the branch's work.

    Raises: RejectedImageError.
    """
    limits = settings.picture_limits
    limits.check_file(master.size_bytes)
    picture = imaging.open_picture(master.body, limits)
    need_bytes = work.bytes_needed(picture, settings)
    file_bytes = FILE_COPIES * master.size_bytes if need_bytes else 0
    with budget.of_function(capacity_bytes(settings.memory_mb)).room(need_bytes + file_bytes):
        return work.run(picture, master, settings)


def _trusted(job: Job, settings: Settings) -> Job:
    """Return the job if it is for this stack: anyone may have sent it."""
    if job.bucket != settings.bucket:
        raise InvalidJobError(f"expected this stack's bucket {settings.bucket!r}, got {job.bucket!r}")
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
