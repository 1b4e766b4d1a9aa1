"""The policy pack's rules: every stack keeps each rule, and a change that breaks it is reported.

The program is the recorded one; only `pulumi preview --policy-pack policy` shows that Pulumi calls the rules.
"""

import copy
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.branches import BRANCHES
from components.stack_file import ROOT
from local.program import PROGRAM
from policy.promises.model import Resource, Rule, StackResources
from policy.promises.rules import RULES
from tests.policy.changes import Change, add, allow, change, drop, policy, redrive, without_conditions
from tests.recording import STACKS, arn, physical, recorded

PROGRAMS = ROOT / "tests" / "programs"
RULES_BY_NAME = {rule.name: rule for rule in RULES}
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": arn("Topic", "x")}


def stack_of(name: str, program: Path = PROGRAM, **settings: str) -> StackResources:
    """Return a copy of a recorded stack, in the form that rules read."""
    made = recorded(name, program, **settings).mocks.resources
    return StackResources([Resource(type=r.typ, name=r.name, urn=r.urn, props=copy.deepcopy(r.outputs)) for r in made])


def broken(stack: StackResources) -> dict[str, list[str]]:
    """Return the messages of each broken rule."""
    messages = {rule.name: [message for _, message in rule.violations(stack)] for rule in RULES}
    return {name: messages for name, messages in messages.items() if messages}


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_follows_every_rule(stack: str) -> None:
    """Only the local stack breaks a rule, because it accepts plain HTTP on loopback."""
    assert broken(stack_of(stack)).keys() == ({"plain-http-is-denied"} if stack == "local" else set())


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stack_with_two_fan_outs_follows_every_rule(stack: str) -> None:
    """Two fan-outs without settings for alarms or permissions break no rule."""
    found = stack_of(stack, PROGRAMS / "two_fanouts.py")
    assert len(found.of("Topic")) == 2
    assert broken(found) == {}


def test_a_violation_in_a_second_fan_out_is_reported() -> None:
    """The rules apply to its resources too."""
    dropped = drop("MetricAlarm", "report-requested-indexing-dead-letters-not-empty-alarm")
    assert broken(dropped(stack_of("dev", PROGRAMS / "two_fanouts.py"))).keys() == {"failures-ring"}


def test_resources_outside_the_components_are_not_checked() -> None:
    """A log group outside of the package's components may have no retention."""
    logs = add("aws:cloudwatch/logGroup:LogGroup", "mine")
    assert broken(logs(stack_of("dev"))) == {}


def test_a_bucket_of_another_stack_is_checked_by_its_name() -> None:
    """A publisher may watch a bucket that the stack does not have, and its functions must not write there either."""
    stack = drop("Bucket", "images")(stack_of("dev"))
    assert broken(stack) == {}
    assert broken(WRITES(stack)).keys() == {"outputs-start-nothing"}


def may_write(action: str, role: str) -> Change:
    """Add a policy that allows an action on the whole bucket, outside of the components."""
    document = {"Statement": {"Effect": "Allow", "Action": action, "Resource": f"{IMAGES}/*"}}
    return add("aws:iam/rolePolicy:RolePolicy", "mine", role=role, policy=json.dumps(document))


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:Put*", "s3:putobject", "*"])
def test_a_further_policy_of_a_functions_role_may_not_start_it(action: str) -> None:
    """The role of a function may have another policy, as that of an existing function does."""
    changed = may_write(action, physical("pixel-resizer-role"))
    assert "outputs-start-nothing" in broken(changed(stack_of("dev")))


def test_the_role_of_an_uploader_may_write_to_the_trigger() -> None:
    """A server in the same program uploads masters; no message of the topic starts it."""
    assert broken(may_write("s3:PutObject", "server")(stack_of("dev"))) == {}


NO_RESOURCE = '{"Statement": {"Effect": "Allow", "Action": "s3:PutObject", "NotResource": "arn:aws:s3:::x/*"}}'


@pytest.mark.parametrize(
    "mine",
    [
        add("aws:cloudwatch/metricAlarm:MetricAlarm", "mine", metricName="CPU", threshold=1),
        add("aws:iam/rolePolicy:RolePolicy", "mine", role="mine", policy=NO_RESOURCE),
    ],
)
def test_a_resource_outside_the_components_hides_no_violation(mine: Change) -> None:
    """The pack skips a rule for values that are missing; an alarm without expressions does not make it so."""
    stack = WRITES(drop("MetricAlarm", "resizing-dead-letters-not-empty-alarm")(mine(stack_of("dev"))))
    found = {rule.name for rule in RULES if list(rule.violations(stack, unknown=(KeyError,)))}
    assert found == {"failures-ring", "outputs-start-nothing"}


