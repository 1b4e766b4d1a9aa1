"""What the local deployment refuses: unknown resource types, and resources that AWS would refuse."""

import json
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi_aws as aws
import pytest

from components import policies
from components.stack_file import stack_config
from local.deployment import Deployment, DeploymentError
from local.emulator import Emulator
from local.resources import CREATORS
from local.resources.compute import with_batches


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Start an emulator for this module."""
    with Emulator("us-east-1") as started:
        yield started


@pytest.fixture
def deployment(emulator: Emulator) -> Deployment:
    """Return a deployment without any resources."""
    return Deployment(emulator)


def test_an_unknown_resource_type_is_refused(deployment: Deployment, tmp_path: Path) -> None:
    """The error names the resource, its type, and the supported types."""
    program = tmp_path / "__main__.py"
    program.write_text("import pulumi_aws as aws\naws.kinesis.Stream('clicks', shard_count=1)\n")
    with pytest.raises(
        DeploymentError,
        match=r"expected a resource of one of the types .* got 'clicks' of type aws:kinesis/stream:Stream",
    ):
        deployment.deploy("local", stack_config("local"), program)


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        (policies.publish("topic"), ["sns:Publish", "sns:PublishBatch"]),
        (policies.send("queue"), ["sqs:SendMessage"]),
        ({"Effect": "Allow", "Action": "sns:Publish", "Resource": "topic"}, ["sns:Publish", "sns:PublishBatch"]),
    ],
)
def test_a_batch_needs_a_separate_action_on_the_emulator(statement: policies.Statement, actions: list[str]) -> None:
    """The emulator checks batches with a separate action, which AWS does not have."""
    (found,) = json.loads(with_batches(policies.document([statement])))["Statement"]
    assert found == {**statement, "Action": actions}


def test_ctrl_c_ends_a_deployment(deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resources that are being made are the last ones."""
    made: list[str] = []

    def create(_emulator: Emulator, name: str, _inputs: object) -> dict[str, str]:
        made.append(name)
        if len(made) == 1:
            signal.pthread_kill(int(threading.main_thread().ident or 0), signal.SIGINT)
        assert deployment.interrupted.wait(30)
        return {"id": name}

    monkeypatch.setitem(CREATORS, "aws:sqs/queue:Queue", create)
    program = tmp_path / "__main__.py"
    program.write_text("import pulumi_aws as aws\nfor number in range(500):\n    aws.sqs.Queue(f'queue-{number}')\n")
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            deployment.deploy("local", stack_config("local"), program)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert 0 < len(made) < 500


def deploy_bucket(deployment: Deployment, folder: Path, settings: Mapping[str, str]) -> None:
    """Deploy a program that has only the stack's bucket, with these settings, and exports its name."""
    program = folder / "__main__.py"
    program.write_text(
        "import pulumi\nfrom components.config import StackConfig\nfrom components.storage import ImageBucket\n"
        "pulumi.export('bucket', ImageBucket('images', StackConfig.load()).name)\n"
    )
    deployment.deploy("local", {**stack_config("local"), **settings}, program)


def test_an_existing_bucket_is_made_for_a_stack_that_uses_one(deployment: Deployment, tmp_path: Path) -> None:
    """A new emulator has no bucket: the stack gets one as `ops adopt` leaves it."""
    deploy_bucket(deployment, tmp_path, {"pixelcascade:bucket": "my-pictures", "pixelcascade:forceDestroy": "false"})
    assert deployment.outputs["bucket"] == "my-pictures"
    s3 = deployment.emulator.client("s3")
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket="my-pictures")


def test_lifecycle_rules_are_deployed(deployment: Deployment, tmp_path: Path) -> None:
    """Each of the rules that settings add expires what it expires on AWS."""
    deploy_bucket(deployment, tmp_path, {"pixelcascade:versioning": "true", "pixelcascade:rejectedDays": "5"})
    s3 = deployment.emulator.client("s3")
    found = s3.get_bucket_lifecycle_configuration(Bucket=deployment.outputs["bucket"])["Rules"]
    expiring = {rule["ID"]: rule.get("Expiration") for rule in found}
    assert expiring["noncurrent-versions"] == {"ExpiredObjectDeleteMarker": True}
    assert expiring["rejected"] == {"Days": 5}


def test_an_unknown_provider_call_is_refused(deployment: Deployment, tmp_path: Path) -> None:
    """A call to the provider that the local deployment does not support is an error that names it."""
    program = tmp_path / "__main__.py"
    program.write_text("import pulumi, pulumi_aws as aws\npulumi.export('zones', aws.get_availability_zones().names)\n")
    with pytest.raises(DeploymentError, match="getAvailabilityZones"):
        deployment.deploy("local", stack_config("local"), program)


def deny(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Replace a function of `components.policies` with one that grants nothing useful."""
    nothing = {"Effect": "Allow", "Action": ["sqs:ListQueues"], "Resource": "arn:aws:sqs:us-east-1:000000000000:none"}
    monkeypatch.setattr(policies, name, lambda *_: nothing)


@pytest.mark.parametrize(
    ("permission", "refused"),
    [
        ("consume", r"sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes on arn:aws:sqs:.*-queue-"),
        ("send", r"sqs:SendMessage on arn:aws:sqs:.*job-publisher-failed-"),
    ],
)
def test_a_function_without_queue_permissions_is_not_connected(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, permission: str, refused: str
) -> None:
    """As on AWS, a mapping and a destination are refused if the function's role may not use the queue."""
    deny(monkeypatch, permission)
    with pytest.raises(DeploymentError, match=refused):
        deployment.deploy("local", stack_config("local"))


@pytest.mark.parametrize("action", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"])
def test_each_polling_action_is_needed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """Without one of the three actions the mapping is refused, and the error names that action only."""
    consume = policies.consume

    def without(queue_arn: str) -> policies.Statement:
        statement = consume(queue_arn)
        return {**statement, "Action": [kept for kept in statement["Action"] if kept != action]}

    monkeypatch.setattr(policies, "consume", without)
    with pytest.raises(DeploymentError, match=rf"permissions to call {action} on"):
        deployment.deploy("local", stack_config("local"))


@pytest.mark.parametrize(
    "instead",
    [
        {"principal": "sns.amazonaws.com"},
        {"source_arn": "arn:aws:s3:::another"},
        {"source_account": "111111111111"},
    ],
)
def test_a_trigger_without_permission_is_refused(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, instead: dict[str, str]
) -> None:
    """As on AWS, a trigger is refused if the function's policy does not allow this bucket of this account."""
    permission = aws.lambda_.Permission
    monkeypatch.setattr(aws.lambda_, "Permission", lambda name, **inputs: permission(name, **{**inputs, **instead}))
    with pytest.raises(DeploymentError, match="Unable to validate the following destination configurations"):
        deployment.deploy("local", stack_config("local"))
