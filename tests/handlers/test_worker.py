"""Batches and their partial-batch responses: rejections and failures, neither of which affects other records."""

import ctypes
import dataclasses
import faulthandler
import functools
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.exceptions
import pytest
import urllib3.exceptions

from handlers import clients, storage, worker
from handlers import master as masters
from handlers.errors import BrokenImageError, NameTakenError, NotAnImageError
from handlers.marks import Mark
from handlers.master import Master
from handlers.record import Outcome
from handlers.settings import Settings
from handlers.work import Result
from tests.handlers.conftest import (
    BRANCH,
    BUCKET,
    PICTURES,
    Context,
    FakeOutput,
    Run,
    Stack,
    failures,
    job,
    sqs_event,
    work_with,
)

pytestmark = pytest.mark.usefixtures("masters_not_opened")

KEY, OTHER, THIRD = "master/cat.png", "master/dog.png", "master/eel.png"


def done(master: Master, _settings: Settings) -> FakeOutput:
    master.body.read()
    return FakeOutput()


def must_not_run(_master: Master, _settings: Settings) -> FakeOutput:
    raise AssertionError("the work was started")


def process(event: dict[str, Any], work: Run = done, left_s: float = 60.0) -> list[str]:
    """Return the ids of the messages that a batch leaves in the queue."""
    return failures(worker.process(event, Context(left_s), work_with(work)))


def on(key: str, act: Callable[[], Any], work: Run = done) -> Run:
    """Return work that calls `act` for one key before the usual work."""

    def acting(master: Master, settings: Settings) -> FakeOutput:
        if master.key == key:
            act()
        return work(master, settings)

    return acting


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def emf(text: str) -> list[dict[str, Any]]:
    """Return the lines of a function's output that are embedded metrics."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


def total(metrics: list[dict[str, Any]], name: str) -> float:
    """Return a metric's sum over the lines whose only dimension is the service."""
    return sum(
        sum(line[name]) if isinstance(line[name], list) else line[name]
        for line in metrics
        if name in line and line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    )


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Return a function that returns the worker's log lines so far."""
    stream, handler = io.StringIO(), worker.logger.registered_handler
    assert hasattr(handler, "setStream")
    before = handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    handler.setStream(before)


@pytest.fixture
def three_masters(stack: Stack) -> Stack:
    """Put three masters into the stack."""
    for key in (KEY, OTHER, THIRD):
        stack.upload(key, b"picture of " + key.encode())
    return stack


BATCH = [job(KEY), job(OTHER), job(THIRD)]


# Successes


@pytest.mark.usefixtures("three_masters")
def test_a_finished_batch_returns_no_failures() -> None:
    """The response is an empty list of failures, never null."""
    assert worker.process(sqs_event(*BATCH), Context(), work_with(done)) == {"batchItemFailures": []}


def test_work_gets_the_master_of_its_job(three_masters: Stack) -> None:
    """Each message's work gets its own master, in the state that its job names."""
    seen = []

    def look(master: Master, settings: Settings) -> FakeOutput:
        seen.append((master.key, master.etag, master.body.read(), settings.branch))
        return FakeOutput()

    process(sqs_event(job(KEY), job(OTHER)), look)
    etags = [three_masters.master(key).etag for key in (KEY, OTHER)]
    assert sorted(seen) == [
        (KEY, etags[0], three_masters.read(KEY), BRANCH),
        (OTHER, etags[1], three_masters.read(OTHER), BRANCH),
    ]


@pytest.mark.parametrize("uploaded", [[], [KEY]], ids=["deleted", "replaced"])
def test_a_master_that_is_gone_neither_fails_nor_is_rejected(stack: Stack, uploaded: list[str]) -> None:
    """The job of a master that was deleted or replaced is done: the newer state has a job of its own."""
    for key in uploaded:
        stack.upload(key)
    assert process(sqs_event(job(KEY, etag="before", generation=1)), must_not_run) == []
    assert stack.keys() == uploaded


@pytest.mark.parametrize("work", [done, on(KEY, raising(BrokenImageError("no"))), on(KEY, raising(OSError("no")))])
def test_a_master_is_closed_after_every_outcome(
    three_masters: Stack, monkeypatch: pytest.MonkeyPatch, work: Run
) -> None:
    """The body is closed after success, rejection and failure, so that its connection is released."""
    body = io.BytesIO(b"picture")
    master = dataclasses.replace(three_masters.master(KEY), body=body)
    monkeypatch.setattr(masters, "fetch", lambda _: master)
    process(sqs_event(job(KEY)), work)
    assert body.closed


