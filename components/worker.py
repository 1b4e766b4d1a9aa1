"""The function of a branch: a new one with its own role, or an existing one whose role gets a policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import policies
from components.errors import ArgumentError
from components.function import DEFAULT_TIMEOUT_S, FunctionSettings


class ExistingFunction(TypedDict):
    """An existing function that the branch's queue invokes instead of a new one."""

    arn: pulumi.Input[str]
    """The function's ARN."""
    role_name: pulumi.Input[str]
    """The name of its role, to which a policy for the branch's queue is added."""
    timeout_seconds: int
    """Its time-out in seconds. The queue's visibility time-out is six times as long."""


class BranchSpec(TypedDict):
    """One branch of a fan-out: its name and its function, either new or existing."""

    name: str
    """The branch's name. A new function gets it as `BRANCH`, and the queue's URL as `QUEUE_URL`."""
    handler: NotRequired[pulumi.Input[str]]
    """The entry point of a new function, as the runtime names it: `module.function` in Python."""
    existing_function: NotRequired[ExistingFunction]
    """An existing function, instead of `handler`."""
    code: NotRequired[pulumi.Input[pulumi.Archive]]
    """The code archive, if it differs from the other branches'."""
    runtime: NotRequired[pulumi.Input[str]]
    """The runtime, if it differs from the other branches'."""
    memory_mb: NotRequired[int]
    """The memory in MB, if it differs from the other branches'."""
    timeout_seconds: NotRequired[int]
    """The time-out in seconds, if it differs from the other branches'."""
    function_name: NotRequired[str]
    """The function's logical name; the default is the branch's."""
    statements: NotRequired[Sequence[pulumi.Input[Mapping[str, Any]]]]
    """IAM statements for the function's role, as in a policy document. Its queue and its log group need none."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables for this function only."""
    publishes: NotRequired[bool]
    """Whether the function may publish to the topic. A new function then gets its ARN as `TOPIC_ARN`."""


OF_EXISTING = {"name", "existing_function", "statements", "publishes"}
"""The fields that are allowed for a branch with an existing function."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """The function of a branch; `service` is the service name in the logs and metrics of a new one."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    service: str | None = None
    ready: Sequence[pulumi.Resource] = ()


def checked(spec: BranchSpec) -> BranchSpec:
    """Return the spec.

    Raises: ArgumentError, unless it describes either a new function or an existing one.
    """
    if ("handler" in spec) == ("existing_function" in spec):
        found = "both" if "handler" in spec else "neither"
        raise ArgumentError(
            f"The branch {spec['name']}: expected a handler or an existing function, got {found}: set one of them"
        )
    if "existing_function" in spec and (extra := spec.keys() - OF_EXISTING):
        raise ArgumentError(
            f"The branch {spec['name']}: expected no settings of a new function beside an "
            f"existing one, got {', '.join(sorted(extra))}: remove them"
        )
    # An ARN that is known already is checked before anything is created.
    if "existing_function" in spec and isinstance(arn := spec["existing_function"]["arn"], str):
        _name_in(arn, spec["name"])
    return spec


def timeout_of(spec: BranchSpec, shared: FunctionSettings | None) -> int:
    """Return the time-out of a branch's function in seconds."""
    if "existing_function" in spec:
        return int(spec["existing_function"]["timeout_seconds"])
    default = shared.get("timeout_seconds", DEFAULT_TIMEOUT_S) if shared else DEFAULT_TIMEOUT_S
    return int(spec.get("timeout_seconds", default))


def settings_of(spec: BranchSpec, shared: FunctionSettings | None) -> FunctionSettings:
    """Return the settings of a branch's new function; its own override the shared ones.

    Raises: ArgumentError.
    """
    own = {key: spec[key] for key in ("code", "runtime", "memory_mb", "timeout_seconds") if key in spec}
    settings: Any = {**(shared or {}), **own}
    if missing := {"code", "runtime"} - settings.keys():
        raise ArgumentError(
            f"The branch {spec['name']}: expected code and runtime, got no {' and no '.join(sorted(missing))}: set "
            "them in `functions` or in the branch"
        )
    found: FunctionSettings = settings
    return found


def existing_worker(
    branch: str,
    found: ExistingFunction,
    statements: Sequence[pulumi.Input[policies.Statement]],
    parent: pulumi.Resource,
) -> Worker:
    """Add the branch's permissions to the role of an existing function."""
    policy = aws.iam.RolePolicy(
        f"{branch}-policy",
        role=found["role_name"],
        policy=pulumi.Output.all(*statements).apply(policies.document),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    arn = pulumi.Output.from_input(found["arn"])
    return Worker(arn=arn, name=arn.apply(lambda arn: _name_in(arn, branch)), ready=[policy])


def _name_in(arn: str, branch: str) -> str:
    """Return the name in a function's ARN, without a version or alias.

    Raises: ArgumentError, if it is another ARN.
    """
    parts = arn.split(":")
    if parts[:1] != ["arn"] or parts[5:6] != ["function"] or not any(parts[6:7]):
        raise ArgumentError(f"The branch {branch}: expected a function's ARN, got {arn!r}: set its function's ARN")
    return parts[6]
