"""The Python example, deployed into an emulator with IAM enforced: a fan-out without pictures."""

import json
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from components.stack_file import ROOT, stack_config
from local.deployment import Deployment
from local.emulator import Emulator
from ops.logs import log_events
from ops.queues import depth
from tests.e2e.conftest import until
from tests.provider.python_sdk import python_sdk

EXAMPLE = ROOT / "examples" / "fanout-python"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deploy the example, as the local run does: for this machine's Python, and without TLS only."""
    folder = tmp_path_factory.mktemp("orders")
    archive = shutil.make_archive(str(folder / "workers"), "zip", EXAMPLE / "workers")
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = folder / "__main__.py"
    text = (EXAMPLE / "__main__.py").read_text().replace("./workers", archive).replace("python3.13", runtime)
    program.write_text(text.replace('    "order-placed",', '    "order-placed",\n    tls_only=False,'))
    with Emulator("us-east-1") as emulator, python_sdk():
        deployment = Deployment(emulator)
        deployment.deploy("local", stack_config("local"), program)
        yield deployment


def publish(deployment: Deployment, message: str) -> None:
    deployment.emulator.client("sns").publish(TopicArn=deployment.outputs["topic"], Message=message)


def log(deployment: Deployment, function: str) -> str:
    """Return a function's log."""
    group = deployment.resource("LogGroup", f"{function}-logs")["name"]
    return "\n".join(event["message"] for event in log_events(deployment.emulator.client("logs"), group))


def test_an_order_reaches_both_branches(deployment: Deployment) -> None:
    """Billing logs the order and shipping stores it, with the permissions from the program."""
    publish(deployment, json.dumps({"order": "A-17", "amount": 42}))
    table = deployment.resource("Table", "shipments")["name"]

    def stored() -> Any:
        return (
            deployment.emulator.client("dynamodb").get_item(TableName=table, Key={"order": {"S": "A-17"}}).get("Item")
        )

    assert until("the order is stored", stored) == {"order": {"S": "A-17"}}
    assert until("it is billed", lambda: "order A-17: 42 billed" in log(deployment, "order-placed-billing"))


def test_a_bad_order_stays_in_its_queue(deployment: Deployment) -> None:
    """A reported message is not deleted: it stays hidden until it is delivered again."""
    publish(deployment, "{}")
    until("billing fails on it", lambda: "failed: KeyError" in log(deployment, "order-placed-billing"))
    url = deployment.resource("Queue", "order-placed-billing-queue")["url"]
    assert depth(deployment.emulator.client("sqs"), url).in_work == 1
