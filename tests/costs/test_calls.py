"""The AWS calls per picture, counted while the real functions run."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from components.branches import BRANCHES
from costs.calls import UPLOAD, calls, ranges, record_bytes, request_lines, write_units
from handlers import job_publisher
from handlers.master import FIRST_BYTES, RangedBody
from handlers.record import Outcome
from tests.costs.measured import handler_of
from tests.handlers.conftest import BUCKET, PICTURES, Context, Stack, job, settings, sqs_event
from tests.handlers.pictures import picture

KEY = "master/2024/cat.jpg"
SIZES = len(settings().sizes)
WORKERS = {row.name: handler_of(row) for row in BRANCHES}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count every operation that any client calls."""
    count: Counter[str] = Counter()
    call: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: BaseClient, operation: str, arguments: Any) -> Any:
        count[operation] += 1
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    return count


@pytest.mark.parametrize("branch", WORKERS)
def test_a_worker_makes_the_estimated_calls(stack: Stack, called: Counter[str], branch: str) -> None:
    """A worker makes exactly the estimated calls; a small picture's header is in the first range."""
    stack.upload(KEY, picture())
    event = sqs_event(job(KEY))
    called.clear()
    WORKERS[branch](event, Context())
    expected = calls(sizes=SIZES, header_gets=1)[branch]
    # Only the worker that finishes last sends the event and sets the record's state.
    assert called == {"UpdateItem": 1, **{name: count for name, count in expected.items() if name not in LAST}}


LAST = {"UpdateItem", "PutEvents"}


def test_the_last_worker_makes_two_more_calls(stack: Stack, called: Counter[str]) -> None:
    """It sends the event, which this count does not include, and sets the record's state."""
    others = {name: Outcome(state="written") for name in WORKERS if name != "resizing"}
    received = stack.receive(KEY, picture(), branches=others)
    called.clear()
    WORKERS["resizing"](sqs_event(received), Context())
    each = calls(sizes=SIZES)["resizing"]
    assert (called["UpdateItem"], len(stack.sent)) == (2, 1)
    assert len(WORKERS) * each["UpdateItem"] == pytest.approx(len(WORKERS) + 1)
    assert len(WORKERS) * each["PutEvents"] == pytest.approx(1)


def test_the_publisher_makes_the_estimated_calls(stack: Stack, called: Counter[str]) -> None:
    """One event makes one record and one job."""
    stack.upload(KEY, picture())
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": KEY}}}
    called.clear()
    job_publisher.handler({"Records": [record]}, Context())
    assert called == calls(sizes=SIZES)[UPLOAD]
    assert len(stack.published()) == 1


def size_bytes(value: Any) -> int:
    """Return a value's size as DynamoDB counts it. Source: its developer guide, "DynamoDB item sizes and formats"."""
    kind, content = next(iter(value.items()))
    match kind:
        case "M":
            return 3 + sum([1 + len(name) + size_bytes(each) for name, each in content.items()])
        case "L":
            return 3 + sum([1 + size_bytes(each) for each in content])
        case "N":
            return 1 + (len(content.strip("-.0")) + 1) // 2
        case _:
            return len(str(content).encode())


def test_a_settled_record_has_the_estimated_size(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write of the record is one write unit."""
    received = stack.receive(KEY, picture())
    for branch, handler in WORKERS.items():
        monkeypatch.setenv("BRANCH", branch)
        handler(sqs_event(received), Context())
    (item,) = stack.dynamodb.scan(TableName=PICTURES)["Items"]
    assert item["state"] == {"S": "complete"}
    found = sum([len(name) + size_bytes(value) for name, value in item.items()])
    assert found == pytest.approx(record_bytes(SIZES), rel=0.05)
    assert found <= 1024 * write_units("resizing", "UpdateItem", SIZES) == 1024


def test_the_record_of_many_files_takes_more_write_units() -> None:
    """One size more than fits into 1 KB takes a second unit; the publisher's record has no files yet."""
    fit = next(files for files in range(1, 30) if record_bytes(files + 1) > 1024)
    assert [write_units("resizing", "UpdateItem", files) for files in (fit, fit + 1, 30)] == [1, 2, 3]
    assert [write_units(UPLOAD, "PutItem", files) for files in (fit, 30)] == [1, 1]
    few, many = (request_lines(1000, sizes=files, per_batch=1) for files in (fit, fit + 1))
    counts = [sum(line.count for line in lines if line.price.unit == "write unit") for lines in (few, many)]
    updates = len(WORKERS) + 1  # Each branch's outcome, and the state.
    assert counts == pytest.approx([1000 * (2.5 + updates), 1000 * (2.5 + 2 * updates)])


def test_a_long_header_takes_one_get_per_range(stack: Stack, called: Counter[str]) -> None:
    """50 KB of metadata before the picture do not fit into the first range."""
    padding = b"\xff\xfe" + (50_002).to_bytes(2) + b"x" * 50_000
    body = picture()
    stack.upload(KEY, body[:2] + padding + body[2:])
    event = sqs_event(job(KEY))
    called.clear()
    WORKERS["metadata-extraction"](event, Context())
    assert called["GetObject"] == ranges(50_100) == 2


@pytest.mark.parametrize("size", [1, FIRST_BYTES, FIRST_BYTES + 1, 1_000_000, 50_000_000])
def test_the_range_count_matches_the_fetches(size: int) -> None:
    """The count matches the fetches of reading a whole body."""
    fetched: list[int] = []

    def fetch(start: int, end: int) -> bytes:
        fetched.append(start)
        return bytes(end - start)

    body = RangedBody(bytes(min(size, FIRST_BYTES)), size, fetch)
    while body.read(1024 * 1024):
        pass
    assert ranges(size) == 1 + len(fetched)


@pytest.mark.parametrize(("per_batch", "requests"), [(1, 3000), (10, 1200), (100, 1200)])
def test_messages_are_received_and_deleted_ten_at_a_time(per_batch: int, requests: int) -> None:
    """A thousand messages take a thousand sends, and one receive and one delete per batch of up to ten."""
    lines = request_lines(1000, sizes=3, per_batch=per_batch)
    assert {line.count for line in lines if line.price.service == "SQS"} == {requests}
