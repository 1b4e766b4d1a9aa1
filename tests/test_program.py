"""The whole program, for every stack: its resources, their connections and their permissions.

The mocks create nothing: the end-to-end tests on MiniStack show that the pipeline works with these policies,
and does not work without them.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from components import policies
from components.branches import BRANCHES, ImageBranch
from components.config import StackConfig
from components.picture_record import layout
from components.recipe import recipe
from components.stack_file import stack_config
from local.program import PROGRAM
from tests.recording import (
    ACCOUNT,
    FUNCTIONS,
    REGION,
    STACKS,
    WORKERS,
    Recording,
    allowed,
    arn,
    physical,
    queue_url,
    recorded,
    statements,
)

BUCKET, TABLE, TOPIC = arn("Bucket", "images"), arn("Table", "pixel-metadata"), arn("Topic", "new-image-uploaded")
PICTURES, BUS = arn("Table", "pictures"), f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"


@pytest.fixture(params=STACKS)
def program(request: pytest.FixtureRequest) -> Recording:
    """Run the program for one stack with the stack's own file."""
    return recorded(request.param)


@pytest.fixture
def config(program: Recording, request: pytest.FixtureRequest) -> StackConfig:
    """Return the stack's settings."""
    assert program
    return StackConfig.parse(stack_config(request.node.callspec.params["program"]))


def test_the_program_is_short() -> None:
    """`__main__.py` is short enough to read like the architecture diagram."""
    assert len(PROGRAM.read_text().splitlines()) < 60


def test_the_program_creates_no_aws_resource_itself() -> None:
    """`__main__.py` connects components and creates no AWS resource itself."""
    assert "aws." not in PROGRAM.read_text().replace('"aws s3 cp', "")


def test_every_stack_has_a_file() -> None:
    """The three stacks of the design have a file each."""
    assert {"dev", "prod", "local"} <= set(STACKS)


def test_urns_are_unique(program: Recording) -> None:
    """No two resources have the same URN, which the mocks would accept."""
    assert [urn for urn, count in Counter(found.urn for found in program.mocks.resources).items() if count > 1] == []


def test_no_input_sets_a_physical_name(program: Recording) -> None:
    """No input sets a physical name; the layer is an exception, because its versions share a name."""
    named = {"name", "bucketPrefix", "namePrefix", "roleName", "functionName", "queueName"}
    makers = [found for found in program.mocks.resources if found.kind in RESOURCES_WITH_NAMES]
    assert [found.name for found in makers if named & found.inputs.keys()] == []


RESOURCES_WITH_NAMES = {"Bucket", "Function", "LogGroup", "Queue", "Role", "RolePolicy", "Table", "Topic"}