# Rejections


def test_a_rejected_image_is_not_redelivered(three_masters: Stack) -> None:
    """A rejected image's message is not redelivered."""
    assert three_masters
    assert process(sqs_event(*BATCH), on(OTHER, raising(BrokenImageError("truncated")))) == []


def test_the_reason_for_a_rejection_is_written(three_masters: Stack) -> None:
    """The reason has bucket, key, branch, error, message, time, ETag and generation."""
    before = datetime.now(UTC).replace(microsecond=0)
    process(sqs_event(job(KEY)), on(KEY, raising(BrokenImageError("the picture is truncated"))))
    (key,) = three_masters.outputs()
    reason = three_masters.rejection(key)
    assert key == f"rejected/cat.png/{BRANCH}.json"
    assert before <= datetime.fromisoformat(reason.pop("time")) <= before + timedelta(minutes=1)
    assert reason == {
        "bucket": BUCKET,
        "key": KEY,
        "branch": BRANCH,
        "error": "BrokenImageError",
        "message": "the picture is truncated",
        "etag": three_masters.master(KEY).etag,
        "generation": 1,
    }


@pytest.mark.usefixtures("three_masters")
def test_a_rejected_image_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """The metric RejectedImage is printed in CloudWatch's embedded metric format."""
    process(sqs_event(*BATCH), on(OTHER, raising(NotAnImageError("text"))))
    metrics = emf(capsys.readouterr().out)
    assert total(metrics, "RejectedImage") == 1
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in metrics} == {"PixelCascade"}


@pytest.mark.usefixtures("three_masters")
def test_a_batch_without_rejections_counts_none(capsys: pytest.CaptureFixture[str]) -> None:
    """A batch of good pictures adds nothing to RejectedImage."""
    process(sqs_event(*BATCH))
    assert total(emf(capsys.readouterr().out), "RejectedImage") == 0


def test_a_master_whose_name_is_taken_is_rejected(three_masters: Stack) -> None:
    """A master whose name is taken gets a reason, and its message is not redelivered."""
    assert process(sqs_event(job(KEY)), on(KEY, raising(NameTakenError("taken")))) == []
    assert three_masters.rejection(f"rejected/cat.png/{BRANCH}.json")["error"] == "NameTakenError"


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "deleted"])
def test_a_superseded_state_is_not_rejected(
    three_masters: Stack,
    logged: Callable[[], list[dict[str, Any]]],
    replaced: bool,  # noqa: FBT001
) -> None:
    """A rejection of a state that was replaced or deleted writes no reason: the current master may be good."""

    def lose() -> None:
        if replaced:
            three_masters.receive(KEY, b"a good picture", generation=2)
        else:
            record = three_masters.record(KEY)
            assert record
            deleted = record.next(KEY, record.master, "deleted")
            three_masters.dynamodb.put_item(TableName=PICTURES, Item=deleted.as_item())
        raise BrokenImageError("truncated")

    assert process(sqs_event(job(KEY)), on(KEY, lose)) == []
    assert three_masters.outputs() == []
    assert [line["message"] for line in logged()] == ["superseded"]


def test_a_reason_overwrites_an_object_put_there_by_hand(three_masters: Stack) -> None:
    """The reason replaces an object put in its place by hand, and the message does not fail."""
    key = f"rejected/cat.png/{BRANCH}.json"
    three_masters.upload(key, b"{}")
    assert process(sqs_event(job(KEY)), on(KEY, raising(BrokenImageError("truncated")))) == []
    assert three_masters.rejection(key)["error"] == "BrokenImageError"


