"""Masters in S3: fetched whole, or by ranges as they are read."""

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from handlers import clients
from handlers.errors import MasterUnreadableError, PixelCascadeError
from handlers.job import Job
from handlers.storage import etag_of, focal_point_of, status_of

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef


# A key that only its owner can make usable again. KMS's other errors, such as a throttled or timed out call, pass.
# Source: KMS's API reference, Decrypt, errors; S3 puts `KMS.` before them.
UNUSABLE_KEY = {"KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"}

FIRST_BYTES = 32 * 1024
"""Bytes of the first range: enough for three of four cameras' headers, and little waste for a small master."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of the longest range."""


class MasterGoneError(PixelCascadeError):
    """The master was deleted or replaced before its job arrived; its own event will follow."""


class MasterReplacedError(PixelCascadeError):
    """The master was replaced while it was read; the next delivery finds the new one."""


class RangedBody(io.RawIOBase):
    """A stream over an object of `size` bytes that starts with `head`; `fetch` returns those from a start up to an end.

    Each range is twice as long as the one before, so that a long read takes few requests. It is read whole, so that its
    connection is reused.
    """

    def __init__(self, head: bytes, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._block, self._position, self._size, self._fetch = memoryview(head), 0, size, fetch
        self._length, self.fetched_bytes = FIRST_BYTES, len(head)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read from what has been fetched, or else from the next range."""
        if self._position == len(self._block) and self.fetched_bytes < self._size:
            self._length = min(2 * self._length, MOST_BYTES)
            end = min(self.fetched_bytes + self._length, self._size)
            self._block, self._position = memoryview(self._fetch(self.fetched_bytes, end)), 0
            self.fetched_bytes = end
        part = self._block[self._position : self._position + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


@dataclass(frozen=True, kw_only=True)
class Master:
    """A master in the state that its job names. What reading `body` raises is not the image's fault.

    `focal_point` is its uploader's, unchecked.
    """

    bucket: str
    key: str
    etag: str
    size_bytes: int
    last_modified: datetime
    body: BinaryIO
    focal_point: str = ""

    @property
    def fetched_bytes(self) -> int:
        """The number of bytes fetched so far: all, unless the master is read by ranges."""
        return self.body.fetched_bytes if isinstance(self.body, RangedBody) else self.size_bytes


def fetch(job: Job) -> Master:
    """Open the state of a master that its job names, to be read whole.

    Raises: MasterGoneError.
    """
    return _master(job, _get(job))


def fetch_header(job: Job) -> Master:
    """Open the state of a master that its job names, to be read by ranges as needed.

    What `body.read` raises if S3 does not answer, or MasterReplacedError, is not the image's fault.

    Raises: MasterGoneError.
    """
    try:
        response = _get(job, Range=_range(0, FIRST_BYTES))
    except clients.s3().exceptions.ClientError as error:
        if status_of(error) == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return fetch(job)  # An empty file has no first byte.
        raise
    size = int(response["ContentRange"].rpartition("/")[2])
    head = response["Body"].read()
    fetch_more = functools.partial(_more, job, response["ETag"])
    return _master(job, response, size, cast("BinaryIO", RangedBody(head, size, fetch_more)))


def _get(job: Job, **options: str) -> "GetObjectOutputTypeDef":
    s3 = clients.s3()
    if job.etag is not None:
        options["IfMatch"] = f'"{job.etag}"'
    try:
        return s3.get_object(Bucket=job.bucket, Key=job.key, **options)  # type: ignore[arg-type]
    except s3.exceptions.NoSuchKey as error:
        raise MasterGoneError(f"{job.key} is no longer in the bucket") from error
    except s3.exceptions.ClientError as error:
        if status_of(error) == HTTPStatus.PRECONDITION_FAILED:
            raise MasterGoneError(f"{job.key} was replaced") from error
        if reason := _unreadable(error.response["Error"]):
            raise MasterUnreadableError(reason) from error
        raise


def _unreadable(error: Any) -> str | None:
    """Return why S3 will never return the object, or None if a retry may help.

    Source: S3's API reference, GetObject, errors; KMS's developer guide, key state.
    """
    code, message = error.get("Code", ""), error.get("Message", "")
    if code == "InvalidObjectState":
        return (
            "expected an object that S3 returns, got one in an archived storage class: restore it and run "
            "`python -m ops rejected --retry`, or upload it under another key"
        )
    if code in UNUSABLE_KEY or (code == "AccessDenied" and "kms:" in message):
        return (
            "expected an object that the stack may decrypt, got one encrypted with a KMS key that it may not use: "
            "set masterKmsKey to the key's ARN and run `python -m ops rejected --retry`, or upload it without that key"
        )
    return None


def _more(job: Job, etag: str, start: int, end: int) -> bytes:
    """Fetch another range of the same object version as the first."""
    s3 = clients.s3()
    try:
        response = s3.get_object(Bucket=job.bucket, Key=job.key, Range=_range(start, end), IfMatch=etag)
    except s3.exceptions.ClientError as error:
        if status_of(error) in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND}:
            raise MasterReplacedError(f"{job.key} was replaced or deleted while it was read") from error
        raise
    return response["Body"].read()


def _range(start: int, end: int) -> str:
    """Return the Range header from `start` up to but not including `end`; HTTP includes the last byte."""
    return f"bytes={start}-{end - 1}"


def _master(job: Job, response: Any, size_bytes: int | None = None, body: BinaryIO | None = None) -> Master:
    return Master(
        bucket=job.bucket,
        key=job.key,
        etag=etag_of(response),
        size_bytes=response["ContentLength"] if size_bytes is None else size_bytes,
        last_modified=response["LastModified"],
        body=body or cast("BinaryIO", response["Body"]),
        focal_point=focal_point_of(response),
    )
