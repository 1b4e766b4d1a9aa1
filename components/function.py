"""One Lambda function with its role, its permissions and its log group."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi_aws.lambda_ import FunctionLoggingConfigArgsDict as Logging

from components import policies
from components.errors import ArgumentError
from components.names import checked_name

DEFAULT_MEMORY_MB = 256
DEFAULT_TIMEOUT_S = 30
DEFAULT_LOG_RETENTION_DAYS = 14

MAX_ENVIRONMENT_BYTES = 4096
"""Bytes of all variables as JSON. Source: Lambda's developer guide, "Lambda quotas", environment variables."""

LONGEST_OUTPUT = 256
"""The assumed length of a value that is only known after the deployment: ARNs and names of tables are shorter."""


class FunctionSettings(TypedDict):
    """Settings that functions share: their code and how it runs."""

    code: pulumi.Input[pulumi.Archive]
    """The code archive."""
    runtime: pulumi.Input[str]
    """The Lambda runtime, such as `python3.13` or `nodejs22.x`."""
    architecture: NotRequired[pulumi.Input[str]]
    """The instruction set, `x86_64` (the default) or `arm64`."""
    layer_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """The ARNs of layer versions, in the order in which Lambda applies them."""
    memory_mb: NotRequired[int]
    """The memory in MB, 256 by default."""
    timeout_seconds: NotRequired[int]
    """The time-out in seconds, 30 by default. A queue's visibility time-out is six times as long."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables for all of the functions."""
    log_retention_days: NotRequired[int]
    """How long logs are kept, in days, 14 by default."""
    json_log_level: NotRequired[str]
    """The lowest level to log, such as `INFO`. Logs are then JSON, and Lambda's own lines start at WARN."""
    tracing: NotRequired[bool]
    """Whether X-Ray traces every invocation; by default, only those that are already traced."""


class FunctionArgs(TypedDict):
    """One function: its entry point, its permissions and its settings."""

    handler: pulumi.Input[str]
    """The entry point, as the runtime names it: `module.function` in Python."""
    settings: FunctionSettings
    """Its code and how it runs; several functions may share these settings."""
    statements: NotRequired[Sequence[pulumi.Input[Mapping[str, Any]]]]
    """IAM statements for its role, as in a policy document. Writing to its log group needs none."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Environment variables for this function. `POWERTOOLS_SERVICE_NAME` is set to `service`."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags for the function, its role and its log group."""


class Function(pulumi.ComponentResource):
    """A Lambda function, a role with only the permissions it was given, and a log group with a retention period."""

    arn: pulumi.Output[str]
    """The function's ARN, once its role's policy is in force."""
    name: pulumi.Output[str]
    """The function's physical name, once its role's policy is in force."""
    service: str
    """The service name in its logs and metrics: its logical name, the project's and the stack's."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Function", name, None, opts)
        self._name, self._args, self._settings = name, args, args["settings"]
        self._tags = args.get("tags") or None
        # All metrics of an account and region are in one namespace, where other projects have a stack `dev` too.
        self.service = f"{name}-{pulumi.get_project()}-{pulumi.get_stack()}"
        self._child = pulumi.ResourceOptions(parent=self)

        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            retention_in_days=self._settings.get("log_retention_days", DEFAULT_LOG_RETENTION_DAYS),
            tags=self._tags,
            opts=self._child,
        )
        role = aws.iam.Role(
            checked_name("role", f"{name}-role"),
            assume_role_policy=policies.assume_by("lambda.amazonaws.com"),
            tags=self._tags,
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=pulumi.Output.all(*self._statements(logs)).apply(policies.document),
            opts=self._child,
        )
        function = self._function(role, policy, logs)
        self.arn, self.name = function.arn, function.name
        self.register_outputs({"arn": self.arn, "name": self.name})

    def _statements(self, logs: aws.cloudwatch.LogGroup) -> list[pulumi.Input[policies.Statement]]:
        own: list[pulumi.Input[policies.Statement]] = [logs.arn.apply(policies.write_logs)]
        if self._settings.get("tracing"):
            own.append(policies.trace())
        return [*own, *self._args.get("statements", ())]

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        shared, own = self._settings.get("environment", {}), self._args.get("environment", {})
        return checked_environment(self._name, {**shared, **own, "POWERTOOLS_SERVICE_NAME": self.service})

    def _logging(self, group: aws.cloudwatch.LogGroup) -> Logging:
        """Return the logging configuration: JSON if Lambda's own lines are filtered, which text does not support."""
        level = self._settings.get("json_log_level")
        if not level:
            return {"log_format": "Text", "log_group": group.name}
        return {
            "log_format": "JSON",
            "log_group": group.name,
            "application_log_level": level,
            "system_log_level": "WARN",
        }

    def _function(
        self, role: aws.iam.Role, policy: aws.iam.RolePolicy, logs: aws.cloudwatch.LogGroup
    ) -> aws.lambda_.Function:
        settings = self._settings
        return aws.lambda_.Function(
            checked_name("function", self._name),
            handler=self._args["handler"],
            runtime=settings["runtime"],
            architectures=[settings.get("architecture", "x86_64")],
            code=settings["code"],
            layers=settings.get("layer_arns"),
            role=role.arn,
            memory_size=settings.get("memory_mb", DEFAULT_MEMORY_MB),
            timeout=settings.get("timeout_seconds", DEFAULT_TIMEOUT_S),
            environment={"variables": self._environment()},
            logging_config=self._logging(logs),
            tracing_config={"mode": "Active" if settings.get("tracing") else "PassThrough"},
            tags=self._tags,
            # A function that starts before its permissions would fail its first messages.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def checked_environment(function: str, variables: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Return a function's environment.

    Raises: ArgumentError, if it is too large for Lambda.
    """
    known = {name: value if isinstance(value, str) else "x" * LONGEST_OUTPUT for name, value in variables.items()}
    size_bytes = len(json.dumps(known, separators=(",", ":")).encode())
    if size_bytes > MAX_ENVIRONMENT_BYTES:
        raise ArgumentError(
            f"The function {function}: expected an environment of at most {MAX_ENVIRONMENT_BYTES} bytes, got "
            f"{size_bytes}: remove variables, or shorten their values"
        )
    return dict(variables)