def test_a_rejection_that_cannot_be_written_is_redelivered(
    three_masters: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rejection whose reason cannot be written is redelivered."""
    assert three_masters
    monkeypatch.setattr(storage, "write_reason", lambda *_: raising(_client_error("SlowDown"))())
    assert process(sqs_event(job(KEY)), on(KEY, raising(BrokenImageError("truncated")))) == ["m0"]


UNREADABLE = [
    ("InvalidObjectState", "The operation is not valid for the object's storage class", "archived storage class"),
    ("AccessDenied", "User: x is not authorized to perform: kms:Decrypt on resource: y", "masterKmsKey"),
    ("KMS.DisabledException", "y is disabled.", "masterKmsKey"),
    ("KMS.KMSInvalidStateException", "y is pending deletion.", "masterKmsKey"),
]


@pytest.mark.parametrize(("code", "message", "expected"), UNREADABLE, ids=[code for code, *_ in UNREADABLE])
def test_an_archived_or_inaccessible_master_is_rejected(
    three_masters: Stack, monkeypatch: pytest.MonkeyPatch, code: str, message: str, expected: str
) -> None:
    """An archived object, or one under a KMS key that the stack may not use, is rejected rather than retried."""

    def refuse(**_: Any) -> None:
        raise _refusal(code, message)

    monkeypatch.setattr(clients.s3(), "get_object", refuse)
    assert process(sqs_event(job(KEY)), must_not_run) == []
    monkeypatch.undo()
    reason = three_masters.rejection(f"rejected/cat.png/{BRANCH}.json")
    assert (reason["error"], reason["etag"]) == ("MasterUnreadableError", three_masters.master(KEY).etag)
    assert expected in reason["message"]
    # The same bytes uploaded again have the same ETag, and change nothing.
    assert "run `python -m ops rejected --retry`" in reason["message"]


PASSING = [
    ("AccessDenied", "User: x is not authorized to perform: s3:GetObject"),
    ("KMS.ThrottlingException", "You have exceeded the rate at which you may call KMS."),
    ("KMS.DependencyTimeoutException", "The system timed out while trying to fulfill the request."),
    ("KMS.KMSInternalException", "The request was rejected because an internal exception occurred."),
]


@pytest.mark.parametrize(("code", "message"), PASSING, ids=[code for code, _ in PASSING])
def test_a_refusal_that_may_pass_fails_the_message(
    three_masters: Stack, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    """A missing S3 permission, or a call of KMS that fails for now, fails the message and rejects no picture."""

    def refuse(**_: Any) -> None:
        raise _refusal(code, message)

    monkeypatch.setattr(clients.s3(), "get_object", refuse)
    assert process(sqs_event(job(KEY)), must_not_run) == ["m0"]
    assert three_masters.outputs() == []


@pytest.mark.parametrize("key", ["master/line\nbreak.png", "master/tab\there.png", "master/bell\x07.png"])
def test_a_key_with_control_characters_gets_its_reason(stack: Stack, key: str) -> None:
    """A key with control characters gets its reason like any other key."""
    stack.upload(key)
    assert process(sqs_event(job(key)), on(key, raising(BrokenImageError("truncated")))) == []
    assert len(stack.outputs()) == 1


def _refusal(code: str, message: str) -> botocore.exceptions.ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    return clients.s3().exceptions.ClientError(answer, "GetObject")


# Failures


def _client_error(code: str) -> botocore.exceptions.ClientError:
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": code}}, "GetObject")


FAILURES = [
    ZeroDivisionError("a bug"),
    MemoryError("no memory"),
    OSError(28, "No space left on device"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="https://s3"),
    botocore.exceptions.ConnectionClosedError(endpoint_url="https://s3"),
    botocore.exceptions.ResponseStreamingError(error="reset"),
    botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    urllib3.exceptions.IncompleteRead(1, 2),
    ConnectionResetError("reset by peer"),
    TimeoutError("timed out"),
    _client_error("SlowDown"),
    _client_error("ThrottlingException"),
    _client_error("AccessDenied"),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_a_failure_redelivers_only_its_own_message(three_masters: Stack, error: Exception) -> None:
    """Only the failed record's message is redelivered, and nothing is rejected."""
    assert process(sqs_event(*BATCH), on(OTHER, raising(error))) == ["m1"]
    assert three_masters.outputs() == []


@pytest.mark.parametrize("error", FAILURES[3:8], ids=lambda error: type(error).__name__)
def test_a_read_error_while_decoding_fails_the_message(three_masters: Stack, error: Exception) -> None:
    """A read error while a decoder reads the body fails the message, and nothing is rejected."""
    from handlers import imaging  # noqa: PLC0415

    def convert(master: Master, _settings: Settings) -> FakeOutput:
        imaging.convert(BrokenBody(master.body, error))
        raise AssertionError("the picture was decoded")

    assert process(sqs_event(job(KEY)), convert) == ["m0"]
    assert three_masters.outputs() == []


class BrokenBody:
    """A body whose read fails after one byte."""

    def __init__(self, body: Any, error: Exception) -> None:
        self._body, self._error = body, error

    def read(self, _size: int = -1, /) -> bytes:
        """Return one byte, then fail."""
        if one := self._body.read(1):
            self._body = io.BytesIO()
            return bytes(one)
        raise self._error


def test_a_throttled_get_fails_the_message(three_masters: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A throttled GET fails the message, and nothing is rejected."""
    monkeypatch.setattr(masters, "fetch", lambda _: raising(_client_error("SlowDown"))())
    assert process(sqs_event(job(KEY)), must_not_run) == ["m0"]
    assert three_masters.outputs() == []


@pytest.mark.usefixtures("three_masters")
def test_a_batch_that_fails_completely_returns_every_id() -> None:
    """A batch that fails completely returns every id, rather than raising or returning null."""
    assert process(sqs_event(*BATCH), must_not_run) == ["m0", "m1", "m2"]


@pytest.mark.usefixtures("three_masters")
def test_a_failed_message_is_counted_as_a_retry(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts in RetriedImage only: its duration says nothing about pictures."""
    process(sqs_event(*BATCH), on(OTHER, raising(ZeroDivisionError("a bug"))))
    metrics = emf(capsys.readouterr().out)
    durations = [duration for line in metrics for duration in line.get("ImageDuration", [])]
    assert (total(metrics, "RetriedImage"), len(durations)) == (1, 2)


@pytest.mark.usefixtures("three_masters")
def test_a_failure_is_logged_once(logged: Callable[[], list[dict[str, Any]]]) -> None:
    """A failure's log line has the message's id, deliveries, error and duration."""
    process(sqs_event(job(KEY)), on(KEY, raising(ZeroDivisionError("a bug"))))
    (line,) = logged()
    assert (line["level"], line["message_id"], line["deliveries"], line["error"]) == (
        "ERROR",
        "m0",
        1,
        "ZeroDivisionError",
    )
    assert line["duration_ms"] >= 0


# Messages are not trusted

UNTRUSTED = [
    ("no JSON", "not JSON"),
    ("no object", "[1, 2]"),
    ("another bucket", json.dumps({"bucket": "another", "key": KEY})),
    ("a key outside the prefix", json.dumps(job("converted/cat.jpg"))),
    ("a key with the prefix in its middle", json.dumps(job("other/master/cat.png"))),
    ("a folder", json.dumps(job("master/2024/"))),
    ("no key", json.dumps({"bucket": BUCKET})),
    ("nested too deep", "[" * 100_000),
    ("a lone surrogate, escaped", '{"bucket": "images", "key": "master/\\ud800.jpg"}'),
    ("a lone surrogate", '{"bucket": "images", "key": "master/\ud800.jpg"}'),
    ("a key longer than S3 allows", json.dumps(job("master/" + "x" * 1_018))),
]


@pytest.mark.parametrize(("what", "body"), UNTRUSTED, ids=[what for what, _ in UNTRUSTED])
def test_an_invalid_message_is_refused(
    three_masters: Stack, monkeypatch: pytest.MonkeyPatch, what: str, body: str
) -> None:
    """The message is not redelivered, no master is fetched, and the reason contains the message."""
    monkeypatch.setattr(masters, "fetch", lambda _: raising(AssertionError(what))())
    assert process(sqs_event(body), must_not_run) == []
    (key,) = three_masters.outputs()
    reason = three_masters.rejection(key)
    assert key == f"rejected/.messages/m0/{BRANCH}.json"
    assert (reason["body"], reason["branch"], reason["error"]) == (body, BRANCH, "InvalidJobError")


def test_a_refused_message_does_not_affect_the_rest_of_its_batch(three_masters: Stack) -> None:
    """The other jobs of the batch are processed."""
    seen: list[str] = []
    work = functools.partial(_note, seen)
    assert process(sqs_event(job(KEY), "not JSON", job(OTHER)), work) == []
    assert sorted(seen) == [KEY, OTHER]
    assert len(three_masters.outputs()) == 1


def _note(seen: list[str], master: Master, _settings: Settings) -> FakeOutput:
    seen.append(master.key)
    return FakeOutput()


@pytest.mark.usefixtures("three_masters")
def test_a_refused_message_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A refused message counts as a rejection."""
    process(sqs_event("not JSON"))
    assert total(emf(capsys.readouterr().out), "RejectedImage") == 1


# The deadline


def test_no_record_is_started_near_the_deadline(three_masters: Stack) -> None:
    """Records that have not run are reported as failed, so that they are redelivered."""
    assert three_masters
    assert process(sqs_event(*BATCH), must_not_run, left_s=worker.RESERVE_S + 1) == ["m0", "m1", "m2"]


@pytest.mark.usefixtures("three_masters")
def test_failures_are_reported_in_the_order_of_the_batch() -> None:
    """The last record runs first, because it was delivered before."""
    event = sqs_event(*BATCH, deliveries=[1, 1, 2])
    assert process(event, must_not_run, left_s=worker.RESERVE_S + 1) == ["m0", "m1", "m2"]


@pytest.mark.usefixtures("three_masters")
def test_the_record_with_the_most_deliveries_runs_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the time is too short for the batch, the record with the fewest deliveries left is not the one that waits."""
    monkeypatch.setattr("handlers.work.run_isolated", lambda work, **_: work())
    context = Context()

    def work(_master: Master, _settings: Settings) -> FakeOutput:
        context.end_in(worker.RESERVE_S + 1)
        return FakeOutput()

    event = sqs_event(*BATCH, deliveries=[2, 3, 5])
    assert failures(worker.process(event, context, work_with(work))) == ["m0", "m1"]


@pytest.mark.usefixtures("three_masters")
def test_only_records_without_time_left_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the records without time left are reported as failed."""
    monkeypatch.setattr(worker, "threads", lambda: 1)
    context = Context()
    work = on(OTHER, lambda: context.end_in(worker.RESERVE_S + 1))
    assert failures(worker.process(sqs_event(*BATCH), context, work_with(work))) == ["m2"]


# Crashes: redelivered messages run in a child process


def exhaust() -> None:
    bytearray(20_000 * 1024 * 1024)


def crash() -> None:
    faulthandler.disable()
    ctypes.string_at(0)


def leave() -> None:
    os._exit(1)


@pytest.mark.parametrize("end_process", [exhaust, crash, leave], ids=lambda end_process: end_process.__name__)
@pytest.mark.parametrize("position", [0, 2])
def test_a_record_that_crashes_the_child_fails_alone(
    three_masters: Stack, end_process: Callable[[], None], position: int
) -> None:
    """A redelivered record that crashes its process fails; the rest of its batch is done."""
    assert three_masters
    deliveries = [2 if number == position else 1 for number in range(3)]
    work = on(BATCH[position]["key"], end_process)
    assert process(sqs_event(*BATCH, deliveries=deliveries), work) == [f"m{position}"]


def test_a_record_that_stalls_fails_alone(
    three_masters: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redelivered record that stalls is stopped in time for the records after it."""
    assert three_masters
    monkeypatch.setattr(worker, "RESERVE_S", 0.2)
    monkeypatch.setattr(worker, "SHORTEST_RECORD_S", 0.5)
    work = on(KEY, lambda: time.sleep(30), functools.partial(_leave_a_file, tmp_path))
    assert process(sqs_event(*BATCH, deliveries=[2, 1, 1]), work, left_s=15) == ["m0"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["dog.png", "eel.png"]


def _leave_a_file(folder: Path, master: Master, _settings: Settings) -> FakeOutput:
    (folder / Path(master.key).name).touch()
    return FakeOutput()


def test_only_a_redelivery_runs_in_a_child_process(three_masters: Stack, tmp_path: Path) -> None:
    """A first delivery runs in the function's process, a second one in a child."""
    assert three_masters
    process(sqs_event(job(KEY), job(OTHER), deliveries=[1, 2]), functools.partial(_leave_pid, tmp_path))
    pids = {file.name: int(file.read_text()) for file in tmp_path.iterdir()}
    assert pids["cat.png"] == os.getpid()
    assert pids["dog.png"] != os.getpid()


def _leave_pid(folder: Path, master: Master, _settings: Settings) -> FakeOutput:
    (folder / Path(master.key).name).write_text(str(os.getpid()))
    return FakeOutput()


@pytest.mark.usefixtures("three_masters")
def test_a_rejection_in_a_child_is_counted_and_not_redelivered(capsys: pytest.CaptureFixture[str]) -> None:
    """The parent handles the child's rejection; the reason is not checked, because the child's moto is lost with it."""
    assert process(sqs_event(*BATCH, deliveries=2), on(OTHER, raising(BrokenImageError("truncated")))) == []
    assert total(emf(capsys.readouterr().out), "RejectedImage") == 1


def test_a_child_is_limited_to_the_functions_memory_and_time(
    three_masters: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child is limited to the function's memory, and to the time left minus the reserve."""
    assert three_masters
    seen: dict[str, float] = {}

    def isolated(work: Callable[[], Result], *, wall_s: float, memory_mb: int) -> Result:
        seen.update(wall_s=wall_s, memory_mb=memory_mb)
        return work()

    monkeypatch.setattr("handlers.work.run_isolated", isolated)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "777")
    process(sqs_event(job(KEY), deliveries=2), left_s=20)
    assert seen["memory_mb"] == 777
    assert 19 - worker.RESERVE_S < seen["wall_s"] <= 20 - worker.RESERVE_S


@pytest.mark.usefixtures("three_masters")
@pytest.mark.parametrize(("deliveries", "guarded"), [(2, False), (1, True)], ids=["redelivered", "guarded"])
def test_each_record_in_a_child_gets_its_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
    deliveries: int,
    guarded: bool,  # noqa: FBT001
) -> None:
    """Each record in a child gets an equal share of the time left; the last one gets all of it."""
    shares: list[float] = []
    picture = SimpleNamespace(guarded=guarded, header=SimpleNamespace(format="WebP"))

    def isolated(work: Callable[[], Result], *, wall_s: float, memory_mb: int) -> Result:
        assert memory_mb
        shares.append(wall_s)
        return work()

    monkeypatch.setattr("handlers.work.run_isolated", isolated)
    monkeypatch.setattr("handlers.imaging.open_picture", lambda *_, **__: picture)
    event, context = sqs_event(*BATCH, deliveries=deliveries), Context(30 + worker.RESERVE_S)
    assert failures(worker.process(event, context, work_with(done, need_bytes=1))) == []
    assert shares == pytest.approx([10, 15, 30], rel=0.05)


# Logs


@pytest.mark.usefixtures("three_masters")
@pytest.mark.parametrize(
    ("outcome", "work", "body"),
    [
        ("written", done, job(KEY)),
        ("superseded", lambda *_: FakeOutput(written=False), job(KEY)),
        ("rejected", on(KEY, raising(BrokenImageError("truncated"))), job(KEY)),
        ("refused", must_not_run, "not JSON"),
        ("gone", must_not_run, job("master/gone.png")),
    ],
)
def test_each_message_has_one_log_line(
    logged: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    work: Run,
    body: str | dict[str, Any],
) -> None:
    """The line has the message's outcome, and its duration in milliseconds."""
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=iter([10.0, 11.5]).__next__))
    process(sqs_event(body), work)
    (line,) = logged()
    assert (line["message"], line["level"], line["message_id"]) == (outcome, "INFO", "m0")
    assert line["duration_ms"] == 1_500


