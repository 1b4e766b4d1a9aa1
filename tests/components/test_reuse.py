"""What a `Fanout` brings to a program without a `StackConfig` and without pictures."""

import json
from collections import Counter
from pathlib import Path

import pytest

from components.errors import ArgumentError
from components.stack_file import ROOT
from tests.recording import Recorded, Recording, RecordingMocks, allowed, arn, physical, record, recorded, statements

TAGGED = {"EventSourceMapping", "Function", "Key", "LogGroup", "MetricAlarm", "Queue", "Role", "Topic"}
REFUND = "arn:aws:lambda:eu-central-1:123456789012:function:refund:live"


@pytest.fixture(scope="module")
def program() -> Recording:
    """Run the program of the orders."""
    return record({}, program=ROOT / "tests" / "programs" / "orders.py")


@pytest.fixture(scope="module")
def mocks(program: Recording) -> RecordingMocks:
    """Return the resources that the program registered."""
    return program.mocks


def test_urns_are_unique(mocks: RecordingMocks) -> None:
    """Functions of one module and branches of two fan-outs have different names."""
    assert [urn for urn, count in Counter(found.urn for found in mocks.resources).items() if count > 1] == []


def test_a_function_is_named_after_its_branch(mocks: RecordingMocks) -> None:
    """An entry point does not identify the branch: in Node.js all of them may be in `index`."""
    assert mocks.names("Function") == ["placed-billing", "placed-shipping"]


def test_visibility_follows_each_functions_time_out(mocks: RecordingMocks) -> None:
    """It is six time-outs plus the window, for a shared time-out, a branch's own, and an existing function's."""
    queues = {name: mocks.one("Queue", f"{name}-queue").inputs for name in ("placed-billing", "placed-shipping")}
    assert queues["placed-billing"]["visibilityTimeoutSeconds"] == 6 * 20 + 5
    assert queues["placed-shipping"]["visibilityTimeoutSeconds"] == 6 * 60 + 5
    assert mocks.one("Queue", "returned-refunds-queue").inputs["visibilityTimeoutSeconds"] == 6 * 100


