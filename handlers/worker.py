"""One batch in, one partial-batch response out: what becomes of each message, and why.

The way of a picture is a line: fetch -> open (header, limits) -> room in memory -> work -> write -> settle. The image's
fault is written down and the message is done; any other failure leaves the message in its queue. One bad record never
costs another: the work on a record that is delivered again, or whose format is guarded, runs in a child process.
"""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import budget, clients, imaging, life, metrics, retries, start, storage
from handlers import master as masters
from handlers.errors import InvalidJobError, PixelCascadeError, RejectedImageError
from handlers.imaging import Picture
from handlers.imaging.limits import FILE_COPIES, capacity_bytes
from handlers.isolation import run_isolated
from handlers.job import Job, Layout
from handlers.marks import Mark
from handlers.master import Master, MasterGoneError
from handlers.output import Output
from handlers.pipeline import Pipeline, runs_isolated
from handlers.record import MAX_MESSAGE, Outcome
from handlers.settings import Settings
from handlers.stack import check_bucket

# Kept back at a batch's end: to write the response, and to kill a child that runs over its time.
RESERVE_S = 2.0
# A record that is started with less would only be cut off.
SHORTEST_RECORD_S = 3.0
# With less, a call of SQS could still be under way at the time-out, and the whole batch would fail.
SHORTEST_CALL_S = 1.0

logger = Logger()


class DeadlineError(PixelCascadeError):
    """The function's time-out is too near to start another record."""


