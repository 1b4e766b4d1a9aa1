"""The function of a branch: a new one that may do little, or one that exists and is granted what it lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import policies
from components.errors import ArgumentError
from components.function import DEFAULT_TIMEOUT_S, Function, FunctionSettings


class ExistingFunction(TypedDict):
    """A function that exists, which a branch's queue calls instead of a new one."""

    arn: pulumi.Input[str]
    """The function's ARN."""
    role_name: pulumi.Input[str]
    """The name of its role, which gets a policy for the branch's queue."""
    timeout_seconds: int
    """Its time-out in seconds: the queue hides a message for six of them."""


class BranchSpec(TypedDict):
    """What tells one branch from the next: its name and its function, which is a new one or one that exists."""

    name: str
    """The branch's name, which a new function gets as `BRANCH`, beside the queue's URL as `QUEUE_URL`."""
    handler: NotRequired[pulumi.Input[str]]
    """The entry point of a new function, as the runtime names it: `module.function` in Python."""
    existing_function: NotRequired[ExistingFunction]
    """A function that exists, instead of `handler`."""
    code: NotRequired[pulumi.Input[pulumi.Archive]]
    """The archive of the code, if it is not that of the other branches."""
    runtime: NotRequired[pulumi.Input[str]]
    """The runtime, if it is not that of the other branches."""
    memory_mb: NotRequired[int]
    """The memory in MB, if it is not that of the other branches."""
    timeout_seconds: NotRequired[int]
    """The time-out in seconds, if it is not that of the other branches."""
    function_name: NotRequired[str]
    """The function's logical name, the branch's own by default."""
    statements: NotRequired[Sequence[pulumi.Input[Mapping[str, Any]]]]
    """The IAM statements of the function's role, as in a policy document; its queue and its log need none."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables of this function alone."""
    publishes: NotRequired[bool]
    """Whether the function may publish to the topic, whose ARN it then gets as `TOPIC_ARN`."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """The function of a branch; `service` is what the metrics of a new one call it."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    service: str | None = None
    ready: Sequence[pulumi.Resource] = ()


def timeout_of(spec: BranchSpec, shared: FunctionSettings | None) -> int:
    """Return the time-out of a branch's function in seconds."""
    if "existing_function" in spec:
        return int(spec["existing_function"]["timeout_seconds"])
    default = shared.get("timeout_seconds", DEFAULT_TIMEOUT_S) if shared else DEFAULT_TIMEOUT_S
    return int(spec.get("timeout_seconds", default))


def settings_of(spec: BranchSpec, shared: FunctionSettings | None) -> FunctionSettings:
    """Return what a branch's new function is made from: its own settings before the shared ones.

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
    """Let a function that exists do what the branch asks of it."""
    policy = aws.iam.RolePolicy(
        f"{branch}-policy",
        role=found["role_name"],
        policy=pulumi.Output.all(*statements).apply(policies.document),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    arn = pulumi.Output.from_input(found["arn"])
    return Worker(arn=arn, name=arn.apply(_name), ready=[policy])


def new_worker(function: Function) -> Worker:
    """Return a function that the branch made as its worker."""
    return Worker(arn=function.arn, name=function.name, service=function.service)


def _name(arn: str) -> str:
    """Return the name in a function's ARN, without the version or alias that may follow it."""
    parts = arn.split(":")
    if parts[:1] != ["arn"] or parts[5:6] != ["function"]:
        raise ArgumentError(f"expected a function's ARN, got {arn!r}: set `existing_function.arn` to one")
    return parts[6]