def test_every_failure_queue_has_an_alarm(mocks: RecordingMocks) -> None:
    """Two branches get alarms on dead letters and undelivered messages without any code in the program."""
    watched = {
        query["metric"]["dimensions"].get("QueueName")
        for alarm in mocks.of_type("MetricAlarm")
        for query in alarm.inputs["metricQueries"]
        if query["metric"]["metricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == {
        physical(f"placed-{branch}-{queue}")
        for branch in ("billing", "shipping")
        for queue in ("dead-letters", "undelivered")
    }


def test_alarms_notify_the_given_topics(mocks: RecordingMocks) -> None:
    """The alarms notify on both state changes, and do not mention this project's runbooks."""
    alarms = mocks.of_type("MetricAlarm")
    topic = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
    assert all(alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == topic for alarm in alarms)
    assert not any("docs/" in alarm.inputs["alarmDescription"] for alarm in alarms)


def test_alarms_can_be_left_out(mocks: RecordingMocks) -> None:
    """A fan-out whose program defines its own alarms creates none."""
    assert [found.name for found in mocks.of_type("MetricAlarm") if found.name.startswith("returned")] == []


def test_every_taggable_resource_has_the_tags(mocks: RecordingMocks) -> None:
    """Every resource of the fan-out that supports tags has the fan-out's tags."""
    of_one = [found for found in mocks.resources if found.name.startswith("placed") and found.custom]
    assert {found.kind for found in of_one if found.inputs.get("tags") == {"team": "orders"}} == TAGGED
    assert [found.name for found in of_one if found.kind in TAGGED and "tags" not in found.inputs] == []


def test_no_resource_has_tags_by_default() -> None:
    """Without tags of its own, a fan-out leaves them to the provider's defaults."""
    assert [found.name for found in recorded("dev").mocks.resources if "tags" in found.inputs] == []


def test_transformations_reach_the_functions(mocks: RecordingMocks) -> None:
    """A resource option on the fan-out reaches its functions, two components below."""
    assert {found.inputs["reservedConcurrentExecutions"] for found in mocks.of_type("Function")} == {20}


def test_a_key_encrypts_the_messages_and_functions_may_use_it(mocks: RecordingMocks) -> None:
    """Topic, queues and dead-letter queues use the key; functions may decrypt, and one that publishes may encrypt."""
    key = arn("Key", "placed-key")
    encrypted = [found.name for found in mocks.resources if found.inputs.get("kmsMasterKeyId") == key]
    assert sorted(encrypted) == [
        "placed",
        *(f"placed-{branch}-{queue}" for branch in ("billing", "shipping") for queue in ("dead-letters", "queue")),
    ]
    assert {("kms:GenerateDataKey", key), ("kms:Decrypt", key)} <= permissions(mocks, "placed-billing")
    assert ("kms:GenerateDataKey", key) not in permissions(mocks, "placed-shipping")


def test_a_function_has_only_its_own_permissions(mocks: RecordingMocks) -> None:
    """Beyond its queue and its log, a function may do what its statements allow, and publish only if it asks to."""
    common = {"sqs", "logs", "kms"}
    others = {
        name: {action for action, _ in permissions(mocks, name) if action.partition(":")[0] not in common}
        for name in ("placed-billing", "placed-shipping")
    }
    assert others == {"placed-billing": {"sns:Publish"}, "placed-shipping": {"dynamodb:PutItem"}}


def test_an_existing_topic_is_used(mocks: RecordingMocks) -> None:
    """No topic and no topic policy is created, and the branch subscribes to the existing topic."""
    assert mocks.names("Topic") == ["placed"]
    assert mocks.names("TopicPolicy") == ["placed-policy"]
    subscription = mocks.one("TopicSubscription", "returned-refunds-subscription")
    assert subscription.inputs["topic"] == "arn:aws:sns:eu-central-1:123456789012:returned-orders"


def test_an_existing_function_may_read_its_queue(mocks: RecordingMocks) -> None:
    """Its role may read the queue before the mapping is created."""
    mapping = mocks.one("EventSourceMapping", "returned-refunds-mapping")
    policy = mocks.one("RolePolicy", "returned-refunds-policy")
    assert mapping.inputs["functionName"] == REFUND
    assert policy.inputs["role"] == "refund-role"
    assert {resource for _, resource in allowed(policy.inputs["policy"])} == {arn("Queue", "returned-refunds-queue")}
    assert policy.urn in mapping.depends_on


def test_an_existing_function_is_known_by_its_name(program: Recording) -> None:
    """Its alarms and outputs use the name without the alias at the end of its ARN."""
    assert program.outputs["refunds"] == "refund"


def test_failed_messages_become_dead_letters(mocks: RecordingMocks) -> None:
    """The number of receives is the program's setting, and batches may fail in part."""
    for branch in ("billing", "shipping"):
        redrive = json.loads(mocks.one("RedrivePolicy", f"placed-{branch}-redrive").inputs["redrivePolicy"])
        assert redrive == {
            "deadLetterTargetArn": arn("Queue", f"placed-{branch}-dead-letters"),
            "maxReceiveCount": 7,
        }
    reported = [found.inputs["functionResponseTypes"] for found in mocks.of_type("EventSourceMapping")]
    assert reported == [["ReportBatchItemFailures"]] * 3


def permissions(mocks: RecordingMocks, function: str) -> set[tuple[str, str]]:
    """Return the permissions of a function's role."""
    policy: Recorded = mocks.one("RolePolicy", f"{function}-policy")
    return allowed(policy.inputs["policy"])


MINIMAL = """
import pulumi
from components.fanout import Fanout

functions = {"code": pulumi.FileArchive("."), "runtime": "python3.13", "environment": {"LEVEL": "shared", "X": "1"}}
branch = {"name": "a", "handler": "a.b", "environment": {"LEVEL": "own"}}
Fanout("orders", {"branches": [branch], "functions": functions, "create_key": True})
"""


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> RecordingMocks:
    """Return the resources of a fan-out whose program sets only what it must, and creates a key."""
    program = tmp_path_factory.mktemp("minimal") / "__main__.py"
    program.write_text(MINIMAL)
    return record({}, program=program).mocks


def test_defaults_are_as_documented(minimal: RecordingMocks) -> None:
    """The defaults are those in the arguments' docstrings: no program has to set what another relies on."""
    function, mapping = (
        minimal.one("Function", "orders-a").inputs,
        minimal.one("EventSourceMapping", "orders-a-mapping"),
    )
    redrive = json.loads(minimal.one("RedrivePolicy", "orders-a-redrive").inputs["redrivePolicy"])
    assert {key: function[key] for key in ("memorySize", "timeout", "architectures")} == {
        "memorySize": 256,
        "timeout": 30,
        "architectures": ["x86_64"],
    }
    assert minimal.one("LogGroup", "orders-a-logs").inputs["retentionInDays"] == 14
    assert minimal.one("Queue", "orders-a-queue").inputs["visibilityTimeoutSeconds"] == 6 * 30
    assert (mapping.inputs["batchSize"], mapping.inputs["maximumBatchingWindowInSeconds"]) == (10, 0)
    assert (mapping.inputs["scalingConfig"], redrive["maxReceiveCount"]) == ({"maximumConcurrency": 10}, 5)
    assert minimal.one("Key", "orders-key").inputs["deletionWindowInDays"] == 30


def test_plain_http_is_denied_by_default(minimal: RecordingMocks) -> None:
    """The topic and each of a branch's queues deny requests without TLS."""
    policies = [found.inputs["policy"] for kind in ("TopicPolicy", "QueuePolicy") for found in minimal.of_type(kind)]
    denies = [found for policy in policies for found in statements(policy) if found["Effect"] == "Deny"]
    assert [found["Condition"] for found in denies] == [{"Bool": {"aws:SecureTransport": "false"}}] * 4


def test_a_branchs_environment_overrides_the_shared_one(minimal: RecordingMocks) -> None:
    """A function has the shared variables, and its branch's where both set one."""
    variables = minimal.one("Function", "orders-a").inputs["environment"]["variables"]
    assert (variables["LEVEL"], variables["X"]) == ("own", "1")


REFUSED = """
import pulumi
from components.fanout import Fanout

code = {{"code": pulumi.FileArchive("."), "runtime": "python3.13"}}
existing = {{"arn": "arn", "role_name": "role", "timeout_seconds": 1}}
Fanout("orders", {{"branches": {branches}, "functions": {functions}}})
"""


@pytest.mark.parametrize(
    ("branches", "functions", "message"),
    [
        ('[{"name": "a"}, {"name": "a"}]', "code", "expected branches of different names, got a, a: rename one"),
        (
            '[{"name": "a", "handler": "a.b", "function_name": "c"}, {"name": "c", "handler": "a.d"}]',
            "code",
            "expected functions of different names, got c, c: set function_name in one of the branches",
        ),
        ('[{"name": "a"}]', "code", "expected a handler or an existing function, got neither: set one of them"),
        (
            '[{"name": "a", "handler": "a.b", "existing_function": existing}]',
            "code",
            "expected a handler or an existing function, got both",
        ),
        ('[{"name": "a", "handler": "a.b"}]', "{}", "expected code and runtime, got no code and no runtime: set them"),
        ('[{"name": "a", "existing_function": existing}]', "{}", "The branch a: expected a function's ARN, got 'arn'"),
        (
            '[{"name": "a", "existing_function": {**existing, "arn": "arn:aws:lambda:us-east-1:1:function"}}]',
            "{}",
            "The branch a: expected a function's ARN, got 'arn:aws:lambda:us-east-1:1:function'",
        ),
        ('[{"name": "a" * 80, "handler": "a.b"}]', "code", "expected a name of at most 80 characters"),
        (
            '[{"name": "a", "existing_function": existing, "environment": {}, "memory_mb": 1}]',
            "{}",
            "expected no settings of a new function beside an existing one, got environment, memory_mb: remove them",
        ),
        (
            '[], "create_key": True, "key_arn": "arn"',
            "code",
            "orders: expected create_key or key_arn, got both: remove one",
        ),
        ('"a"', "code", "expected a list of branches, got str: pass a list"),
        ('["a"]', "code", "expected branches with a name each, got branch 1 without one: give it a name"),
        ('[{"name": "a"}, {"handler": "a.b"}]', "code", "got branch 2 without one: give it a name"),
        ("pulumi.Output.from_input([])", "code", "expected a list of branches, got an output: put outputs"),
    ],
)
def test_invalid_arguments_are_refused(branches: str, functions: str, message: str, tmp_path: Path) -> None:
    """The error gives the expected arguments and the fix."""
    program = tmp_path / "__main__.py"
    program.write_text(REFUSED.format(branches=branches, functions=functions))
    with pytest.raises(ArgumentError, match=message):
        record({}, program=program)