class GuardedFormatError(PixelCascadeError):
    """The picture is in a format that only a child process decodes."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one branch does with a picture.

    `run` returns what to write; `bytes_needed` how much memory that takes beside the file, 0 where nothing is decoded.
    Masters are fetched `whole`, or by ranges as far as `run` reads. `files` returns the prefix of the branch's files
    of a master, `table` the name of the table of its items; None where it writes none.
    """

    run: Callable[[Picture, Master, Settings], Output]
    bytes_needed: Callable[[Picture, Settings], int]
    whole: bool = True
    files: Callable[[Layout, str], str] | None = None
    table: Callable[[], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the work on a picture came to: its outcome for the record, None where the record decides."""

    name: Literal["written", "rejected", "superseded", "gone"]
    details: Mapping[str, Any]
    outcome: Outcome | None = None
    message: str = ""


def process(event: dict[str, Any], context: LambdaContext, work: Work) -> Mapping[str, Any]:
    """Do `work` for each job of an SQS batch; return the ids of the messages to deliver again."""
    batch = _Batch(
        context=context,
        settings=Settings.from_environment(),
        work=work,
        alone=len(event["Records"]) == 1,
        waiting={record["messageId"] for record in event["Records"]},
        cold_start=start.described(),
    )
    # Before any fork, so that a child need not load what its own client needs, nor a format's module.
    imaging.load_formats(batch.settings.input_formats)
    clients.s3()
    clients.dynamodb()
    processor = Pipeline(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    processor.guarded = batch.guarded
    record_handler = functools.partial(_record, batch=batch)
    try:
        return process_partial_response(
            event=event, record_handler=record_handler, processor=processor, context=context
        )
    finally:
        # Here, because records run in threads, whose lines could be printed as one.
        metrics.count(batch.ended)
        _schedule_retries(batch)


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """What the records of a batch have in common.

    `waiting` are the messages' ids of those not yet started, `guarded` of those that need a child process. A record
    that is `alone` decodes its picture while it arrives; others have the processor decode meanwhile.
    """

    context: LambdaContext
    settings: Settings
    work: Work
    alone: bool
    waiting: set[str]
    cold_start: Mapping[str, bool]
    guarded: set[str] = field(default_factory=set)
    ended: list[metrics.Ended] = field(default_factory=list)
    retry_delays_s: dict[str, int] = field(default_factory=dict)


def _record(record: SQSRecord, *, batch: _Batch) -> None:
    """Process one message and log it; any exception leaves the message in its queue."""
    started = time.monotonic()
    batch.waiting.discard(record.message_id)
    behind = len(batch.waiting)
    deliveries = int(record.attributes.approximate_receive_count)
    line = {"message_id": record.message_id, "deliveries": deliveries, **batch.cold_start}
    try:
        left_s = batch.context.get_remaining_time_in_millis() / 1000 - RESERVE_S
        if left_s < SHORTEST_RECORD_S:
            raise DeadlineError(f"expected {SHORTEST_RECORD_S} s to start a record, got {left_s:.1f} s")
        # A record that stalled before may stall again, and so may others behind it: each gets its share of the time
        # that is left. Quick ones take less, so that the next delivery of a slow one shares with few.
        wall_s = max(SHORTEST_RECORD_S, left_s / (behind + 1)) if runs_isolated(record, batch.guarded) else None
        name, details = _processed(record, batch, wall_s)
    except GuardedFormatError:
        batch.waiting.add(record.message_id)
        batch.guarded.add(record.message_id)
        return
    except Exception as error:
        duration_ms = _since_ms(started)
        logger.exception("retry", extra={**line, "error": type(error).__name__, "duration_ms": duration_ms})
        batch.ended.append(metrics.Ended(name="retry", duration_ms=duration_ms))
        # A record that was not started has not failed: it comes back at once.
        longest_s = batch.settings.visibility_timeout_s
        delay_s = 0 if isinstance(error, DeadlineError) else retries.delay_s(deliveries, longest_s)
        batch.retry_delays_s[record.receipt_handle] = delay_s
        raise
    duration_ms = _since_ms(started)
    logger.info(name, extra={**line, **details, "duration_ms": duration_ms})
    batch.ended.append(metrics.Ended(name=name, duration_ms=duration_ms, error=details.get("error", "")))


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


def _processed(record: SQSRecord, batch: _Batch, wall_s: float | None) -> tuple[str, Mapping[str, Any]]:
    """Do one message's job, in a child process where it has a time limit; return what became of it, and details."""
    settings = batch.settings
    try:
        job = _trusted(Job.from_json(record.body), settings)
    except InvalidJobError as error:
        key = settings.layout.refused_key(record.message_id, settings.branch)
        reason = storage.reason_of(settings.branch, type(error).__name__, str(error), body=record.body)
        storage.write_refusal(clients.s3(), settings.bucket, key, reason)
        return "refused", _why(error, str(error))
    details = {"key": job.key}
    if job.branches and settings.branch not in job.branches:
        return "kept", details
    if job.generation is None:
        adopted = life.adopted(job, settings)
        if adopted is None:
            return "reconciled", details
        job = adopted
    branch = _branch(job, batch.work, settings)
    if job.deleted:
        return "deleted", {**details, "outputs": branch.delete()}
    work = functools.partial(_worked, job, batch.work, settings, early=batch.alone, isolated=wall_s is not None)
    result = work() if wall_s is None else run_isolated(work, wall_s=wall_s, memory_mb=settings.memory_mb)
    return _settled(result, branch), {**details, "generation": job.generation, **result.details}


def _branch(job: Job, work: Work, settings: Settings) -> life.Settlement:
    return life.Settlement(
        settings=settings,
        job=job,
        files=work.files(settings.layout, job.key) if work.files else None,
        table=work.table() if work.table else None,
    )


def _worked(job: Job, work: Work, settings: Settings, *, early: bool, isolated: bool) -> Result:
    """Fetch a job's master, do the branch's work on it, and write what it made.

    Raises: GuardedFormatError, where only isolated work may decode the picture.
    """
    try:
        master = masters.fetch(job) if work.whole else masters.fetch_header(job)
    except MasterGoneError:
        return Result(name="gone", details={})
    except RejectedImageError as error:
        return _rejected(error)
    try:
        output = _output(master, work, settings, early=early, isolated=isolated)
        mark = Mark(key=job.key, etag=master.etag, generation=job.generation or 0, recipe=settings.recipe)
        outcome = output.write(mark, settings)
    except RejectedImageError as error:
        return _rejected(error)
    finally:
        master.body.close()
    details = {"bytes_in": master.size_bytes, **output.details}
    if outcome is None:
        return Result(name="superseded", details=details)
    return Result(name="written", details={**details, "bytes_out": outcome.bytes_out}, outcome=outcome)


def _rejected(error: RejectedImageError) -> Result:
    """Return the result of a master that is rejected; a child process sends it as it is."""
    message = str(error)
    return Result(
        name="rejected",
        details=_why(error, message),
        outcome=Outcome(state="rejected", error=type(error).__name__, message=message[:MAX_MESSAGE]),
        message=message,
    )


def _settled(result: Result, branch: life.Settlement) -> str:
    """Write a result into the picture's record; return what became of the message."""
    if result.name == "gone":
        branch.clean_up_now()
    if result.outcome is None:
        return result.name
    if result.name == "rejected" and not branch.reject(result.outcome.error, result.message):
        return "superseded"
    return result.name if branch.settle(result.outcome) else "superseded"


def _output(master: Master, work: Work, settings: Settings, *, early: bool, isolated: bool) -> Output:
    """Open the picture, wait for room in memory, and do the branch's work.

    Raises: RejectedImageError; GuardedFormatError.
    """
    limits = settings.picture_limits
    limits.check_file(master.size_bytes)
    picture = imaging.open_picture(master.body, limits, early=early, formats=settings.input_formats)
    need_bytes = work.bytes_needed(picture, settings)
    if need_bytes and not isolated and picture.guarded:
        raise GuardedFormatError(f"expected a child process to decode a {picture.header.format}, got the worker's own")
    file_bytes = FILE_COPIES * master.size_bytes if need_bytes else 0
    with budget.of_function(capacity_bytes(settings.memory_mb)).room(need_bytes + file_bytes):
        return work.run(picture, master, settings)


def _trusted(job: Job, settings: Settings) -> Job:
    """Return the job if it is for this stack: anyone may have sent it."""
    check_bucket(job.bucket, settings.record)
    settings.layout.path(job.key)
    return job


def _why(error: PixelCascadeError, message: str) -> dict[str, str]:
    """Return a reason for the log, in which `message` is the line's own and no extra may have that name."""
    return {"error": type(error).__name__, "reason": message}


def _since_ms(started: float) -> float:
    return round(1000 * (time.monotonic() - started), 1)
