"""job-publisher: on each event it reads the record and the bucket, and publishes the picture's job."""

from typing import Any

import botocore.exceptions
import pytest

from handlers import clients, job_publisher
from handlers.errors import InvalidJobError
from handlers.job import Job
from handlers.reconcile import PublishError
from tests.handlers.conftest import BUCKET, Context, Stack


def s3_event(*keys: str, bucket: str = BUCKET) -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}} for key in keys]}


def publish(*keys: str) -> None:
    job_publisher.handler(s3_event(*keys), Context())


def test_an_uploaded_object_gets_a_record_and_a_job(stack: Stack) -> None:
    """The message is the job of the record's generation, with the key decoded."""
    etag = stack.upload("master/my cat.png")
    publish("master/my+cat.png")
    record = stack.record("master/my cat.png")
    assert record
    assert (record.key, record.etag, record.state) == ("master/my cat.png", etag, "received")
    assert stack.published() == [
        {
            "bucket": BUCKET,
            "key": "master/my cat.png",
            "etag": etag,
            "name": "my cat",
            "generation": record.generation,
        }
    ]


def test_the_workers_parser_reads_the_published_message(stack: Stack) -> None:
    """The workers' parser reads the publisher's message."""
    stack.upload("master/käse.png")
    publish("master/k%C3%A4se.png")
    body = stack.sqs.receive_message(QueueUrl=stack.queue_url)["Messages"][0]["Body"]
    assert Job.from_json(body).key == "master/käse.png"


def test_every_object_of_an_event_gets_its_job(stack: Stack) -> None:
    """Each object of an event with several objects gets its job."""
    keys = [f"master/{number}.png" for number in range(3)]
    for key in keys:
        stack.upload(key)
    publish(*keys)
    assert sorted(job["key"] for job in stack.published()) == keys


def test_a_folder_marker_publishes_nothing(stack: Stack) -> None:
    """A folder marker is skipped."""
    publish("master/2024/")
    assert stack.published() == []


def test_an_event_from_eventbridge_publishes_its_job(stack: Stack) -> None:
    """An event from EventBridge, as for a bucket that the stack does not own, publishes its job."""
    stack.upload("master/1+1.png")
    detail = {"bucket": {"name": BUCKET}, "object": {"key": "master/1+1.png"}}
    job_publisher.handler({"source": "aws.s3", "detail": detail}, Context())
    assert [job["key"] for job in stack.published()] == ["master/1+1.png"]


def test_a_job_that_sns_refuses_is_named_in_the_error(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the job, and a retry with the same event publishes it."""
    answer = {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
    stack.upload("master/a.png")
    with monkeypatch.context() as patch:
        patch.setattr(clients.sns(), "publish_batch", lambda **_: answer)
        with pytest.raises(PublishError, match=r"^SNS refused the job of master/a\.png: InternalError$"):
            publish("master/a.png")
    publish("master/a.png")
    assert [job["key"] for job in stack.published()] == ["master/a.png"]


def test_an_error_from_sns_is_raised(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A throttled request raises its error."""
    error = botocore.exceptions.ClientError({"Error": {"Code": "Throttled"}}, "PublishBatch")

    def refuse(**_: Any) -> None:
        raise error

    stack.upload("master/a.png")
    monkeypatch.setattr(clients.sns(), "publish_batch", refuse)
    with pytest.raises(botocore.exceptions.ClientError, match="Throttled"):
        publish("master/a.png")


@pytest.mark.parametrize("event", [{"hello": "world"}, s3_event("master/a.png", bucket="another"), s3_event("cat.png")])
def test_an_event_of_another_stack_is_refused(stack: Stack, event: dict[str, Any]) -> None:
    """An unknown event, another bucket and a key outside the prefix raise an error."""
    with pytest.raises(InvalidJobError):
        job_publisher.handler(event, Context())
    assert stack.published() == []
