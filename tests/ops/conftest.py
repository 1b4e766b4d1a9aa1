"""A stack in memory for the commands, by moto: what the workers would have left is put there by hand."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws

from components.branches import BRANCHES as ROWS
from handlers.job import Layout
from ops.stack import DeployedStack

BRANCHES = tuple(row.name for row in ROWS)

BUCKET, TABLE, TOPIC = "images", "records", "new-image-uploaded"
REGION: Final = "eu-central-1"
SIZES = ("small", "large")


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A stack and the hand that plays its workers."""

    stack: DeployedStack

    def client(self, service: str) -> Any:
        """Return a client of the stack's account."""
        return self.stack.client(service)

    def upload(self, path: str, body: bytes = b"picture") -> str:
        """Put a master; return its ETag."""
        etag: str = self.client("s3").put_object(Bucket=BUCKET, Key=f"master/{path}", Body=body)["ETag"]
        return etag.strip('"')

    def finish(self, path: str, etag: str, branches: tuple[str, ...] = BRANCHES) -> None:
        """Leave what some branches make of a state of a master."""
        key = f"master/{path}"
        for row in ROWS:
            for file in self.stack.files(key, row) if row.name in branches else ():
                self.client("s3").put_object(Bucket=BUCKET, Key=file, Metadata={"key": key, "etag": etag})
        if "metadata-extraction" in branches:
            item = {"name": {"S": self.stack.layout.name(key)}, "key": {"S": key}, "etag": {"S": etag}}
            self.client("dynamodb").put_item(TableName=TABLE, Item=item)

    def reject(self, path: str, etag: str, branch: str, error: str = "NotAnImageError") -> None:
        """Leave why a branch rejected a state of a master."""
        key = f"master/{path}"
        reason = {"bucket": BUCKET, "key": key, "branch": branch, "error": error, "message": "no picture", "etag": etag}
        rejected = self.stack.layout.rejected_key(key, branch)
        self.client("s3").put_object(Bucket=BUCKET, Key=rejected, Body=json.dumps(reason))

    def published(self) -> list[str]:
        """Return the keys of the jobs that were published, which every branch's queue has got."""
        return [json.loads(body)["key"] for body in self.bodies(self.stack.queues["resizing"])]

    def bodies(self, url: str) -> list[str]:
        """Take the messages out of a queue."""
        found: list[str] = []
        while messages := self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return found


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """Make bucket, table, topic and queues in memory."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = functools.cache(lambda service: boto3.client(service, region_name=REGION))
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        client("dynamodb").create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        topic = client("sns").create_topic(Name=TOPIC)["TopicArn"]
        failures = [*BRANCHES, *(f"{branch}-undelivered" for branch in BRANCHES), "job-publisher-failed"]
        queues = {branch: client("sqs").create_queue(QueueName=f"{branch}-queue")["QueueUrl"] for branch in BRANCHES}
        for url in queues.values():
            arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
                "QueueArn"
            ]
            raw = {"RawMessageDelivery": "true"}
            client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
        yield Pipeline(
            stack=DeployedStack(
                client=client,
                bucket=BUCKET,
                table=TABLE,
                topic=topic,
                queues=queues,
                dead_letter_queues={
                    name: client("sqs").create_queue(QueueName=f"{name}-failures")["QueueUrl"] for name in failures
                },
                layout=Layout(),
                sizes=SIZES,
            )
        )