# The inputs of each resource type, which are the same in every stack; an input with a lost output is silently left out.
INPUTS = {
    "Bucket": {"forceDestroy"},
    "BucketLifecycleConfiguration": {"bucket", "rules"},
    "BucketNotification": {"bucket", "lambdaFunctions"},
    "BucketOwnershipControls": {"bucket", "rule"},
    "BucketPolicy": {"bucket", "policy"},
    "BucketPublicAccessBlock": {
        *("bucket", "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    },
    "BucketServerSideEncryptionConfiguration": {"bucket", "rules"},
    "BucketVersioning": {"bucket", "versioningConfiguration"},
    "EventSourceMapping": {
        *("batchSize", "eventSourceArn", "functionName", "functionResponseTypes"),
        *("maximumBatchingWindowInSeconds", "scalingConfig"),
    },
    "Function": {
        *("architectures", "code", "environment", "handler", "layers", "loggingConfig", "memorySize", "role"),
        *("runtime", "timeout", "tracingConfig"),
    },
    "FunctionEventInvokeConfig": {
        *("destinationConfig", "functionName", "maximumEventAgeInSeconds", "maximumRetryAttempts")
    },
    "LayerVersion": {"code", "compatibleArchitectures", "compatibleRuntimes", "layerName"},
    "Dashboard": {"dashboardBody", "dashboardName"},
    "LogGroup": {"retentionInDays"},
    "MetricAlarm": {
        *("alarmActions", "alarmDescription", "comparisonOperator", "evaluationPeriods", "metricQueries"),
        *("okActions", "threshold", "treatMissingData"),
    },
    "Permission": {"action", "function", "principal", "sourceAccount", "sourceArn"},
    "Queue": {"messageRetentionSeconds", "sqsManagedSseEnabled"},
    "QueuePolicy": {"policy", "queueUrl"},
    "RedriveAllowPolicy": {"queueUrl", "redriveAllowPolicy"},
    "RedrivePolicy": {"queueUrl", "redrivePolicy"},
    "Role": {"assumeRolePolicy"},
    "RolePolicy": {"policy", "role"},
    "Table": {"attributes", "billingMode", "deletionProtectionEnabled", "hashKey", "pointInTimeRecovery"},
    "Table pictures": {"ttl"},
    "Topic": set[str](),
    "TopicPolicy": {"arn", "policy"},
    "TopicSubscription": {"endpoint", "protocol", "rawMessageDelivery", "redrivePolicy", "topic"},
}


def test_no_input_is_lost(program: Recording) -> None:
    """Every resource has all inputs of its type; one whose output is missing would be absent."""
    lost = {
        f"{found.kind} {found.name}": (INPUTS.get(found.kind, set()) | INPUTS.get(f"{found.kind} {found.name}", set()))
        ^ (found.inputs.keys() - {"visibilityTimeoutSeconds"})
        for found in program.mocks.resources
        if found.custom
    }
    assert {name: keys for name, keys in lost.items() if keys} == {}, "a new resource or input belongs in INPUTS"


def test_no_input_holds_a_null(program: Recording) -> None:
    """Neither inputs nor JSON in them contain a null, which is what a lost output becomes in a policy."""
    nulls = [f"{found.name}: {path}" for found in program.mocks.resources for path in _nulls(found.inputs, "")]
    assert nulls == []


def test_nulls_are_found_at_any_depth() -> None:
    """The search covers lists, mappings and JSON in strings."""
    planted = {"a": [{"b": None}], "c": json.dumps({"Resource": [None]}), "d": "None/*", "e": "fine", "f": "null"}
    assert list(_nulls(planted, "")) == [".a[0].b", ".c(json).Resource[0]", ".d", ".f(json)"]


def _nulls(value: Any, path: str) -> Iterator[str]:
    """Yield the path of every null, also within JSON, and of every string that contains "None"."""
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _nulls(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _nulls(item, f"{path}[{number}]")
    elif isinstance(value, str):
        if "None" in value:
            yield path
        try:
            yield from _nulls(json.loads(value), f"{path}(json)")
        except ValueError:
            return


def test_each_resource_type_has_its_count(program: Recording, config: StackConfig) -> None:
    """Each resource type has the expected count, which may grow with the number of branches."""
    branches = len(BRANCHES)
    expected = {
        "Bucket": 1,
        "BucketLifecycleConfiguration": 1,
        "BucketNotification": 1,
        "BucketOwnershipControls": 1,
        "BucketPublicAccessBlock": 1,
        "BucketServerSideEncryptionConfiguration": 1,
        "BucketPolicy": 1,
        "BucketVersioning": int(config.versioning),
        "Table": 2,
        "Topic": 1,
        "TopicPolicy": int(config.tls_only),
        "Queue": 1 + 3 * branches,
        "QueuePolicy": 1 + 3 * branches if config.tls_only else 2 * branches,
        **dict.fromkeys(("RedrivePolicy", "RedriveAllowPolicy", "TopicSubscription", "EventSourceMapping"), branches),
        **dict.fromkeys(("Function", "Role", "RolePolicy", "LogGroup"), 1 + branches),
        "LayerVersion": 1,
        "Permission": 1,
        "FunctionEventInvokeConfig": 1,
        "MetricAlarm": 9 + 7 * branches,
        "Dashboard": 1,
    }
    made = Counter(found.kind for found in program.mocks.resources if found.custom)
    assert made == Counter({kind: count for kind, count in expected.items() if count})


def test_visibility_is_six_time_outs_plus_the_window(program: Recording, config: StackConfig) -> None:
    """The visibility time-out is six times the function's time-out plus the batch window."""
    for branch, function in WORKERS.items():
        timeout_s = program.mocks.one("Function", function).inputs["timeout"]
        hidden_s = program.mocks.one("Queue", f"{branch}-queue").inputs["visibilityTimeoutSeconds"]
        assert hidden_s == 6 * timeout_s + config.batch_window_s


def test_every_work_queue_has_its_own_dead_letter_queue(program: Recording) -> None:
    """Each work queue has its own dead-letter queue."""
    pairs = {
        found.inputs["queueUrl"]: json.loads(found.inputs["redrivePolicy"])["deadLetterTargetArn"]
        for found in program.mocks.of_type("RedrivePolicy")
    }
    assert pairs == {queue_url(f"{b}-queue"): arn("Queue", f"{b}-dead-letters") for b in WORKERS}


def test_a_dead_letter_queue_accepts_only_its_work_queue(program: Recording) -> None:
    """Each dead-letter queue accepts messages from its work queue only."""
    allows = {
        found.inputs["queueUrl"]: json.loads(found.inputs["redriveAllowPolicy"])
        for found in program.mocks.of_type("RedriveAllowPolicy")
    }
    assert allows == {
        queue_url(f"{branch}-dead-letters"): {
            "redrivePermission": "byQueue",
            "sourceQueueArns": [arn("Queue", f"{branch}-queue")],
        }
        for branch in WORKERS
    }


def test_messages_are_received_at_least_five_times(program: Recording) -> None:
    """At least five receives are allowed, so that throttled batches do not become dead letters."""
    counts = [
        json.loads(found.inputs["redrivePolicy"])["maxReceiveCount"] for found in program.mocks.of_type("RedrivePolicy")
    ]
    assert min(counts) >= 5


def test_only_the_topic_may_send_to_the_branches_queues(program: Recording) -> None:
    """The policies of these queues allow SNS for this topic only, and other queues allow no sender."""
    senders = {
        found.name: [
            (s["Principal"], s["Action"], s["Resource"], s["Condition"]) for s in _allows(found.inputs["policy"])
        ]
        for found in program.mocks.of_type("QueuePolicy")
    }
    filled = [f"{branch}-{queue}" for branch in WORKERS for queue in ("queue", "undelivered")]
    topic_alone = {"ArnEquals": {"aws:SourceArn": TOPIC}}
    assert {name: found for name, found in senders.items() if found} == {
        f"{name}-policy": [({"Service": "sns.amazonaws.com"}, "sqs:SendMessage", arn("Queue", name), topic_alone)]
        for name in filled
    }


def test_every_subscription_is_raw_with_its_own_dead_letter_queue(program: Recording) -> None:
    """All subscriptions are raw, and each has its own dead-letter queue."""
    subscriptions = {
        found.inputs["endpoint"]: (
            found.inputs["rawMessageDelivery"],
            json.loads(found.inputs["redrivePolicy"])["deadLetterTargetArn"],
        )
        for found in program.mocks.of_type("TopicSubscription")
    }
    assert subscriptions == {
        arn("Queue", f"{branch}-queue"): (True, arn("Queue", f"{branch}-undelivered")) for branch in WORKERS
    }


def test_every_mapping_reports_partial_failures_and_is_bounded(program: Recording, config: StackConfig) -> None:
    """Each mapping reports partial failures and limits concurrency to the stack's setting."""
    mappings = {
        (found.inputs["eventSourceArn"], found.inputs["functionName"]): (
            found.inputs["functionResponseTypes"],
            found.inputs["scalingConfig"],
            found.inputs["batchSize"],
            found.inputs["maximumBatchingWindowInSeconds"],
        )
        for found in program.mocks.of_type("EventSourceMapping")
    }
    bounds = {"maximumConcurrency": config.max_concurrency}
    expected = (["ReportBatchItemFailures"], bounds, config.batch_size, config.batch_window_s)
    assert mappings == {
        (arn("Queue", f"{branch}-queue"), arn("Function", function)): expected for branch, function in WORKERS.items()
    }


def test_only_this_accounts_bucket_may_invoke_the_publisher(program: Recording) -> None:
    """The only permission names the source ARN and the account."""
    (permission,) = program.mocks.of_type("Permission")
    assert (permission.inputs["sourceArn"], permission.inputs["sourceAccount"]) == (BUCKET, ACCOUNT)


def test_the_trigger_covers_only_the_master_prefix(program: Recording, config: StackConfig) -> None:
    """The only trigger has one rule, for every way of creating or removing an object."""
    (trigger,) = program.mocks.of_type("BucketNotification")
    (rule,) = trigger.inputs["lambdaFunctions"]
    assert (rule["events"], rule["filterPrefix"]) == (
        ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
        config.master_prefix,
    )


def test_no_function_may_write_under_the_trigger_prefix(program: Recording) -> None:
    """No prefix that a function may write to overlaps with the trigger's prefix."""
    (trigger,) = program.mocks.of_type("BucketNotification")
    watched = f"{BUCKET}/{trigger.inputs['lambdaFunctions'][0]['filterPrefix']}"
    writable = {
        resource.partition("*")[0]
        for policy in program.mocks.of_type("RolePolicy")
        for action, resource in allowed(policy.inputs["policy"])
        if action == "s3:PutObject"
    }
    assert writable
    assert [place for place in writable if place.startswith(watched) or watched.startswith(place)] == []


def test_log_groups_are_created_before_their_functions(program: Recording) -> None:
    """Each function uses a log group that is created before the function."""
    for function in program.mocks.of_type("Function"):
        group = program.mocks.one("LogGroup", f"{function.name}-logs")
        assert function.inputs["loggingConfig"]["logGroup"] == physical(group.name)
        assert program.depends(function, on=group)


def test_policies_exist_before_mappings_and_trigger(program: Recording) -> None:
    """Mappings and the trigger are created after the policies of the functions that they invoke."""
    starters = {"EventSourceMapping": WORKERS.values(), "BucketNotification": ["job-publisher"]}
    for kind, functions in starters.items():
        for function in functions:
            (starter,) = [
                found for found in program.mocks.of_type(kind) if arn("Function", function) in json.dumps(found.inputs)
            ]
            assert program.depends(starter, on=program.mocks.one("RolePolicy", f"{function}-policy"))


def test_no_permission_is_wider_than_this_program(program: Recording) -> None:
    """Each Allow has full action names and this program's resources; bucket objects need a prefix."""
    ours = [arn(found.kind, found.name) for kind in OWN_ARNS for found in program.mocks.of_type(kind)]
    wide = [
        (found.name, action, resource)
        for kind in ("RolePolicy", "QueuePolicy")
        for found in program.mocks.of_type(kind)
        for action, resource in allowed(found.inputs["policy"])
        if "*" in action
        or resource.startswith(f"{BUCKET}/*")
        or not any(resource == known or resource.startswith((f"{known}/", f"{known}:")) for known in [*ours, BUS])
    ]
    assert wide == []


OWN_ARNS = ("Bucket", "LogGroup", "Queue", "Table", "Topic")


def test_bucket_and_topic_policies_allow_no_one(program: Recording) -> None:
    """The policies of the bucket and the topic allow no one; only the roles' own policies do."""
    open_doors = [
        found.name
        for kind in ("BucketPolicy", "TopicPolicy")
        for found in program.mocks.of_type(kind)
        if _allows(found.inputs["policy"])
    ]
    assert open_doors == []


def test_every_policy_denies_plain_http_if_configured(program: Recording, config: StackConfig) -> None:
    """Bucket, topic and all queues deny plain HTTP, unless the stack allows it."""
    kinds = ("BucketPolicy", "TopicPolicy", "QueuePolicy")
    plain_http = {"Bool": {"aws:SecureTransport": "false"}}
    denies = [
        sum(
            (statement["Effect"], statement["Condition"]) == ("Deny", plain_http)
            for statement in statements(found.inputs["policy"])
        )
        for kind in kinds
        for found in program.mocks.of_type(kind)
    ]
    branches = len(BRANCHES)
    assert denies == ([1] * (3 + 3 * branches) if config.tls_only else [0] * (1 + 2 * branches))


def _logs(function: str) -> set[tuple[str, str]]:
    group = arn("LogGroup", f"{function}-logs")
    return {("logs:CreateLogStream", f"{group}:*"), ("logs:PutLogEvents", f"{group}:*")}


def _records(*actions: str) -> set[tuple[str, str]]:
    """Return the permissions to keep records, which include reading masters and rejecting taken names."""
    taken = f"{BUCKET}/rejected/*/name-taken.json"
    return {
        *((f"dynamodb:{action}", PICTURES) for action in ("GetItem", "PutItem", *actions)),
        *((f"s3:{action}", taken) for action in ("GetObject", "PutObject", "DeleteObject")),
        *(("s3:ListBucket", BUCKET), ("s3:GetObject", f"{BUCKET}/master/*"), ("s3:GetObject", f"{BUCKET}/converted/*")),
        *(("sns:Publish", TOPIC), ("events:PutEvents", BUS)),
    }


def _worker(row: ImageBranch) -> set[tuple[str, str]]:
    """Return the permissions of a branch's function; no stack file changes a prefix."""
    queue, rejected = arn("Queue", f"{row.name}-queue"), f"{BUCKET}/rejected/*/{row.name}.json"
    prefix = row.prefix_of(StackConfig())
    return (
        _logs(row.function_name)
        | _records("UpdateItem")
        | {
            *((f"sqs:{action}", queue) for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
            ("sqs:ChangeMessageVisibility", queue),
            *((f"s3:{action}", rejected) for action in ("GetObject", "PutObject", "DeleteObject")),
        }
        | ({(f"s3:{action}", f"{BUCKET}/{prefix}*") for action in ("GetObject", "PutObject")} if prefix else set())
        | ({("dynamodb:PutItem", TABLE)} if row.records else set())
    )


# Without the batch actions that the local deployment adds: see tests/local/test_deployment.py.
PERMISSIONS = {
    "job-publisher": _logs("job-publisher") | _records() | {("sqs:SendMessage", arn("Queue", "job-publisher-failed"))},
    **{row.function_name: _worker(row) for row in BRANCHES},
}


@pytest.mark.parametrize("function", PERMISSIONS)
def test_a_function_has_exactly_its_permissions(program: Recording, function: str) -> None:
    """A role allows exactly these (action, resource) pairs."""
    policy = program.mocks.one("RolePolicy", f"{function}-policy").inputs["policy"]
    assert allowed(policy) == PERMISSIONS[function]


def test_every_role_has_one_policy(program: Recording) -> None:
    """Each role has a single policy and no other permissions."""
    attached = Counter(found.inputs["role"] for found in program.mocks.of_type("RolePolicy"))
    assert attached == Counter({physical(f"{function}-role"): 1 for function in FUNCTIONS})
    assert {key for found in program.mocks.of_type("Role") for key in found.inputs} == {"assumeRolePolicy"}


def test_no_function_may_create_log_groups(program: Recording) -> None:
    """A log group that Lambda creates has no retention."""
    assert not any("CreateLogGroup" in found.inputs["policy"] for found in program.mocks.of_type("RolePolicy"))


def test_the_stack_has_exactly_these_outputs(
    program: Recording, config: StackConfig, request: pytest.FixtureRequest
) -> None:
    """The outputs are those that the commands of `ops` read, and a command to paste."""
    assert program.outputs == {
        "stack": request.node.callspec.params["program"],
        "bucket": physical("images"),
        "pictures": physical("pictures"),
        "recipes": {row.name: recipe(row, config) for row in BRANCHES},
        "events": True,
        "deletions": "keep",
        "topic": TOPIC,
        "table": physical("pixel-metadata"),
        "queues": {branch: queue_url(f"{branch}-queue") for branch in WORKERS},
        "deadLetterQueues": {
            **{branch: queue_url(f"{branch}-dead-letters") for branch in WORKERS},
            **{f"{branch}-undelivered": queue_url(f"{branch}-undelivered") for branch in WORKERS},
            "job-publisher-failed": queue_url("job-publisher-failed"),
        },
        "layout": layout(config),
        "sizes": ["thumbnail", "medium", "large"],
        "outputFormats": ["jpeg"],
        "rejectedDays": 0,
        "uploadCommand": f"aws s3 cp picture.jpg s3://{physical('images')}/master/",
        "uploaderPolicy": policies.document([policies.upload(arn("Bucket", "images"), "master/")]),
        "cdnUrl": None,
    }


def test_wrong_settings_stop_the_program_before_any_resource() -> None:
    """The program stops before it registers a resource."""
    with pytest.raises(pulumi.RunError, match="pixelcascade:jpegQuality: expected a whole number"):
        recorded("dev", jpegQuality="0")


def _allows(policy: str) -> list[dict[str, Any]]:
    return [statement for statement in statements(policy) if statement["Effect"] == "Allow"]
