"""Reconciling: make a picture's record agree with what S3 has now.

An event is only a reason to look. S3 is strongly consistent but its events are not ordered, so their contents are not
trusted: for each one, the publisher reads the record and the bucket, decides, and writes on the condition that the
generation has not changed. After every write, even a refused one, it looks again, until there is nothing to write.
`docs/architecture.md`, "The life of a picture", explains each step.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.errors import NameTakenError, NameTooLongError, PixelCascadeError
from handlers.events import Events, PictureState
from handlers.job import Job
from handlers.layout import Layout
from handlers.marks import Mark, as_header
from handlers.record import MasterState, Record, Records, first, next_generation
from handlers.storage import (
    MAX_TRIES,
    ContentionError,
    Place,
    etag_of,
    focal_point_of,
    head,
    keys_below,
    reason_of,
    write_reason,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

NAME_TAKEN = "name-taken"
"""Stands in for a branch in the reason for a master whose name is taken: the publisher writes it."""


class PublishError(PixelCascadeError):
    """SNS did not accept a job, which must be published again, because a lost job is not harmless."""


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """Decides which master owns each name of a stack, and in which state.

    With `follow`, a deletion goes through the fan-out, so that the outputs are deleted too. `branches` are all those
    that a picture waits for.
    """

    s3: "S3Client"
    sns: "SNSClient"
    records: Records
    events: Events
    bucket: str
    topic_arn: str
    layout: Layout
    branches: Collection[str]
    follow: bool

    def reconcile(self, key: str) -> Record | None:
        """Look at a master until there is nothing to write; publish its job unless it is settled; return its record.

        Raises: ContentionError, InvalidJobError, PublishError, EventRefusedError.
        """
        name, record, known = self.layout.name(key), None, False
        for _ in range(MAX_TRIES):
            record = record if known else self.records.read(name)
            known, found = False, self._state(key, name)
            wanted = self._wanted(name, key, found, record)
            if wanted is not None:
                # The next round looks again, whether this write was refused or not.
                known = self.records.put(wanted, record, expires=self.follow and not wanted.lives)
                record = wanted
                continue
            if record is not None and record.lives and record.key != key and found is not None:
                after = self._reject(key, found.etag, record)
                if after is None or after.key != record.key or not after.lives:
                    continue
            if found is None and self.follow and self._reason(key).remove_below(_after(record)):
                continue  # The master may be there again, and another publisher may have written that reason.
            if self._end(key, found, record):
                return record
        raise ContentionError(f"the record of {key} changed {MAX_TRIES} times while it was reconciled")

    def redo(self, record: Record, branches: Collection[str]) -> Record | None:
        """Begin a new generation of a master for some branches only; return it, or None if the record has changed.

        Raises: PublishError.
        """
        keep = [branch for branch in record.branches if branch not in branches]
        wanted = record.next(record.key, record.master, "received", keep=keep)
        if self._state(record.key, record.name) != record.master or not self.records.put(wanted, record):
            return None
        self.publish(wanted)
        return wanted

    def publish(self, record: Record) -> None:
        """Publish the job of a record's generation, for the branches that have no outcome yet.

        Raises: PublishError.
        """
        missing = tuple(branch for branch in self.branches if branch not in record.branches)
        job = Job(
            bucket=self.bucket,
            key=record.key,
            etag=record.etag,
            name=record.name,
            generation=record.generation,
            branches=missing if record.branches and record.lives else (),
            deleted=not record.lives,
        )
        answer = self.sns.publish_batch(
            TopicArn=self.topic_arn, PublishBatchRequestEntries=[{"Id": "0", "Message": job.to_json()}]
        )
        if refused := answer.get("Failed"):
            raise PublishError(f"SNS refused the job of {job.key}: {refused[0]['Code']}")

    def _wanted(self, name: str, key: str, found: MasterState | None, record: Record | None) -> Record | None:
        """Return the record that should replace this one, or None if this one is right."""
        if record is None:
            owner = self._owner_of_before(name, key, found)
            return first(name, *owner) if owner else None
        if not record.lives:
            owner = (key, found) if found is not None else next(self.masters(name), None)
            return record.next(*owner, "received") if owner else None
        if record.key == key and found is not None:
            return record.next(key, found, "received") if found != record.master else None
        if record.key != key and self._state(record.key, name) is not None:
            return None
        owner = next(self.masters(name), None)
        return record.next(*owner, "received") if owner else record.next(record.key, record.master, "deleted")

    def _owner_of_before(self, name: str, key: str, found: MasterState | None) -> tuple[str, MasterState] | None:
        """Return the owner of a name without a record: the existing master that an older output names, else the key."""
        if found is None:
            return None
        try:
            seen = self._place(self.layout.converted_key(key), key).look()
        except NameTooLongError:
            seen = None
        if seen and seen[1] and seen[1].key != key:
            for other, state in self.masters(name):
                if seen[1].key in {other, as_header(other)}:
                    return other, state
        return key, found

    def masters(self, name: str) -> Iterator[tuple[str, MasterState]]:
        """Yield key and state of the masters that have a name: the one without an extension, and those with one.

        A listing has no focal points; the master's next event finds one.
        """
        whole = self.layout.master + name
        if (found := self._state(whole, name)) is not None:
            yield whole, found
        for key, etag in keys_below(self.s3, self.bucket, whole + "."):
            if self.layout.name(key) == name:
                yield key, MasterState(etag)

    def _reject(self, key: str, etag: str, record: Record) -> Record | None:
        """Write the reason *name taken* for an existing master, and send its event.

        Return the record as it is then, or None if the reason was removed again with its master: then look again.
        """
        error = NameTakenError(
            f"expected one master per name, got {key} although {record.key} owns the name: "
            "upload it under another name, or set naming to full"
        )
        name, message = type(error).__name__, str(error)
        place, generation = self._reason(key), record.generation
        reason = reason_of(NAME_TAKEN, name, message, bucket=self.bucket, key=key)
        write_reason(place, reason, Mark(key=key, etag=etag, generation=generation))
        self.events.send(
            "rejected",
            PictureState(key=key, name=record.name, generation=generation, error=name, message=message),
        )
        after = self.records.read(record.name)
        if after is not None and after.lives and after.key == key:
            place.remove_below(after.generation)
        elif self.follow and self._state(key, record.name) is None and place.remove_below(_after(record)):
            return None
        return after

    def _end(self, key: str, found: MasterState | None, record: Record | None) -> bool:
        """Finish a look that had nothing to write: remove an obsolete reason, or send `Picture deleted`.

        Return False if there is a reason to look again.
        """
        if record is not None and record.lives:
            self._reason(record.key).remove_below(record.generation)
            previous = "" if record.previous in {key, record.key} else record.previous
            before = self._state(previous, record.name) if previous else None
            if before and self._reject(previous, before.etag, record) is None:
                return False
        if found is None and (record is None or record.key != key or not record.lives):
            generation = record.generation if record is not None else 0
            self.events.send("deleted", PictureState(key=key, name=self.layout.name(key), generation=generation))
        if record is not None and (record.state == "received" or (self.follow and not record.lives)):
            self.publish(record)
        return True

    def _reason(self, key: str) -> Place:
        return self._place(self.layout.rejected_key(key, NAME_TAKEN), key)

    def _place(self, key: str, master_key: str) -> Place:
        return Place(s3=self.s3, bucket=self.bucket, key=key, master_key=master_key)

    def _state(self, key: str, name: str) -> MasterState | None:
        """Return the state of a master in S3 now, or None if there is none, or if it no longer has that name.

        A record may have a key of before the stack's master prefix or naming was changed.
        """
        if not key.startswith(self.layout.master) or self.layout.name(key) != name:
            return None
        found = head(self.s3, self.bucket, key)
        return MasterState(etag_of(found), focal_point_of(found)) if found else None


def _after(record: Record | None) -> int:
    """Return a generation above that of every reason that was written for a name."""
    return next_generation(record.generation if record is not None else 0)
