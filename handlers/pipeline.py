"""A batch's records side by side: while some wait for S3, others decode, and every core is busy."""

from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from handlers.budget import cores

THREADS_PER_CORE = 6
"""Enough to keep a core busy: a picture waits for S3 about twice as long as it is decoded and encoded."""


def threads() -> int:
    """Return how many records may be under way at once."""
    return THREADS_PER_CORE * cores()


def runs_isolated(record: SQSRecord, guarded: AbstractSet[str] = frozenset()) -> bool:
    """Tell whether a record runs in a child process.

    It does if it was delivered before, and so may have killed or stalled a worker, or if its message's id is among
    `guarded`, whose pictures only a child decodes. The only place where that is decided: records that run isolated must
    be forked while no other thread runs.
    """
    return int(record.attributes.approximate_receive_count) > 1 or record.message_id in guarded


class Pipeline(BatchProcessor):
    """Runs isolated records first, one after the other, then the others in threads, then those found to be guarded.

    A fork copies only the thread that forks: a lock that another thread holds would stay locked in the child for ever.
    So children are forked before any thread is started, or once all have ended; those of the batch before have ended.
    Whether a picture is guarded is known once its first bytes are there: its handler then puts the message's id into
    `guarded` and returns, and the record is processed again.
    """

    guarded: AbstractSet[str] = frozenset()

    def process(self) -> list[tuple[Any, ...]]:
        """Process every record, and report failures in the batch's order."""
        isolated: list[Any] = []
        together: list[Any] = []
        for record in self.records:
            (isolated if runs_isolated(SQSRecord(record), self.guarded) else together).append(record)
        results = [self._process_record(record) for record in isolated]
        if len(together) > 1 and threads() > 1:
            with ThreadPoolExecutor(min(threads(), len(together)), "record") as pool:
                results += pool.map(self._process_record, together)
        else:
            results += map(self._process_record, together)
        results += [self._process_record(record) for record in together if record["messageId"] in self.guarded]
        order = {record["messageId"]: number for number, record in enumerate(self.records)}
        self.fail_messages.sort(key=lambda record: order[record.message_id])  # type: ignore[union-attr]
        return results
