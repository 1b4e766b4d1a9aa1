"""The whole program, deployed once into its own emulator with IAM enforced."""

import contextlib
import io
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from components import image_worker
from components.config import PROJECT
from components.stack_file import stack_config
from handlers.record import Record
from local.cascade import stack_of
from local.deployment import Deployment
from local.emulator import Emulator
from ops.logs import log_events
from ops.stack import DeployedStack

# Long enough for a busy machine; a passing test finishes much earlier.
TIMEOUT_S = 90
POLL_S = 0.1

# Retry failed messages quickly, and never move them to the dead letters during a test.
CONFIG = {
    f"{PROJECT}:maxReceives": "1000",
    f"{PROJECT}:sizes": '["small=40", "tall=80"]',
    f"{PROJECT}:deletions": "follow",
}
VISIBILITY_S = 2


@dataclass(frozen=True, kw_only=True)
class Live:
    """A deployment under test."""

    deployment: Deployment
    stack: DeployedStack

    def put(self, key: str, body: bytes) -> str:
        """Upload a master; return its ETag."""
        etag: str = self.client("s3").put_object(Bucket=self.stack.bucket, Key=key, Body=body)["ETag"]
        return etag.strip('"')

    def head(self, key: str) -> dict[str, Any] | None:
        """Return an object's head, or None if there is no object."""
        try:
            found: dict[str, Any] = self.client("s3").head_object(Bucket=self.stack.bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    def master_etag(self, key: str) -> str | None:
        """Return the ETag of the master behind an output or a rejection, or None if there is no such object."""
        found = self.head(key)
        return found["Metadata"]["etag"] if found else None

    def item(self, name: str) -> dict[str, Any] | None:
        """Return a metadata item, or None if there is none."""
        found: dict[str, Any] = self.client("dynamodb").get_item(TableName=self.stack.table, Key={"name": {"S": name}})
        return found.get("Item")

    def record(self, key: str) -> Record | None:
        """Return a picture's record, by its master's key."""
        return self.stack.records.read(self.stack.layout.name(key))

    def settled(self, key: str, state: str = "complete") -> Record | None:
        """Return a picture's record if it belongs to this master and is in this state."""
        record = self.record(key)
        return record if record is not None and (record.key, record.state) == (key, state) else None

    def log(self, function: str) -> list[str]:
        """Return the lines of a function's log."""
        group = self.deployment.resource("LogGroup", f"{function}-logs")["name"]
        return [event["message"] for event in log_events(self.client("logs"), group)]

    def hide_messages_for(self, seconds: int) -> None:
        """Set the visibility time-out of the queues."""
        for url in self.stack.queues.values():
            self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    def client(self, service: str) -> Any:
        """Return a client for the emulator's root account."""
        return self.deployment.emulator.client(service)


def until(what: str, condition: Callable[..., Any], *arguments: Any) -> Any:
    """Return the first true value of `condition(*arguments)`, or fail after a time-out."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if value := condition(*arguments):
            return value
        time.sleep(POLL_S)
    pytest.fail(f"expected within {TIMEOUT_S} s: {what}")


_shades = itertools.count()


def picture(width: int = 60, height: int = 40) -> bytes:
    """Return a PNG that differs from every other call's."""
    shade = next(_shades)
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (shade % 256, shade // 256, 128)).save(buffer, "PNG")
    return buffer.getvalue()


@contextlib.contextmanager
def deployed(config: Mapping[str, str]) -> Iterator[Live]:
    """Deploy the program with these settings into its own emulator."""
    with Emulator("us-east-1") as emulator:
        deployment = Deployment(emulator)
        deployment.deploy("local", stack_config("local", config))
        yield Live(deployment=deployment, stack=stack_of(deployment))


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """Deploy the program; failed messages are retried after a second, others after two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_worker, "LOCAL_RETRY_S", 1)
        with deployed(CONFIG) as live:
            live.hide_messages_for(VISIBILITY_S)
            yield live


def policy_of(live: Live, function: str) -> tuple[str, str, dict[str, Any]]:
    """Return a function's role, the name of its inline policy, and the policy."""
    role = live.deployment.resource("Role", f"{function}-role")["name"]
    name = live.deployment.resource("RolePolicy", f"{function}-policy")["name"]
    return role, name, json.loads(live.deployment.resource("RolePolicy", f"{function}-policy")["policy"])
