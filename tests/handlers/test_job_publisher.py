"""job-publisher: one job on the topic for each object of an S3 event."""

from typing import Any

import botocore.exceptions
import pytest

from handlers import clients, job_publisher
from handlers.errors import InvalidJobError
from handlers.job import Job
from handlers.topic import PublishError
from tests.handlers.conftest import BUCKET, Context, Stack


def s3_event(*keys: str) -> dict[str, Any]:
    entity = {"size": 7, "eTag": "e", "sequencer": "0A"}
    return {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key, **entity}}} for key in keys]}


def publish(*keys: str) -> None:
    job_publisher.handler(s3_event(*keys), Context())


def test_an_object_becomes_a_job(stack: Stack) -> None:
    """The message is the job, with its key decoded."""
    publish("master/my+cat.png")
    assert stack.published() == [
        {"bucket": BUCKET, "key": "master/my cat.png", "etag": "e", "size": 7, "sequencer": "0A"}
    ]


def test_the_message_is_read_as_the_job_that_it_was(stack: Stack) -> None:
    """What the publisher sends is what the workers read."""
    publish("master/k%C3%A4se.png")
    body = stack.sqs.receive_message(QueueUrl=stack.queue_url)["Messages"][0]["Body"]
    assert Job.from_json(body).key == "master/käse.png"


@pytest.mark.usefixtures("stack")
def test_many_objects_are_published_ten_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """SNS takes ten messages a request: 23 objects are three requests, and no job is lost."""
    requests: list[list[str]] = []

    def answer(**request: Any) -> dict[str, Any]:
        requests.append([entry["Message"] for entry in request["PublishBatchRequestEntries"]])
        return {"Successful": [], "Failed": []}

    monkeypatch.setattr(clients.sns(), "publish_batch", answer)
    publish(*(f"master/{number}.png" for number in range(23)))
    assert [len(request) for request in requests] == [10, 10, 3]
    assert {Job.from_json(text).key for request in requests for text in request} == {
        f"master/{number}.png" for number in range(23)
    }


def test_a_marker_for_a_folder_publishes_nothing(stack: Stack) -> None:
    """A request without messages would be refused, so none is made."""
    publish("master/2024/")
    assert stack.published() == []


@pytest.mark.usefixtures("stack")
def test_a_job_that_sns_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """PublishBatch succeeds in part: Lambda must call again with the same event."""
    answer = {"Successful": [], "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}]}
    monkeypatch.setattr(clients.sns(), "publish_batch", lambda **_: answer)
    with pytest.raises(PublishError, match=r"^SNS refused 1 of 2 jobs: master/b\.png: InternalError$"):
        publish("master/a.png", "master/b.png")


@pytest.mark.usefixtures("stack")
def test_what_sns_raises_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A throttled request is not swallowed."""
    error = botocore.exceptions.ClientError({"Error": {"Code": "Throttled"}}, "PublishBatch")

    def refuse(**_: Any) -> None:
        raise error

    monkeypatch.setattr(clients.sns(), "publish_batch", refuse)
    with pytest.raises(botocore.exceptions.ClientError, match="Throttled"):
        publish("master/a.png")


def test_an_event_that_is_not_s3s_is_refused(stack: Stack) -> None:
    """A test event that somebody sends by hand fails, instead of doing nothing."""
    with pytest.raises(InvalidJobError):
        job_publisher.handler({"hello": "world"}, Context())
    assert stack.published() == []
