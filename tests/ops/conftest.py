"""A stack in memory for the commands, by moto; the tests write what the workers would have written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from components.branches import BRANCHES as ROWS
from components.branches import ImageBranch
from handlers.errors import NameTooLongError
from handlers.layout import Layout
from handlers.record import Outcome, Record, State, now
from ops.stack import DeployedStack
from tests.in_memory import account, make_queue, make_table

BRANCHES = tuple(row.name for row in ROWS)
BUT_RESIZING = tuple(name for name in BRANCHES if name != "resizing")

BUCKET, TABLE, PICTURES, TOPIC = "images", "records", "pictures", "new-image-uploaded"
SIZES = ("small", "large")


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A stack, with methods that write what the workers would write."""

    stack: DeployedStack

    def client(self, service: str) -> Any:
        """Return a client of the stack's account."""
        return self.stack.client(service)

    def upload(self, path: str, body: bytes = b"picture") -> str:
        """Upload a master; return its ETag."""
        etag: str = self.client("s3").put_object(Bucket=BUCKET, Key=f"master/{path}", Body=body)["ETag"]
        return etag.strip('"')

    def finish(self, path: str, etag: str, branches: tuple[str, ...] = BRANCHES, recipe: str = "now") -> None:
        """Write the outputs of branches for a state of a master, and the record."""
        self.make_outputs(path, etag, branches)
        self.settle(path, etag, dict.fromkeys(branches, Outcome(state="written", recipe=recipe)))

    def make_outputs(self, path: str, etag: str, branches: tuple[str, ...] = BRANCHES) -> None:
        """Write outputs without a record, as before there were records."""
        key = f"master/{path}"
        for row in ROWS:
            for file in self.files(key, row) if row.name in branches else ():
                self.client("s3").put_object(Bucket=BUCKET, Key=file, Metadata={"key": key, "etag": etag})
        if "metadata-extraction" in branches:
            item = {"name": {"S": self.stack.layout.name(key)}, "key": {"S": key}, "etag": {"S": etag}}
            self.client("dynamodb").put_item(TableName=TABLE, Item=item)

    def files(self, key: str, row: ImageBranch) -> Sequence[str]:
        """Return the keys of a branch's files, or none if S3 would not accept them."""
        try:
            return self.stack.files(key, row)
        except NameTooLongError:
            return ()

    def reject(self, path: str, etag: str, branch: str, error: str = "NotAnImageError") -> None:
        """Write a branch's rejection of a state of a master, and the record."""
        self.write_reason(path, etag, branch, error)
        self.settle(path, etag, {branch: Outcome(state="rejected", error=error, message="no picture")})

    def write_reason(self, path: str, etag: str, branch: str, error: str = "NotAnImageError") -> None:
        """Write a rejection without a record, as before there were records."""
        key = f"master/{path}"
        reason = {"bucket": BUCKET, "key": key, "branch": branch, "error": error, "message": "no picture", "etag": etag}
        rejected = self.stack.layout.rejected_key(key, branch)
        self.client("s3").put_object(Bucket=BUCKET, Key=rejected, Body=json.dumps(reason))

    def settle(self, path: str, etag: str, outcomes: Mapping[str, Outcome]) -> None:
        """Add outcomes to the record of a state of a master; a new state is a new generation."""
        key = f"master/{path}"
        name, before = self.stack.layout.name(key), self.record(path)
        same = before is not None and (before.key, before.etag) == (key, etag)
        branches = {**(before.branches if before and same else {}), **outcomes}
        rejected = any(outcome.state == "rejected" for outcome in branches.values())
        settled: State = "rejected" if rejected else "complete"
        record = Record(
            name=name,
            key=key,
            etag=etag,
            generation=(before.generation + (not same)) if before else 1,
            state=settled if len(branches) == len(BRANCHES) else "received",
            branches=branches,
            received_at=now(),
            settled_at=now() if len(branches) == len(BRANCHES) else "",
        )
        self.client("dynamodb").put_item(TableName=PICTURES, Item=record.as_item())

    def record(self, path: str) -> Record | None:
        """Return the record by a master's path."""
        return self.stack.records.read(self.stack.layout.name(f"master/{path}"))

    def published(self) -> list[str]:
        """Return the keys of the published jobs, which every branch's queue received."""
        return [job["key"] for job in self.jobs()]

    def jobs(self) -> list[dict[str, Any]]:
        """Return the published jobs."""
        return [json.loads(body) for body in self.bodies(self.stack.queues["resizing"])]

    def bodies(self, url: str) -> list[str]:
        """Receive and return the bodies of a queue's messages."""
        found: list[str] = []
        while messages := self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return found


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """Create bucket, table, topic and queues in memory."""
    with account(monkeypatch, BUCKET) as client:
        for table in (TABLE, PICTURES):
            make_table(client("dynamodb"), table)
        topic = client("sns").create_topic(Name=TOPIC)["TopicArn"]
        failures = [*BRANCHES, *(f"{branch}-undelivered" for branch in BRANCHES), "job-publisher-failed"]
        queues = {branch: make_queue(client, f"{branch}-queue") for branch in BRANCHES}
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
                dead_letter_queues={name: make_queue(client, f"{name}-failures") for name in failures},
                layout=Layout(),
                sizes=SIZES,
                name="dev",
                pictures=PICTURES,
                recipes=dict.fromkeys(BRANCHES, "now"),
            )
        )