class SizedOutput(FakeOutput):
    """An output of one file of seven bytes."""

    def write(self, _mark: Mark, _settings: Settings) -> Outcome:
        """Return the outcome with the file's size."""
        return Outcome(state="written", outputs={"a.jpg": {"width": 1, "height": 1, "bytes": 7}})


def test_a_log_line_has_its_masters_key_and_bytes(
    three_masters: Stack, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """The line has the master's key, so that a picture's history can be found, and the bytes read and written."""
    process(sqs_event(job(KEY)), lambda *_: SizedOutput())
    assert [(line["key"], line["bytes_in"], line["bytes_out"]) for line in logged()] == [
        (KEY, len(three_masters.read(KEY)), 7)
    ]


@pytest.mark.usefixtures("stack")
def test_a_function_without_its_environment_raises_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its environment, the function raises, so that all messages are redelivered."""
    monkeypatch.delenv("BUCKET")
    with pytest.raises(KeyError, match="BUCKET"):
        worker.process(sqs_event(job(KEY)), Context(), work_with(must_not_run))


@pytest.mark.parametrize(("keys", "early"), [((KEY,), [True]), ((KEY, OTHER), [False, False])])
@pytest.mark.usefixtures("three_masters")
def test_only_a_single_picture_is_decoded_while_it_arrives(
    monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], early: list[bool]
) -> None:
    """A single picture is decoded early; in a batch, decoding other pictures fills the wait."""
    seen: list[bool] = []

    def opened(source: Any, _limits: Any, *, early: bool, **_: Any) -> Any:
        seen.append(early)
        return source

    monkeypatch.setattr("handlers.imaging.open_picture", opened)
    process(sqs_event(*map(job, keys)))
    assert seen == early
