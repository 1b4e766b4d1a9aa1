"""Jobs for masters that are in the bucket already: all of them, or those that the audit misses something of."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from costs.bill import Line, total
from costs.calls import request_lines
from handlers import topic
from handlers.job import Job
from ops.audit import audit, list_objects
from ops.stack import DeployedStack


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What a backfill of a number of jobs asks of AWS, beside the time that the functions take."""

    jobs: int
    sizes: int

    @property
    def lines(self) -> list[Line]:
        """Requests by part; so many jobs at once fill batches of ten."""
        return list(request_lines(self.jobs, sizes=self.sizes, per_batch=topic.BATCH))

    @property
    def counts(self) -> Counter[str]:
        """How many there are of each."""
        found: Counter[str] = Counter()
        for line in self.lines:
            found[line.price.name] += math.ceil(line.count)
        return found

    @property
    def dollars(self) -> float:
        """US dollars for these requests."""
        return total(self.lines)


def jobs(stack: DeployedStack, prefix: str, *, missing: bool, after: str | None = None) -> Iterator[Job]:
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


def backfill(
    stack: DeployedStack, work: Iterable[Job], *, per_second: float, published: Callable[[list[Job]], None]
) -> int:
    """Publish jobs, at most `per_second` unless that is 0, and return how many; `published` is called with each batch.

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
        """Return the key to go on after, None to begin; another bucket's bookmark is not this one's.

        Raises: click.UsageError, for a file that is no bookmark, or a folder that is not there.
        """
        if not self.path.parent.is_dir():
            raise click.UsageError(
                f"--resume: expected a file in a folder that exists, got {self.path}: make {self.path.parent}"
            )
        if not self.path.exists():
            return None
        try:
            kept = json.loads(self.path.read_text())
            return kept["key"] if kept["bucket"] == bucket else None
        except (ValueError, KeyError, TypeError) as error:
            raise click.UsageError(
                f"--resume: expected a file that a backfill wrote, got {self.path}: name another"
            ) from error

    def write(self, job: Job) -> None:
        """Keep where the backfill is; whole or not at all."""
        unfinished = self.path.with_name(f".{self.path.name}.new")
        unfinished.write_text(json.dumps({"bucket": job.bucket, "key": job.key}))
        unfinished.replace(self.path)

    def remove(self) -> None:
        """Forget: the backfill is through."""
        self.path.unlink(missing_ok=True)
