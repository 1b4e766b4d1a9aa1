"""Process one batch and return a partial-batch response: which messages run in parallel, and which in a child process.

A batch's records run in parallel: while some wait for S3, others decode, so that every core is busy. A record that was
delivered before, or whose format is guarded, runs in a child process, so that it cannot crash the others.
"""

import functools
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import clients, imaging, metrics, retries, start
from handlers.budget import cores
from handlers.errors import PixelCascadeError
from handlers.settings import Settings
from handlers.work import GuardedFormatError, Work, process_message

# Reserved at the end of a batch, to write the response, and to kill a child that runs out of time.
RESERVE_S = 2.0
# With less time, a record would not end.
SHORTEST_RECORD_S = 3.0
# With less time, a call of SQS could still be in progress at the time-out, and the whole batch would fail.
SHORTEST_CALL_S = 1.0

THREADS_PER_CORE = 6
"""Enough to keep a core busy: a picture waits for S3 about twice as long as its decoding and encoding take."""

logger = Logger()


class DeadlineError(PixelCascadeError):
    """The function's time-out is too near to start another record."""


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
    # Before any fork, so that a child need not import these modules itself.
    imaging.load_formats(batch.settings.input_formats)
    clients.s3()
    clients.dynamodb()
    processor = Processor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    processor.guarded = batch.guarded
    record_handler = functools.partial(_record, batch=batch)
    try:
        return process_partial_response(
            event=event, record_handler=record_handler, processor=processor, context=context
        )
    finally:
        _schedule_retries(batch)
        # Not in the records' threads, because their lines could be mixed.
        metrics.count(batch.ended)


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """What the records of a batch have in common.

    `waiting` has the ids of the messages that have not started, `guarded` of those that need a child process. A record
    that is `alone` decodes its picture while it arrives; otherwise the processor has other pictures to decode.
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
    deliveries = _deliveries(record)
    line = {"message_id": record.message_id, "deliveries": deliveries, **batch.cold_start}
    try:
        left_s = batch.context.get_remaining_time_in_millis() / 1000 - RESERVE_S
        if left_s < SHORTEST_RECORD_S:
            raise DeadlineError(f"expected {SHORTEST_RECORD_S} s to start a record, got {left_s:.1f} s")
        # A record that stalled before may stall again, and so may those after it, so each gets an equal share of the
        # remaining time. Quick ones use less, which leaves more for the others.
        wall_s = max(SHORTEST_RECORD_S, left_s / (behind + 1)) if runs_isolated(record, batch.guarded) else None
        name, details = process_message(record, batch.work, batch.settings, early=batch.alone, wall_s=wall_s)
    except GuardedFormatError:
        batch.waiting.add(record.message_id)
        batch.guarded.add(record.message_id)
        return
    except Exception as error:
        duration_ms = _since_ms(started)
        logger.exception("retry", extra={**line, "error": type(error).__name__, "duration_ms": duration_ms})
        batch.ended.append(metrics.Ended(name="retry", duration_ms=duration_ms))
        # A record that was not started has not failed, so it is delivered again at once. It will run in a child
        # process, because SQS counts this delivery too.
        longest_s = batch.settings.visibility_timeout_s
        delay_s = 0 if isinstance(error, DeadlineError) else retries.delay_s(deliveries, longest_s)
        batch.retry_delays_s[record.receipt_handle] = delay_s
        raise
    duration_ms = _since_ms(started)
    logger.info(name, extra={**line, **details, "duration_ms": duration_ms})
    batch.ended.append(metrics.Ended(name=name, duration_ms=duration_ms, error=details.get("error", "")))


def _schedule_retries(batch: _Batch) -> None:
    """Schedule the retries of failed messages; if SQS does not answer, the queue's visibility time-out applies."""
    if not batch.retry_delays_s:  # As in most batches, whose pictures need nothing of `retries`.
        return

    def in_time() -> bool:
        return batch.context.get_remaining_time_in_millis() >= 1000 * SHORTEST_CALL_S

    try:
        refused = retries.schedule(batch.settings.queue_url, batch.retry_delays_s, in_time)
    except Exception as error:  # noqa: BLE001 - a failure here must not fail the whole batch
        refused = [type(error).__name__]
    if refused:
        logger.warning("the retries were not scheduled", extra={"errors": sorted(set(refused))})


def threads() -> int:
    """Return how many records may be in progress at once."""
    return THREADS_PER_CORE * cores()


def runs_isolated(record: SQSRecord, guarded: AbstractSet[str]) -> bool:
    """Return whether a record runs in a child process.

    It does if it was delivered before, because it may have crashed or stalled a worker, or if its message's id is in
    `guarded`. No other code may decide it, because a child must be forked while no other thread runs.
    """
    return _deliveries(record) > 1 or record.message_id in guarded


class Processor(BatchProcessor):
    """Runs isolated records first, one after the other, then the others in threads, then those that need a child.

    Isolated records with the most deliveries come first: if the time is too short for the batch, the others have more
    deliveries left.

    A fork copies only the thread that forks: a lock that another thread holds would stay locked in the child forever.
    So children are forked before any thread is started, or after all have ended. Whether a picture is guarded is known
    once its first bytes are there: the record handler then adds the message's id to `guarded` and returns, and the
    record is processed again.
    """

    guarded: AbstractSet[str] = frozenset()

    def process(self) -> list[tuple[Any, ...]]:
        """Process every record, and report failures in the batch's order."""
        isolated: list[Any] = []
        together: list[Any] = []
        for record in self.records:
            (isolated if runs_isolated(SQSRecord(record), self.guarded) else together).append(record)
        isolated.sort(key=lambda record: _deliveries(SQSRecord(record)), reverse=True)
        results = [self._process_record(record) for record in isolated]
        if len(together) > 1:
            with ThreadPoolExecutor(min(threads(), len(together)), "record") as pool:
                results += pool.map(self._process_record, together)
        else:
            results += map(self._process_record, together)
        results += [self._process_record(record) for record in together if record["messageId"] in self.guarded]
        order = {record["messageId"]: number for number, record in enumerate(self.records)}
        self.fail_messages.sort(key=lambda record: order[record.message_id])  # type: ignore[union-attr]
        return results


def _deliveries(record: SQSRecord) -> int:
    return int(record.attributes.approximate_receive_count)


def _since_ms(started: float) -> float:
    return round(1000 * (time.monotonic() - started), 1)
