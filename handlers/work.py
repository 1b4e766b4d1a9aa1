"""The life of one message: fetch -> open (header, limits) -> room in memory -> work -> write -> settle.

If the image is at fault, the reason is written, and the message is done. After any other failure, the message stays in
its queue.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from handlers import budget, clients, imaging, life, storage
from handlers import master as masters
from handlers.errors import InvalidJobError, NameTooLongError, PixelCascadeError, RejectedImageError
from handlers.imaging import Picture
from handlers.imaging.limits import FILE_COPIES, MEGABYTE, capacity_bytes
from handlers.isolation import run_isolated
from handlers.job import Job
from handlers.layout import Layout
from handlers.marks import Mark
from handlers.master import Master, MasterGoneError
from handlers.output import Output
from handlers.record import MAX_MESSAGE, Outcome
from handlers.settings import Settings
from handlers.stack import check_bucket

SHORT_BYTES = 4 * MEGABYTE
"""Files up to this size never wait to be read: a batch's ten fit into every function beside Python and boto3."""


class GuardedFormatError(PixelCascadeError):
    """The picture is in a format that only a child process decodes."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one branch does with a picture.

    `run` returns what to write; `bytes_needed` returns the memory for that without the file, 0 if nothing is decoded.
    Masters are fetched `whole`, or by ranges as `run` reads them. `files` returns the key prefix of the branch's files
    of a master; None if it writes none.
    """

    run: Callable[[Picture, Master, Settings], Output]
    bytes_needed: Callable[[Picture, Settings], int]
    whole: bool = True
    files: Callable[[Layout, str], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of the work on a picture, with the outcome for its record, if there is one."""

    name: Literal["written", "rejected", "superseded", "gone"]
    details: Mapping[str, Any]
    outcome: Outcome | None = None
    message: str = ""


def process_message(
    message: SQSRecord, work: Work, settings: Settings, *, early: bool, wall_s: float | None
) -> tuple[str, Mapping[str, Any]]:
    """Process one message; return the result's name, and details for the log.

    With `wall_s`, the work runs in a child process for at most so many seconds. With `early`, the picture is decoded
    while it arrives.

    Raises: GuardedFormatError, if only a child process may decode the picture; any error that is not the image's fault.
    """
    try:
        job = Job.from_json(message.body)
        # Anyone may have sent it.
        check_bucket(job.bucket, settings.record)
        settings.layout.path(job.key)
    except InvalidJobError as error:
        key = settings.layout.refused_key(message.message_id, settings.branch)
        reason = storage.reason_of(settings.branch, type(error).__name__, str(error), body=message.body)
        storage.write_refusal(clients.s3(), settings.bucket, key, reason)
        return "refused", _why(error)
    details = {"key": job.key}
    if job.branches and settings.branch not in job.branches:
        return "kept", details
    if job.generation is None:
        adopted = life.adopted(job, settings)
        if adopted is None:
            return "reconciled", details
        job = adopted
    branch = life.Settlement(settings=settings, job=job, files=_files(job, work, settings))
    if job.deleted:
        return "deleted", {**details, "outputs": branch.delete()}
    task = functools.partial(_worked, job, work, settings, early=early, isolated=wall_s is not None)
    result = task() if wall_s is None else run_isolated(task, wall_s=wall_s, memory_mb=settings.memory_mb)
    return _settled(result, branch), {**details, "generation": job.generation, **result.details}


def _files(job: Job, work: Work, settings: Settings) -> str | None:
    """Return the key prefix of the branch's files of a master, None if it has none because their keys are too long."""
    try:
        return work.files(settings.layout, job.key) if work.files else None
    except NameTooLongError:
        return None


def _worked(job: Job, work: Work, settings: Settings, *, early: bool, isolated: bool) -> Result:
    """Fetch a job's master, do the branch's work on it, and write the output.

    Raises: GuardedFormatError, if only a child process may decode the picture.
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


def _output(master: Master, work: Work, settings: Settings, *, early: bool, isolated: bool) -> Output:
    """Open the picture, wait for room in memory, and do the branch's work.

    Raises: RejectedImageError; GuardedFormatError.
    """
    limits = settings.picture_limits
    limits.check_file(master.size_bytes)
    picture = imaging.open_picture(
        master.body, limits, early=early, formats=settings.input_formats, size_bytes=master.size_bytes
    )
    need_bytes = work.bytes_needed(picture, settings)
    if need_bytes and not isolated and picture.guarded:
        raise GuardedFormatError(f"expected a child process to decode a {picture.header.format}, got the worker's own")
    # A file that is not decoded may still be read to its end.
    file_bytes = FILE_COPIES * master.size_bytes if need_bytes or master.size_bytes > SHORT_BYTES else 0
    memory = budget.of_function(capacity_bytes(settings.memory_mb))
    with memory.room(need_bytes + file_bytes, pictures=1 if need_bytes else 0):
        return work.run(picture, master, settings)


def _rejected(error: RejectedImageError) -> Result:
    """Return the result of a rejected master."""
    message = str(error)
    return Result(
        name="rejected",
        details=_why(error),
        outcome=Outcome(state="rejected", error=type(error).__name__, message=message[:MAX_MESSAGE]),
        message=message,
    )


def _settled(result: Result, branch: life.Settlement) -> str:
    """Write a result into the picture's record; return the name of what it became."""
    if result.outcome is None:  # Of several files, some may have been written all the same.
        branch.clean_up(branch.record())
        return result.name
    if result.name == "rejected" and not branch.reject(result.outcome.error, result.message):
        return "superseded"
    return result.name if branch.settle(result.outcome) else "superseded"


def _why(error: PixelCascadeError) -> dict[str, str]:
    """Return a reason for the log, in which `message` is already the name of another field."""
    return {"error": type(error).__name__, "reason": str(error)}
