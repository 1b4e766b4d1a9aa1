"""`Function`: role, log group, settings, and refused environments; not whether its code runs on Lambda."""

import asyncio
import json

import pulumi
import pytest

from components.errors import ArgumentError
from components.function import MAX_ENVIRONMENT_BYTES, checked_environment
from components.stack_file import stack_config
from tests.recording import FUNCTIONS, Recorded, allowed, arn, physical, record, recorded, statements

XRAY = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def function(name: str = "pixel-resizer") -> Recorded:
    return recorded().mocks.one("Function", name)


@pytest.mark.parametrize("kind", ["Function", "Role", "RolePolicy", "LogGroup"])
def test_every_function_has_its_own_role_policy_and_log_group(kind: str) -> None:
    """There are as many roles, policies and log groups as functions."""
    assert len(recorded().mocks.of_type(kind)) == len(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_parts_have_one_parent(name: str) -> None:
    """Role, policy, log group and function have one component as their parent."""
    mocks = recorded().mocks
    parts = [("Role", "-role"), ("RolePolicy", "-policy"), ("LogGroup", "-logs"), ("Function", "")]
    parents = {mocks.one(kind, name + suffix).parent for kind, suffix in parts}
    (component,) = [found for found in mocks.of_type("Function", custom=False) if found.name == name]
    assert parents == {component.urn}


def test_only_lambda_may_assume_a_role() -> None:
    """Only Lambda may assume a function's role."""
    (statement,) = statements(recorded().mocks.one("Role", "pixel-resizer-role").inputs["assumeRolePolicy"])
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_a_policy_is_attached_to_its_functions_role() -> None:
    """The function runs as the role that its policy is attached to."""
    policy = recorded().mocks.one("RolePolicy", "pixel-resizer-policy")
    assert (policy.inputs["role"], function().inputs["role"]) == (
        physical("pixel-resizer-role"),
        arn("Role", "pixel-resizer-role"),
    )


def test_a_function_writes_to_its_own_log_group() -> None:
    """The log group is passed by name, because a group that Lambda creates has no retention."""
    assert function().inputs["loggingConfig"]["logGroup"] == physical("pixel-resizer-logs")


def test_the_log_group_exists_before_the_function() -> None:
    """Pulumi creates the log group first."""
    group = recorded().mocks.one("LogGroup", "pixel-resizer-logs")
    assert recorded().depends(function(), on=group)


def test_the_permissions_exist_before_the_function() -> None:
    """Pulumi attaches the policy first; otherwise the first pictures would fail."""
    policy = recorded().mocks.one("RolePolicy", "pixel-resizer-policy")
    assert recorded().depends(function(), on=policy)


def test_log_retention_follows_the_setting() -> None:
    """The log group's retention is the stack's `logRetentionDays`."""
    assert recorded(logRetentionDays="90").mocks.one("LogGroup", "pixel-resizer-logs").inputs == {"retentionInDays": 90}


def test_a_function_may_write_only_to_its_own_log() -> None:
    """The role may write to its own log group and may not create groups."""
    policy = recorded().mocks.one("RolePolicy", "pixel-resizer-policy").inputs["policy"]
    group = arn("LogGroup", "pixel-resizer-logs")
    assert {pair for pair in allowed(policy) if pair[0].startswith("logs:")} == {
        ("logs:CreateLogStream", f"{group}:*"),
        ("logs:PutLogEvents", f"{group}:*"),
    }


@pytest.mark.parametrize(("tracing", "mode", "actions"), [("true", "Active", XRAY), ("false", "PassThrough", set())])
def test_only_a_traced_function_may_write_traces(tracing: str, mode: str, actions: set[str]) -> None:
    """With `tracing`, Lambda traces every invocation, and the role may write to X-Ray."""
    mocks = recorded(tracing=tracing).mocks
    assert mocks.one("Function", "pixel-resizer").inputs["tracingConfig"] == {"mode": mode}
    policy = mocks.one("RolePolicy", "pixel-resizer-policy").inputs["policy"]
    assert {action for action, _ in allowed(policy) if action.startswith("xray:")} == actions


def test_a_functions_platform_matches_its_package() -> None:
    """Runtime, architecture and layer match the package."""
    inputs = record({**stack_config("dev"), "pixelcascade:architecture": "x86_64"}).mocks
    inputs_of = inputs.one("Function", "pixel-resizer").inputs
    layer = inputs.one("LayerVersion", "pixelcascade-layer").inputs
    assert inputs_of["architectures"] == layer["compatibleArchitectures"] == ["x86_64"]
    assert [inputs_of["runtime"]] == layer["compatibleRuntimes"]
    assert inputs_of["layers"] == [arn("LayerVersion", "pixelcascade-layer")]


def test_memory_and_time_out_follow_the_settings() -> None:
    """Memory and time-out come from the stack's settings."""
    inputs = recorded(resizingMemoryMb="3008", timeoutS="33").mocks.one("Function", "pixel-resizer").inputs
    assert (inputs["memorySize"], inputs["timeout"]) == (3008, 33)


def test_system_logs_are_text_by_default() -> None:
    """The text format keeps the START, END and REPORT lines."""
    assert function().inputs["loggingConfig"] == {"logFormat": "Text", "logGroup": physical("pixel-resizer-logs")}


def test_system_logs_can_be_dropped() -> None:
    """The format is JSON, the only one that Lambda filters; the application level keeps the function's own lines."""
    logging = recorded(systemLogs="false").mocks.one("Function", "pixel-resizer").inputs["loggingConfig"]
    assert (logging["logFormat"], logging["systemLogLevel"]) == ("JSON", "WARN")
    assert logging["applicationLogLevel"] == "INFO"


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING"])
def test_the_log_level_follows_the_setting(level: str) -> None:
    """The stack's `logLevel` is passed to Powertools."""
    inputs = recorded(logLevel=level).mocks.one("Function", "pixel-resizer").inputs
    assert inputs["environment"]["variables"]["POWERTOOLS_LOG_LEVEL"] == level


def test_the_service_is_the_functions_name_project_and_stack() -> None:
    """Otherwise the metrics of two projects' stacks `dev` in one account would be counted as one."""
    variables = function().inputs["environment"]["variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == "pixel-resizer-pixelcascade-dev"


def test_an_environment_of_the_largest_size_is_accepted() -> None:
    """An environment of exactly the limit passes; quotes and braces count."""
    value = "x" * (MAX_ENVIRONMENT_BYTES - len('{"NAME":""}'))
    assert checked_environment("worker", {"NAME": value}) == {"NAME": value}


def test_one_byte_more_is_refused_with_both_numbers() -> None:
    """The error names the function, the limit and the size."""
    value = "x" * (MAX_ENVIRONMENT_BYTES - len('{"NAME":""}') + 1)
    with pytest.raises(
        ArgumentError, match="The function worker: expected an environment of at most 4096 bytes, got 4097"
    ):
        checked_environment("worker", {"NAME": value})


def test_an_unknown_output_counts_as_its_maximum_length() -> None:
    """An output counts as 256 characters."""

    async def check() -> None:  # Outputs need an event loop.
        checked_environment(
            "worker", {"NAME": "x" * (MAX_ENVIRONMENT_BYTES - 256), "TOPIC_ARN": pulumi.Output.from_input("a")}
        )

    with pytest.raises(ArgumentError, match="at most 4096 bytes"):
        asyncio.run(check())


def test_too_many_sizes_are_refused() -> None:
    """120 sizes with long names are refused before Lambda would refuse them."""
    sizes = json.dumps([f"a-size-with-a-long-name-{number}={number}" for number in range(1, 121)])
    with pytest.raises(ArgumentError, match=r"The function .*: expected an environment of at most 4096 bytes, got"):
        recorded("dev", sizes=sizes)
