"""An in-memory stack for the functions: bucket, table, topic and environment, from moto."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from components.config import StackConfig
from components.image_worker import worker_environment
from handlers import clients, imaging, metrics, retries
from handlers.job import Job
from handlers.layout import Layout
from handlers.marks import Mark
from handlers.master import Master, fetch
from handlers.record import Outcome, Record, Records
from handlers.settings import Settings
from handlers.work import Work
from tests.in_memory import REGION, account, client, make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

BUCKET, TABLE, PICTURES, TOPIC = "images", "metadata", "pictures", "new-image-uploaded"
BRANCH = "resizing"
MEMORY_MB = 10_240
"""Lambda's maximum: a child gets what the test process leaves free, and that process uses more than a worker."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What the functions use: a bucket, a table, and a topic with a queue that shows what is published."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    sns: "SNSClient"
    sqs: "SQSClient"
    topic_arn: str
    queue_url: str
    delays_s: dict[str, int]
    sent: list[dict[str, Any]]

    def upload(self, key: str, body: bytes = b"bytes") -> str:
        """Upload a master; return its ETag."""
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')

    def master(self, key: str, body: bytes | None = None) -> Master:
        """Return the master as a worker fetches it, after uploading `body` if there is one."""
        if body is not None:
            self.upload(key, body)
        return fetch(Job(bucket=BUCKET, key=key))

    def receive(self, key: str, body: bytes | None = None, generation: int = 1, **fields: Any) -> dict[str, Any]:
        """Start a generation of a master, after uploading `body` if there is one; return its job."""
        etag = self.upload(key, body) if body is not None else self.s3.head_object(Bucket=BUCKET, Key=key)["ETag"]
        record = Record(
            name=Layout().name(key), key=key, etag=etag.strip('"'), generation=generation, state="received", **fields
        )
        self.dynamodb.put_item(TableName=PICTURES, Item=record.as_item())
        return job(key, etag=record.etag, name=record.name, generation=generation)

    def record(self, key: str) -> Record | None:
        """Return a picture's record, by its master's key."""
        return Records(dynamodb=self.dynamodb, table=PICTURES).read(Layout().name(key))

    def events(self) -> list[tuple[str, str]]:
        """Return the type and key of each event sent."""
        return [(entry["DetailType"], json.loads(entry["Detail"])["key"]) for entry in self.sent]

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys below a prefix."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"] for found in listed.get("Contents", [])]

    def outputs(self) -> list[str]:
        """Return all keys except those of masters."""
        return [key for key in self.keys() if not key.startswith("master/")]

    def get(self, key: str) -> Any:
        """Return S3's response for an object."""
        return self.s3.get_object(Bucket=BUCKET, Key=key)

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        body: bytes = self.get(key)["Body"].read()
        return body

    def rejection(self, key: str) -> dict[str, Any]:
        """Return a stored reason for a rejection."""
        reason: dict[str, Any] = json.loads(self.read(key))
        return reason

    def item(self, name: str) -> dict[str, Any] | None:
        """Return an item as DynamoDB stores it."""
        item: dict[str, Any] | None = self.dynamodb.get_item(TableName=TABLE, Key={"name": {"S": name}}).get("Item")
        return item

    def published(self) -> list[dict[str, Any]]:
        """Return the messages that the topic delivered, at most ten."""
        received = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in received.get("Messages", [])]


STACKS: list[Stack] = []
"""The stack of the current test, if it has one."""


class Context(LambdaContext):
    """A function's context whose remaining time counts down."""

    def __init__(self, left_s: float = 60.0) -> None:
        self._end = time.monotonic() + left_s
        self._function_name = "pixel-resizer"

    def end_in(self, left_s: float) -> None:
        """Set the remaining time, counted from now."""
        self._end = time.monotonic() + left_s

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        """Return how long the function may still run."""
        return max(0, int(1000 * (self._end - time.monotonic())))


@dataclass(frozen=True)
class FakeOutput:
    """A branch's output that is not written anywhere."""

    written: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    def write(self, _mark: Mark, settings: Settings) -> Outcome | None:
        """Return what a real write would return."""
        return Outcome(state="written", recipe=settings.recipe) if self.written else None


Run = Callable[[Master, Settings], FakeOutput]


def work_with(run: Run, need_bytes: int = 0) -> Work:
    """Return a branch's work that ignores the picture."""
    return Work(run=lambda _picture, master, settings: run(master, settings), bytes_needed=lambda *_: need_bytes)


