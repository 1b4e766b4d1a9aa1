"""The published events, checked against the schema and the examples in docs/events.md."""

import importlib
import json
import os
import re
import sys
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from components.branches import BRANCHES
from components.stack_file import ROOT
from handlers import clients, job_publisher, stack
from handlers.events import EventRefusedError, Events, PictureState
from handlers.metrics import count_unsent
from tests.handlers.conftest import BUCKET, Context, FakeBus, Stack, configure, sqs_event
from tests.handlers.pictures import picture

BLOCKS: list[dict[str, Any]] = [
    json.loads(block)
    for block in re.findall(r"```json\n(.*?)```", (ROOT / "docs/events.md").read_text(encoding="utf-8"), re.DOTALL)
]
(SCHEMA,) = (block for block in BLOCKS if "$schema" in block)
EXAMPLES = [block for block in BLOCKS if "id" in block]
WORKERS = {row.name: importlib.import_module(f"handlers.{row.module}").handler for row in BRANCHES}


def check(detail: Any) -> None:
    jsonschema.validate(detail, SCHEMA, format_checker=jsonschema.FormatChecker())


def notify(key: str) -> None:
    job_publisher.handler({"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}, Context())


def work(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every branch on the published jobs."""
    bodies = [json.dumps(job) for job in stack.published()]
    for branch, handler in WORKERS.items():
        monkeypatch.setenv("BRANCH", branch)
        assert handler(sqs_event(*bodies), Context()) == {"batchItemFailures": []}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["id"])
def test_the_documented_examples_match_the_schema(example: dict[str, Any]) -> None:
    """The examples on the page match its schema."""
    check(example)


@pytest.mark.parametrize(
    ("body", "what", "states"),
    [(picture(), "Picture complete", {"written"}), (b"no picture", "Picture rejected", {"rejected"})],
)
def test_a_settled_picture_sends_one_event(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, body: bytes, what: str, states: set[str]
) -> None:
    """When the last branch settles, one event lists every branch's outcome and matches the schema."""
    stack.upload("master/2024/cat.jpg", body)
    notify("master/2024/cat.jpg")
    work(stack, monkeypatch)
    (entry,) = stack.sent
    detail = json.loads(entry["Detail"])
    check(detail)
    assert (entry["Source"], entry["DetailType"]) == ("pixelcascade", what)
    assert {facts["state"] for facts in detail["branches"].values()} == states
    assert detail["branches"].keys() == WORKERS.keys()


def test_an_event_lists_the_outputs_in_the_bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, dimensions and bytes are those of the objects in the bucket."""
    stack.upload("master/{name}.jpg", picture((400, 300)))
    notify("master/%7Bname%7D.jpg")
    work(stack, monkeypatch)
    branches = json.loads(stack.sent[0]["Detail"])["branches"]
    outputs = {key: size for facts in branches.values() for key, size in facts.get("outputs", {}).items()}
    assert sorted(outputs) == stack.outputs()
    assert {key: size["bytes"] for key, size in outputs.items()} == {key: len(stack.read(key)) for key in outputs}
    assert outputs["converted/{name}.jpg"] == {
        "width": 400,
        "height": 300,
        "bytes": len(stack.read("converted/{name}.jpg")),
    }


def test_an_event_lists_the_files_that_were_not_kept(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not smaller than its JPEG is listed as not kept, and is not in the bucket."""
    configure(monkeypatch, output_formats={"webp": 100}, jpeg_quality=5)
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    stack.upload("master/cat.jpg", picture((400, 300)))
    notify("master/cat.jpg")
    work(stack, monkeypatch)
    detail = json.loads(stack.sent[0]["Detail"])
    check(detail)
    resized = detail["branches"]["resizing"]
    assert "resized/cat/large.webp" in resized["not_kept"]
    assert not resized["not_kept"].keys() & set(stack.outputs())


def test_an_event_that_is_sent_again_has_the_same_id(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that fails between the event and the record's update sends the event again under the same id."""
    stack.upload("master/cat.jpg", picture())
    notify("master/cat.jpg")
    jobs = stack.published()
    with monkeypatch.context() as patch:
        patch.setattr("handlers.record.Records.finish", lambda *_: _fail())
        patch.setattr(stack.__class__, "published", lambda _: jobs)
        for branch, handler in WORKERS.items():
            patch.setenv("BRANCH", branch)
            handler(sqs_event(json.dumps(jobs[0])), Context())
    handler(sqs_event(json.dumps(jobs[0])), Context())
    ids = [json.loads(entry["Detail"])["id"] for entry in stack.sent]
    assert (len(ids), len(set(ids))) == (2, 1)


def _fail() -> None:
    raise OSError("the process is gone")


def test_every_event_matches_the_schema(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events about rejected, complete and deleted pictures match the schema."""
    stack.upload("master/cat.jpg", picture())
    notify("master/cat.jpg")
    stack.upload("master/cat.gif", b"GIF89a")
    notify("master/cat.gif")
    work(stack, monkeypatch)
    stack.s3.delete_object(Bucket=BUCKET, Key="master/cat.gif")
    notify("master/cat.gif")
    for entry in stack.sent:
        check(json.loads(entry["Detail"]))
    # Two jobs of one generation may both find all branches settled, and send the event twice under one id.
    types = {json.loads(entry["Detail"])["id"]: entry["DetailType"] for entry in stack.sent}
    assert list(types.values()) == ["Picture rejected", "Picture complete", "Picture deleted"]


def test_the_event_and_the_record_have_the_same_placeholder(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `placeholders`, the event and the record have the same placeholder, and the event matches the schema."""
    configure(monkeypatch, placeholders=True)
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    stack.upload("master/cat.jpg", picture())
    notify("master/cat.jpg")
    work(stack, monkeypatch)
    detail = json.loads(stack.sent[0]["Detail"])
    check(detail)
    record = stack.record("master/cat.jpg")
    assert record
    assert detail["branches"]["resizing"]["placeholder"] == record.branches["resizing"].placeholder
    assert "placeholder" not in detail["branches"]["format-conversion"]


def test_events_can_be_turned_off(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `events: false` a picture settles without an event."""
    configure(monkeypatch, events=False)
    monkeypatch.setenv("TOPIC_ARN", stack.topic_arn)
    stack.upload("master/cat.jpg", picture())
    notify("master/cat.jpg")
    work(stack, monkeypatch)
    record = stack.record("master/cat.jpg")
    assert record
    assert (stack.sent, record.state) == ([], "complete")


def test_a_refused_event_raises_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A partial failure of PutEvents raises, so that the message is redelivered, and is counted in a metric."""
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}]}

    class Refusing(FakeBus):
        def put_events(self, **_: Any) -> dict[str, Any]:
            return answer

    events = Events(client=Refusing, stack="dev", bucket=BUCKET)  # type: ignore[arg-type]
    with pytest.raises(EventRefusedError, match=r"of master/cat\.jpg: ThrottlingException slow down"):
        events.send("complete", PictureState(key="master/cat.jpg", name="cat", generation=1))
    counted = json.loads(capsys.readouterr().out)
    assert counted["UnsentEvent"] == [1.0]
    assert counted["service"] == os.environ["POWERTOOLS_SERVICE_NAME"]


def test_an_unsent_event_is_counted_by_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two writes another thread's log line could come, and CloudWatch would read neither."""
    written: list[str] = []
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=written.append))
    count_unsent()
    assert [json.loads(line)["UnsentEvent"] for line in written] == [[1.0]]
    assert written[0].endswith("\n")


@pytest.mark.usefixtures("stack")
def test_reading_the_settings_creates_no_events_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the settings does not create the EventBridge client, which most workers never need."""
    monkeypatch.setattr(clients, "events", lambda: pytest.fail("the client was made"))
    assert stack.events(stack.RecordSettings.from_environment()).bucket == BUCKET
