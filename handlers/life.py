"""A worker's part in the life of a picture: find a job's generation, settle it, and clean up."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from handlers import clients, storage
from handlers.events import PictureState
from handlers.job import Job
from handlers.marks import Mark
from handlers.record import Outcome, Record
from handlers.settings import Settings
from handlers.stack import events, reconciler, records
from handlers.storage import Place


def adopted(job: Job, settings: Settings) -> Job | None:
    """Return a job with its generation for one without, or None if this worker has nothing to do.

    If the picture is still being processed, reconciling has published its job for all branches. If it is settled, this
    branch writes its outputs again.
    """
    record = reconciler(settings.record).reconcile(job.key)
    if record is None or record.key != job.key or not record.settled:
        return None
    outcome = record.branches.get(settings.branch)
    if outcome is None or outcome.state != "written":
        return None
    return replace(job, etag=record.etag, generation=record.generation)


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What one branch writes and removes for a picture: its outputs and its reasons.

    `files` is the key prefix of its files of a master; None if it writes none.
    """

    settings: Settings
    job: Job
    files: str | None = None

    @property
    def generation(self) -> int:
        """The job's generation."""
        assert self.job.generation is not None  # noqa: S101 - one without was adopted
        return self.job.generation

    def record(self) -> Record | None:
        """Return the picture's record as it is now."""
        return records(self.settings.record).read(self.settings.layout.name(self.job.key))

    def settle(self, outcome: Outcome) -> bool:
        """Write the branch's outcome into the record; return whether the record accepted it.

        The worker that completes the record sends the event first and sets the state last. If its process dies in
        between, the message is delivered again, and the event is sent again.

        Raises: what S3, DynamoDB and EventBridge raise.
        """
        settings, table = self.settings.record, records(self.settings.record)
        name = settings.layout.name(self.job.key)
        wanted = Record(
            name=name, key=self.job.key, etag=self.job.etag or "", generation=self.generation, state="received"
        )
        settled, record = table.settle(wanted, self.settings.branch, outcome)
        if record is None or not settled:
            self.clean_up(record)
            return False
        self._tidy(record, outcome)
        if record.branches.keys() >= set(settings.branches):
            events(settings).send(record.verdict, PictureState.of(record))
            table.finish(record, record.verdict)
        return True

    def reject(self, error: str, message: str) -> bool:
        """Write why the branch rejects the master; return False if a newer reason was there."""
        job = self.job
        reason = storage.reason_of(self.settings.branch, error, message, bucket=job.bucket, key=job.key)
        mark = Mark(key=job.key, etag=job.etag or "", generation=self.generation)
        return storage.write_reason(self._reason(), reason, mark)

    def delete(self) -> int:
        """Remove a deleted master's reason and outputs of earlier generations; return the number of outputs.

        A master that lives keeps them: the publisher never sends such a job, but anyone else may.
        """
        record = self.record()
        if record is not None and record.lives and record.generation <= self.generation:
            return 0
        self._reason().remove_below(self.generation)
        return self._remove_outputs(self.generation) if self.settings.record.follow else 0

    def clean_up(self, record: Record | None) -> None:
        """Remove obsolete files, after the master was gone or the record did not accept the outcome."""
        if record is None:
            return
        name = self.settings.branch
        outcome = record.branches.get(name)
        rejected = outcome is not None and outcome.state == "rejected"
        if record.generation == self.generation and outcome is not None and record.lives:
            if rejected:  # An earlier delivery may have ended between settling and this.
                self._tidy(record, outcome)
            else:
                self._reason().remove_below(self.generation + 1)
        if record.generation <= self.generation:
            return
        if not rejected:  # A later generation that keeps a rejection keeps its reason, too.
            self._reason().remove_below(record.generation)
        if self.settings.record.follow and (not record.lives or record.key != self.job.key or rejected):
            # A generation in between may be one that the record keeps; if not, its own workers remove its outputs.
            self._remove_outputs(self.generation + 1)
        elif record.lives and not rejected:
            self._remove_further(record.generation, outcome.named(record.name).get("outputs", ()) if outcome else ())

    def _tidy(self, record: Record, outcome: Outcome) -> None:
        """Remove an accepted picture's older reason, a rejected one's older outputs, and a former owner's reason."""
        layout, follow = self.settings.layout, self.settings.record.follow
        if outcome.state == "written" and record.reasons:
            self._reason().remove_below(record.generation)
        if outcome.state == "rejected" and follow:
            self._remove_outputs(record.generation)
        if follow and record.reasons and record.previous.startswith(layout.master):
            self._place(layout.rejected_key(record.previous, self.settings.branch)).remove_below(record.generation)

    def _remove_outputs(self, generation: int) -> int:
        count = sum(place.remove_below(generation) for place in self._places())
        if self.settings.table:
            name = self.settings.layout.name(self.job.key)
            count += storage.remove_item_below(clients.dynamodb(), self.settings.table, name, generation)
        return count

    def _remove_further(self, generation: int, listed: Collection[str]) -> None:
        """Remove files in further formats, which may have been written after the newer generation looked for them.

        A newer generation may also have kept this one's outcome, and with it the files that the outcome has `listed`.
        """
        formats = tuple(f".{name}" for name in self.settings.output_formats)
        if not formats:
            return
        for place in self._places():
            if place.key.endswith(formats) and place.key not in listed:
                place.remove_below(generation)

    def _places(self) -> Iterator[Place]:
        """Yield the branch's files of the master, including those of sizes that are no longer configured."""
        if self.files is None:
            return
        for key, _ in storage.keys_below(clients.s3(), self.settings.bucket, self.files):
            rest = key[len(self.files) :]
            if "/" not in rest and (not rest or self.files.endswith("/")):
                yield self._place(key)

    def _reason(self) -> Place:
        return self._place(self.settings.layout.rejected_key(self.job.key, self.settings.branch))

    def _place(self, key: str) -> Place:
        return Place(s3=clients.s3(), bucket=self.settings.bucket, key=key, master_key=self.job.key)
