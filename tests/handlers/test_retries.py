"""When failed messages are redelivered: soon at first, later after the visibility time-out, never all at once."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from components.config import StackConfig
from handlers import clients, retries, worker
from tests.handlers.conftest import Context, FakeOutput, Stack, job, sqs_event, work_with
from tests.in_memory import client

VISIBILITY_S = StackConfig().visibility_timeout_s
RECEIVES = StackConfig().max_receives
KEYS = ["master/cat.png", "master/dog.png"]
REAL_SCHEDULE = retries.schedule


def fail(*_: object) -> FakeOutput:
    raise ZeroDivisionError


def test_the_first_retry_comes_within_ten_seconds() -> None:
    """The first retry comes after 5 to 10 seconds."""
    assert {5 <= retries.delay_s(1, VISIBILITY_S) <= 10 for _ in range(100)} == {True}


def test_the_deliveries_span_at_least_fifteen_minutes() -> None:
    """With the default settings, the deliveries of a message span at least 15 minutes."""
    spans = [sum(retries.delay_s(number, VISIBILITY_S) for number in range(1, RECEIVES)) for _ in range(100)]
    assert min(spans) >= 15 * 60


def test_delays_grow_to_the_visibility_time_out() -> None:
    """The third delay is the visibility time-out plus up to 10 %."""
    delays = [retries.delay_s(number, VISIBILITY_S) for number in (1, 2, 3, 4)]
    assert delays == sorted(delays[:3]) + delays[3:]
    assert VISIBILITY_S <= delays[2] <= 1.1 * VISIBILITY_S


def test_delays_have_random_jitter() -> None:
    """Random jitter keeps messages that fail together from being retried together."""
    assert len({retries.delay_s(3, VISIBILITY_S) for _ in range(100)}) > 10


@pytest.mark.usefixtures("masters_not_opened")
def test_a_retry_is_scheduled_for_failed_messages_only(stack: Stack) -> None:
    """A batch schedules a retry for failed messages only, by their number of deliveries."""
    for key in KEYS:
        stack.upload(key)

    def work(master: Any, _settings: Any) -> FakeOutput:
        return fail() if master.key == KEYS[1] else FakeOutput()

    worker.process(sqs_event(*map(job, KEYS)), Context(), work_with(work))
    assert list(stack.delays_s) == ["handle of m1"]
    assert stack.delays_s["handle of m1"] <= 10


@pytest.mark.usefixtures("masters_not_opened")
def test_a_record_that_was_not_started_is_retried_at_once(stack: Stack) -> None:
    """A message that was not started has a delay of 0, because it has not failed."""
    stack.upload(KEYS[0])
    worker.process(sqs_event(job(KEYS[0])), Context(worker.RESERVE_S + 1.5), work_with(fail))
    assert stack.delays_s == {"handle of m0": 0}


@pytest.mark.usefixtures("masters_not_opened")
@pytest.mark.parametrize(
    ("broken", "logged"),
    [(lambda *_: 1 / 0, "ZeroDivisionError"), (lambda *_: ["AccessDenied"], "AccessDenied")],
    ids=["an error", "a refusal"],
)
def test_the_failed_message_is_reported_even_if_scheduling_fails(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: Any, logged: str
) -> None:
    """If scheduling fails, the response still names the failed message, and a warning says why scheduling failed."""
    stack.upload(KEYS[0])
    monkeypatch.setattr(retries, "schedule", broken)
    response = worker.process(sqs_event(job(KEYS[0])), Context(), work_with(fail))
    assert response == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    (warning,) = (vars(record) for record in caplog.records if record.levelname == "WARNING")
    assert (warning["message"], warning["errors"]) == ("the retries were not scheduled", [logged])


def test_delays_of_more_than_ten_messages_are_set(stack: Stack) -> None:
    """SQS accepts the delays of twelve messages, which are sent ten at a time."""
    assert stack
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    for number in range(12):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    handles = [_receive(sqs, url)["ReceiptHandle"] for _ in range(12)]
    sent: list[int] = []
    calls = clients.sqs().meta.events
    calls.register("provide-client-params.sqs.*", lambda params, **_: sent.append(len(params["Entries"])))
    assert list(REAL_SCHEDULE(url, dict.fromkeys(handles, 0), lambda: True)) == []
    assert sent == [10, 2]
    assert {_receive(sqs, url)["Body"] for _ in range(12)} == {str(number) for number in range(12)}


@pytest.mark.usefixtures("masters_not_opened")
def test_scheduling_ends_before_the_time_out(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large batch that was not started, the last messages wait for the visibility time-out instead."""
    messages, context, calls = [job(f"master/{number}.png") for number in range(45)], Context(), list[int]()

    def change(Entries: list[Any], **_: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        calls.append(len(Entries))
        return {}

    def left_ms() -> float:
        return 1000 * worker.SHORTEST_CALL_S * (4.5 - len(calls))

    assert stack
    monkeypatch.setattr(context, "get_remaining_time_in_millis", left_ms)
    monkeypatch.setattr(retries, "schedule", REAL_SCHEDULE)
    monkeypatch.setattr(clients, "sqs", lambda: SimpleNamespace(change_message_visibility_batch=change))
    response = worker.process(sqs_event(*messages), context, work_with(fail))
    assert len(response["batchItemFailures"]) == len(messages)
    assert calls == [10, 10, 10, 10]


def test_a_stalled_read_leaves_time_for_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four read time-outs of a service that does not respond end well before the function's time-out."""
    for timeout_s in (10, 60, 900):
        monkeypatch.setenv("FUNCTION_TIMEOUT_S", str(timeout_s))
        assert 4 * clients._read_timeout_s() <= max(timeout_s / 2, 8)


def _receive(sqs: Any, url: str) -> Mapping[str, Any]:
    (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
    found: Mapping[str, Any] = message
    return found
