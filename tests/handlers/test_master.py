"""Masters fetched by their first bytes: which ranges are requested, and what happens when the master changes."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from handlers import clients, metadata_extractor
from handlers import master as masters
from handlers.imaging import describe
from handlers.job import Job
from handlers.master import FIRST_BYTES, MasterGoneError, MasterReplacedError, RangedBody
from tests.handlers.conftest import BUCKET, Context, Stack, failures, job, sqs_event
from tests.handlers.pictures import picture

KEY = "master/cat.jpg"
JOB = Job(bucket=BUCKET, key=KEY)


@pytest.fixture
def ranges(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return a list that collects the range of each request for an object."""
    assert stack
    found: list[str | None] = []
    get: Callable[..., Any] = clients.s3().get_object

    def recording(**options: Any) -> Any:
        found.append(options.get("Range"))
        return get(**options)

    monkeypatch.setattr(clients.s3(), "get_object", recording)
    return found


def test_a_header_takes_one_request_for_the_first_bytes(stack: Stack, ranges: list[str | None]) -> None:
    """One request for the first bytes gives a large master's header, size and ETag."""
    body = picture().ljust(1_000_000, b"\0")
    etag = stack.upload(KEY, body)
    master = masters.fetch_header(JOB)
    assert describe(master.body).width == 400
    assert (master.size_bytes, master.fetched_bytes, master.etag) == (len(body), FIRST_BYTES, etag)
    assert ranges == [f"bytes=0-{FIRST_BYTES - 1}"]


def test_further_bytes_are_fetched_in_growing_ranges(stack: Stack, ranges: list[str | None]) -> None:
    """Reading a master to its end returns its bytes, in few requests without overlaps or gaps."""
    body = bytes(range(256)) * 1_000
    stack.upload(KEY, body)
    assert masters.fetch_header(JOB).body.read() == body
    assert ranges == ["bytes=0-32767", "bytes=32768-98303", "bytes=98304-229375", "bytes=229376-255999"]


def test_an_empty_master_is_read_as_empty(stack: Stack) -> None:
    """An empty master is read as empty, although S3 refuses a range of it."""
    stack.upload(KEY, b"")
    master = masters.fetch_header(JOB)
    assert (master.size_bytes, master.fetched_bytes, master.body.read()) == (0, 0, b"")


def test_a_deleted_master_raises_master_gone_error(stack: Stack) -> None:
    """A deleted master raises MasterGoneError."""
    assert stack
    with pytest.raises(MasterGoneError):
        masters.fetch_header(JOB)


@pytest.mark.parametrize("deleted", [False, True])
def test_a_master_replaced_during_reading_raises_an_error(stack: Stack, deleted: bool) -> None:  # noqa: FBT001
    """A master replaced or deleted after its first bytes raises MasterReplacedError, so that it is read again."""
    stack.upload(KEY, b"1" * 100_000)
    master = masters.fetch_header(JOB)
    if deleted:
        stack.s3.delete_object(Bucket=BUCKET, Key=KEY)
    else:
        stack.upload(KEY, b"2" * 100_000)
    with pytest.raises(MasterReplacedError):
        master.body.read()


def test_the_metadata_extractor_requests_only_the_first_bytes(stack: Stack, ranges: list[str | None]) -> None:
    """The metadata extractor requests only the first bytes."""
    stack.upload(KEY, picture().ljust(1_000_000, b"\0"))
    assert failures(metadata_extractor.handler(sqs_event(job(KEY)), Context())) == []
    assert ranges == [f"bytes=0-{FIRST_BYTES - 1}"]


def test_a_ranged_body_can_be_read_in_pieces_of_any_size() -> None:
    """Reads smaller and larger than the bytes already fetched return the same data."""
    data = bytes(range(256)) * 400
    for size in (1_000, 40_000, -1):
        body = RangedBody(data[:FIRST_BYTES], len(data), lambda start, end: data[start:end])
        assert b"".join(iter(lambda: body.read(size), b"")) == data  # noqa: B023
    assert io.BufferedReader(RangedBody(b"", 0, lambda *_: b"")).read() == b""
