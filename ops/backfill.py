"""Jobs for masters that are in the bucket already: all of them, or those that the audit misses something of."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from components import prices
from handlers import topic
from handlers.job import Job
from ops.audit import audit, list_objects
from ops.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a backfill of a number of jobs asks of AWS, beside the time that the functions take."""

    jobs: int
    branches: int
    sizes: int

    @property
    def requests(self) -> dict[str, int]:
        """Requests by what is asked; a batch of ten jobs is one request for each queue, and is deleted by one."""
        batches = -(-self.jobs // topic.BATCH)
        return {
            "SNS publish": self.jobs,
            "SQS receive and delete": 2 * batches * self.branches,
            "Lambda": batches * self.branches,
            "S3 read": self.jobs * self.branches,
            "S3 write": self.jobs * (1 + self.sizes),
            "DynamoDB write": self.jobs,
        }

    @property
    def dollars(self) -> float:
        """US dollars for these requests."""
        each = {
            "SNS publish": prices.SNS_PUBLISH,
            "SQS receive and delete": prices.SQS_REQUEST,
            "Lambda": prices.LAMBDA_REQUEST,
            "S3 read": prices.S3_GET,
            "S3 write": prices.S3_PUT,
            "DynamoDB write": prices.DYNAMODB_WRITE,
        }
        return sum(count * each[what] for what, count in self.requests.items())


def jobs(stack: Stack, prefix: str, *, missing: bool, after: str | None = None) -> Iterator[Job]:
    """Yield a job for each master whose path begins with `prefix`, from the key after `after` on.

    With `missing` only for those that the audit finds missing or stale. No job has a sequencer: a worker asks S3
    whether what it has read is still the newest.
    """
    found: Iterator[tuple[str, str]]
    if missing:
        found = ((account.key, account.etag) for account in audit(stack, prefix, after) if not account.accounted_for)
    else:
        found = list_objects(stack, stack.layout.master + prefix, after)
    for key, etag in found:
        yield Job(bucket=stack.bucket, key=key, etag=etag)


def backfill(stack: Stack, work: Iterable[Job], *, per_second: float, published: Callable[[list[Job]], None]) -> int:
    """Publish jobs, at most `per_second` unless that is 0, and return how many; `published` is told of each batch.

    Raises: PublishError.
    """
    count, started = 0, time.monotonic()
    for batch in topic.publish(stack.client("sns"), stack.topic, work):
        count += len(batch)
        published(batch)
        if per_second:
            time.sleep(max(0.0, started + count / per_second - time.monotonic()))
    return count


@dataclass(frozen=True)
class Bookmark:
    """A file that holds the last key that a backfill has published, so that it can go on from there."""

    path: Path

    def read(self, bucket: str) -> str | None:
        """Return the key to go on after, None to begin; another bucket's bookmark is not this one's."""
        if not self.path.exists():
            return None
        kept = json.loads(self.path.read_text())
        return kept["key"] if kept["bucket"] == bucket else None

    def write(self, job: Job) -> None:
        """Keep where the backfill is; whole or not at all."""
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(json.dumps({"bucket": job.bucket, "key": job.key}))
        unfinished.replace(self.path)

    def remove(self) -> None:
        """Forget: the backfill is through."""
        self.path.unlink(missing_ok=True)