@pytest.fixture
def masters_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow any bytes as masters: they are not opened as pictures."""
    monkeypatch.setattr(imaging, "open_picture", lambda *_, **__: SimpleNamespace(guarded=False))


def sqs_event(*bodies: str | Mapping[str, Any], deliveries: int | list[int] = 1) -> dict[str, Any]:
    """Return a batch of messages `m0`, `m1`, ..., each with its number of deliveries.

    A job without a generation gets that of its master's state, as if the publisher had sent it; pass a job published
    by hand as text.
    """
    counts = deliveries if isinstance(deliveries, list) else [deliveries] * len(bodies)
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"handle of m{number}",
                "body": body if isinstance(body, str) else json.dumps(_received(body)),
                "attributes": {"ApproximateReceiveCount": str(count)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:queue",
                "awsRegion": REGION,
            }
            for number, (body, count) in enumerate(zip(bodies, counts, strict=True))
        ]
    }


def _received(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a job with the generation of its master's newest state, which is recorded first if it is new."""
    if not STACKS or body.keys() & {"generation", "deleted"} or body.get("bucket") != BUCKET:
        return body
    stack, key = STACKS[-1], body["key"]
    if not key.startswith("master/"):
        return body
    try:
        etag = stack.s3.head_object(Bucket=BUCKET, Key=key)["ETag"].strip('"')
    except stack.s3.exceptions.ClientError:
        etag = "gone"
    record = stack.record(key)
    if record is None or (record.key, record.etag) != (key, etag):
        name, generation = Layout().name(key), record.generation + 1 if record else 1
        record = Record(name=name, key=key, etag=etag, generation=generation, state="received")
        stack.dynamodb.put_item(TableName=PICTURES, Item=record.as_item())
    return {**body, "etag": record.etag, "name": record.name, "generation": record.generation}


def job(key: str, **fields: Any) -> dict[str, Any]:
    """Return a job for the stack's bucket."""
    return {"bucket": BUCKET, "key": key, **fields}


def failures(response: Mapping[str, Any]) -> list[str]:
    """Return the ids of the messages to redeliver."""
    assert response.keys() == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def environment(config: StackConfig | None = None, memory_mb: int = MEMORY_MB) -> dict[str, str]:
    """Return a function's environment as the components build it."""
    return {
        **worker_environment(config or StackConfig()),
        "BUCKET": BUCKET,
        "BRANCH": BRANCH,
        "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/work",
        "TABLE": TABLE,
        "PICTURES_TABLE": PICTURES,
        "TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:{TOPIC}",
        "RECIPE": "recipe",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
    }


def settings(**changes: Any) -> Settings:
    """Return a worker's settings for a stack's config."""
    return Settings.from_environment(environment(StackConfig(**changes)))


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the functions credentials of no account, and a region."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def function_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the function the environment that the program gives it."""
    configure(monkeypatch)


def configure(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Give the function the environment of a stack's config with `changes`."""
    for name, value in environment(StackConfig(**changes)).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def no_metrics() -> Iterator[None]:
    """Clear the metrics that a process keeps between calls."""
    metrics.metrics.clear_metrics()
    yield
    metrics.metrics.clear_metrics()


@pytest.fixture
def stack(
    credentials: None,  # noqa: ARG001 requested for its side effects
    function_environment: None,  # noqa: ARG001 requested for its side effects
    no_metrics: None,  # noqa: ARG001 requested for its side effects
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stack]:
    """Create the stack in this process's memory: what a forked child writes is lost when it exits."""
    with account(monkeypatch, BUCKET):
        STACKS.append(_make(monkeypatch))
        yield STACKS[-1]
        STACKS.clear()


def _make(monkeypatch: pytest.MonkeyPatch) -> Stack:
    s3, dynamodb, sns, sqs = map(client, ("s3", "dynamodb", "sns", "sqs"))
    for table in (TABLE, PICTURES):
        make_table(dynamodb, table)
    topic_arn = sns.create_topic(Name=TOPIC)["TopicArn"]
    queue_url = sqs.create_queue(QueueName="published")["QueueUrl"]
    sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:123456789012:published",
        Attributes={"RawMessageDelivery": "true"},
    )
    monkeypatch.setenv("TOPIC_ARN", topic_arn)
    delays_s: dict[str, int] = {}
    monkeypatch.setattr(retries, "schedule", lambda _url, delays, _in_time: delays_s.update(delays) or [])
    bus = FakeBus()
    monkeypatch.setattr(clients, "events", lambda: bus)
    return Stack(
        s3=s3,
        dynamodb=dynamodb,
        sns=sns,
        sqs=sqs,
        topic_arn=topic_arn,
        queue_url=queue_url,
        delays_s=delays_s,
        sent=bus.sent,
    )


class FakeBus:
    """A fake EventBridge that accepts every event and records it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 AWS's own name
        """Accept events."""
        self.sent += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in Entries]}