def test_the_pack_runs_from_a_copy_of_its_folder(tmp_path: Path) -> None:
    """A copy of the folder works elsewhere, with only `pulumi_policy` installed, and offers every rule."""
    copy = shutil.copytree(ROOT / "policy", tmp_path / "pack")
    done = run_pack(copy, "print(*[name for name, _ in policies])")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [rule.name for rule in RULES]


def test_the_pack_skips_outputs_that_are_missing_in_a_preview(tmp_path: Path) -> None:
    """A provider that the update itself configures has no outputs in a preview, such as the ARN of a queue."""
    copy = shutil.copytree(ROOT / "policy", tmp_path / "pack")
    urn = "urn:pulumi:dev::orders::pixelcascade:index:Queue$aws:sqs/queue:Queue::billing-queue"
    queue = f"Mock(resource_type='aws:sqs/queue:Queue', urn={urn!r}, props={{}})"
    done = run_pack(copy, f"[validate(Mock(resources=[{queue}]), lambda *_: None) for _, validate in policies]")
    assert done.returncode == 0, done.stderr


def test_the_cli_is_told_how_to_run_the_pack() -> None:
    """The CLI refuses a pack whose project file names no runtime."""
    project = yaml.safe_load((ROOT / "policy" / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}
    assert project["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


# A stand-in for the parts of `pulumi_policy` that the pack uses; the pack's requirements.txt installs the real one.
STAND_IN = """
from unittest.mock import Mock
EnforcementLevel, ReportViolation, StackValidationArgs = Mock(), Mock(), Mock()
def StackValidationPolicy(name, description, validate):
    return name, validate
def PolicyPack(name, enforcement_level, policies):
    {body}
"""


def run_pack(pack: Path, body: str) -> subprocess.CompletedProcess[str]:
    """Run the pack in a folder; `body` is what happens to its policies."""
    (pack / "pulumi_policy").mkdir()
    (pack / "pulumi_policy" / "__init__.py").write_text(STAND_IN.format(body=body))
    (pack / "pulumi_policy" / "proxy.py").write_text("class UnknownValueError(Exception): pass")
    return subprocess.run([sys.executable, "__main__.py"], cwd=pack, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "settings",
    [
        {"kmsKey": "create"},
        {"alarmEmail": "you@example.com"},
        {"tracing": "true"},
        {"bucket": "somebodys-pictures", "versioning": "false", "rejectedDays": "0"},
        {"batchSize": "100", "batchWindowS": "5", "timeoutS": "900"},
    ],
    ids="-".join,
)
def test_no_setting_breaks_a_rule(settings: dict[str, str]) -> None:
    """No rule is broken by any of these settings."""
    assert broken(stack_of("prod", PROGRAM, **settings)) == {}


def test_a_single_delivery_breaks_the_rule_for_dead_letters() -> None:
    """The config allows a single delivery; the policy pack reports it."""
    assert set(broken(stack_of("dev", maxReceives="1"))) == {"failures-become-dead-letters"}


IMAGES, TOPIC = arn("Bucket", "images"), "new-image-uploaded"
WRITES = policy("RolePolicy", "pixel-resizer-policy", allow("s3:PutObject", f"{IMAGES}/master/small/*"))
LOOSE_TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
BROKEN: list[tuple[str, Change]] = [
    ("messages-stay-hidden-long-enough", change("Queue", "resizing-queue", visibilityTimeoutSeconds=60)),
    ("messages-stay-hidden-long-enough", change("Queue", "resizing-queue", visibilityTimeoutSeconds=None)),
    ("messages-stay-hidden-long-enough", change("Function", "pixel-resizer", timeout=61)),
    (
        "messages-stay-hidden-long-enough",
        change("EventSourceMapping", "resizing-mapping", maximumBatchingWindowInSeconds=1),
    ),
    ("failures-become-dead-letters", drop("RedrivePolicy", "resizing-redrive")),
    (
        "failures-become-dead-letters",
        change("RedrivePolicy", "resizing-redrive", redrivePolicy=redrive(maxReceiveCount=4)),
    ),
    ("dead-letters-come-from-one-queue", drop("RedriveAllowPolicy", "resizing-redrive-allow")),
    (
        "dead-letters-come-from-one-queue",
        change("RedriveAllowPolicy", "resizing-redrive-allow", redriveAllowPolicy='{"redrivePermission": "allowAll"}'),
    ),
    (
        "dead-letters-come-from-one-queue",
        change(
            "RedrivePolicy",
            "resizing-redrive",
            redrivePolicy=redrive(deadLetterTargetArn=arn("Queue", "format-conversion-dead-letters")),
        ),
    ),
    ("dead-letters-outlive-messages", change("Queue", "resizing-dead-letters", messageRetentionSeconds=345600)),
    ("dead-letters-outlive-messages", change("Queue", "resizing-undelivered", messageRetentionSeconds=345600)),
    ("dead-letters-outlive-messages", change("Queue", "job-publisher-failed", messageRetentionSeconds=None)),
    ("dead-letters-outlive-messages", change("Queue", "resizing-queue", messageRetentionSeconds=1209600)),
    ("failures-ring", drop("MetricAlarm", "resizing-dead-letters-not-empty-alarm")),
    ("failures-ring", change("MetricAlarm", "job-publisher-failed-not-empty-alarm", threshold=10)),
    ("subscriptions-are-raw", change("TopicSubscription", "resizing-subscription", rawMessageDelivery=None)),
    ("subscriptions-are-raw", change("TopicSubscription", "resizing-subscription", redrivePolicy=None)),
    ("batches-fail-in-part", change("EventSourceMapping", "resizing-mapping", functionResponseTypes=None)),
    ("concurrency-is-bounded", change("EventSourceMapping", "resizing-mapping", scalingConfig=None)),
    ("concurrency-is-bounded", change("Function", "pixel-resizer", reservedConcurrentExecutions=1)),
    ("uploads-that-fail-are-kept", drop("FunctionEventInvokeConfig", "job-publisher-failures")),
    (
        "uploads-that-fail-are-kept",
        change("FunctionEventInvokeConfig", "job-publisher-failures", destinationConfig=None),
    ),
    ("nothing-is-allowed-everywhere", policy("RolePolicy", "pixel-resizer-policy", allow("s3:*", f"{IMAGES}/out/*"))),
    ("nothing-is-allowed-everywhere", policy("RolePolicy", "pixel-resizer-policy", allow("s3:GetObject", "*"))),
    ("nothing-is-allowed-everywhere", policy("RolePolicy", "pixel-resizer-policy", allow("s3:Get?bject", IMAGES))),
    (
        "nothing-is-allowed-everywhere",
        policy("RolePolicy", "pixel-resizer-policy", allow("s3:GetObject", "arn:aws:s3:::image?/a/b")),
    ),
    (
        "nothing-is-allowed-everywhere",
        policy("RolePolicy", "pixel-resizer-policy", allow("s3:GetObject", f"{IMAGES}/*")),
    ),
    (
        "nothing-is-allowed-everywhere",
        policy("RolePolicy", "pixel-resizer-policy", allow("s3:GetObject", "arn:aws:s3:::*/a/*")),
    ),
    (
        "nothing-is-allowed-everywhere",
        policy("RolePolicy", "pixel-resizer-policy", allow("sqs:SendMessage", arn("Queue", "*"))),
    ),
    (
        "nothing-is-allowed-everywhere",
        policy(
            "RolePolicy",
            "pixel-resizer-policy",
            lambda found: found.append({"Effect": "Allow", "NotAction": "iam:*", "Resource": IMAGES}),
        ),
    ),
    ("only-named-callers-are-let-in", policy("TopicPolicy", f"{TOPIC}-policy", lambda found: found.append(EVERYBODY))),
    (
        "only-named-callers-are-let-in",
        policy("TopicPolicy", f"{TOPIC}-policy", lambda found: found.append({**EVERYBODY, "Principal": {"AWS": "*"}})),
    ),
    ("only-named-callers-are-let-in", policy("QueuePolicy", "resizing-queue-policy", without_conditions)),
    ("plain-http-is-denied", drop("BucketPolicy", "images-policy")),
    ("plain-http-is-denied", drop("TopicPolicy", f"{TOPIC}-policy")),
    ("plain-http-is-denied", drop("QueuePolicy", "resizing-dead-letters-policy")),
    ("plain-http-is-denied", policy("QueuePolicy", "resizing-undelivered-policy", lambda found: found.pop())),
    (
        "functions-have-roles-of-their-own",
        change("Function", "pixel-resizer", role=arn("Role", "format-converter-role")),
    ),
    ("roles-have-one-policy", drop("RolePolicy", "pixel-resizer-policy")),
    ("roles-have-one-policy", change("Role", "pixel-resizer-role", managedPolicyArns=["arn:aws:iam::aws:policy/x"])),
    ("roles-have-one-policy", change("Role", "pixel-resizer-role", assumeRolePolicy=LOOSE_TRUST)),
    (
        "roles-have-one-policy",
        add("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "more", role=physical("pixel-resizer-role")),
    ),
    ("callers-are-named-by-arn-and-account", change("Permission", "job-publisher-permission", sourceAccount=None)),
    ("callers-are-named-by-arn-and-account", change("Permission", "job-publisher-permission", sourceArn=None)),
    ("callers-are-named-by-arn-and-account", change("Permission", "job-publisher-permission", principal="*")),
    ("outputs-start-nothing", WRITES),
    (
        "outputs-start-nothing",
        change(
            "BucketNotification",
            "job-publisher-trigger",
            lambdaFunctions=[{"lambdaFunctionArn": arn("Function", "job-publisher"), "filterPrefix": None}],
        ),
    ),
    ("buckets-are-private", drop("BucketPublicAccessBlock", "images-private")),
    ("buckets-are-private", change("BucketPublicAccessBlock", "images-private", blockPublicPolicy=False)),
    ("objects-are-their-buckets", drop("BucketOwnershipControls", "images-owner")),
    (
        "objects-are-their-buckets",
        change("BucketOwnershipControls", "images-owner", rule={"objectOwnership": "ObjectWriter"}),
    ),
    ("buckets-are-encrypted", drop("BucketServerSideEncryptionConfiguration", "images-encryption")),
    ("queues-are-encrypted", change("Queue", "resizing-dead-letters", sqsManagedSseEnabled=False)),
    ("logs-are-kept-for-a-time", change("LogGroup", "pixel-resizer-logs", retentionInDays=None)),
    ("functions-log-into-the-stacks-groups", change("Function", "pixel-resizer", loggingConfig=None)),
    ("functions-log-into-the-stacks-groups", drop("LogGroup", "pixel-resizer-logs")),
]


@pytest.mark.parametrize(("rule", "broken_by"), BROKEN, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(BROKEN)])
def test_a_change_that_breaks_a_rule_is_reported(rule: str, broken_by: Change) -> None:
    """The broken rule reports the change."""
    assert rule in broken(broken_by(stack_of("dev")))


def test_every_rule_is_broken_by_one_of_the_changes() -> None:
    """Every rule is broken by at least one change above."""
    assert {rule for rule, _ in BROKEN} == RULES_BY_NAME.keys()


def test_every_rule_has_resources_to_check() -> None:
    """No rule passes for lack of resources to check."""
    stack = stack_of("prod", kmsKey="create")
    assert [(rule.name, kind) for rule in RULES for kind in rule.kinds if not stack.of(kind)] == []


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_every_rule_has_a_description(name: str) -> None:
    """A rule's description ends with a full stop or a colon."""
    assert RULES_BY_NAME[name].description.endswith((".", ":"))


def test_a_violation_names_its_resource() -> None:
    """The message names the resource and the property to set."""
    messages = broken(change("LogGroup", "pixel-resizer-logs", retentionInDays=None)(stack_of("dev")))
    assert messages == {"logs-are-kept-for-a-time": ["pixel-resizer-logs: it is kept for ever: set retentionInDays"]}


def test_a_resource_with_unknown_properties_is_skipped() -> None:
    """A preview skips a resource with unknown properties, and checks the others."""

    def check(resource: Resource, _stack: StackResources) -> Iterator[str]:
        if resource.name == "resizing-queue":
            raise LookupError
        yield "wrong"

    found = list(Rule(check, ("Queue",)).violations(stack_of("dev"), unknown=(LookupError,)))
    assert len(found) == 3 * len(BRANCHES)
