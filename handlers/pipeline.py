"""A batch's records side by side: while some wait for S3, others decode, and every core has something to do."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor

from handlers.budget import cores

THREADS_PER_CORE = 6
"""Enough to keep a core busy: a picture waits for S3 about twice as long as it is worked on."""


def threads() -> int:
    """Return how many records may be under way at once."""
    return THREADS_PER_CORE * cores()


def delivered_before(record: dict[str, Any]) -> bool:
    """Say whether a record was delivered before, and came to nothing."""
    return int(record["attributes"]["ApproximateReceiveCount"]) > 1


class Pipeline(BatchProcessor):
    """Runs first deliveries in threads; those delivered before run alone, one after the other, and first.

    They run in forked children, and a fork copies one thread alone: a lock that another held would stay locked
    in the child for ever. So they run before any thread is started; `threads` ended with the batch before.
    """

    def process(self) -> list[tuple[Any, ...]]:
        """See every record to its end, and report failures in the batch's order."""
        alone = [record for record in self.records if delivered_before(record)]
        together = [record for record in self.records if not delivered_before(record)]
        results = [self._process_record(record) for record in alone]
        if len(together) > 1 and threads() > 1:
            with ThreadPoolExecutor(min(threads(), len(together)), "record") as pool:
                results += pool.map(self._process_record, together)
        else:
            results += map(self._process_record, together)
        order = {record["messageId"]: number for number, record in enumerate(self.records)}
        self.fail_messages.sort(key=lambda record: order[record.message_id])  # type: ignore[union-attr]
        return results
