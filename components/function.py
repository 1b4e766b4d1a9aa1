"""A Lambda function with a role of its own and a log group that exists before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
from pulumi_aws.lambda_ import FunctionLoggingConfigArgsDict as Logging

from components import policies
from components.config import StackConfig
from components.environment import checked_environment
from components.lambda_package import LambdaPackage
from components.names import checked_name


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """What one function needs; `statements` are its permissions beyond writing its own log."""

    config: StackConfig
    package: LambdaPackage
    handler: str
    memory_mb: int
    statements: Sequence[pulumi.Input[policies.Statement]] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Function(pulumi.ComponentResource):
    """A function, its role with only its own statements, and its log group."""

    arn: pulumi.Output[str]
    """The function's ARN, once its role's policy is in force."""
    name: pulumi.Output[str]
    """The function's physical name, once its role's policy is in force."""
    service: str
    """What its logs and metrics call it: its logical name and the stack, as other stacks have one too."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Function", name, None, opts)
        self._name, self._args = name, args
        self.service = f"{name}-{pulumi.get_stack()}"
        self._child = pulumi.ResourceOptions(parent=self)

        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs", retention_in_days=args.config.log_retention_days, opts=self._child
        )
        role = aws.iam.Role(
            checked_name("role", f"{name}-role"),
            assume_role_policy=policies.assume_by("lambda.amazonaws.com"),
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=pulumi.Output.all(*self._statements(logs)).apply(self._document),
            opts=self._child,
        )
        function = self._function(role, policy, logs)
        self.arn, self.name = function.arn, function.name
        self.register_outputs({"arn": self.arn, "name": self.name})

    def _statements(self, logs: aws.cloudwatch.LogGroup) -> list[pulumi.Input[policies.Statement]]:
        own: list[pulumi.Input[policies.Statement]] = [logs.arn.apply(policies.write_logs)]
        if self._args.config.tracing:
            own.append(policies.trace())
        return [*own, *self._args.statements]

    def _document(self, statements: Sequence[policies.Statement]) -> str:
        emulated = self._args.config.package_for == "host"
        return policies.document(map(policies.as_emulated, statements) if emulated else statements)

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        every = {
            "POWERTOOLS_SERVICE_NAME": self.service,
            "POWERTOOLS_LOG_LEVEL": self._args.config.log_level,
            "FUNCTION_TIMEOUT_S": str(self._args.config.timeout_s),
        }
        return checked_environment(self._name, {**self._args.environment, **every})

    def _logging(self, group: aws.cloudwatch.LogGroup) -> Logging:
        """Return where the function logs, and in JSON where Lambda's own lines are to be filtered, as text is not."""
        config = self._args.config
        if config.system_logs:
            return {"log_format": "Text", "log_group": group.name}
        return {
            "log_format": "JSON",
            "log_group": group.name,
            "application_log_level": config.log_level,
            "system_log_level": "WARN",
        }

    def _function(
        self, role: aws.iam.Role, policy: aws.iam.RolePolicy, logs: aws.cloudwatch.LogGroup
    ) -> aws.lambda_.Function:
        args = self._args
        return aws.lambda_.Function(
            checked_name("function", self._name),
            handler=args.handler,
            runtime=args.package.runtime,
            architectures=[args.config.architecture],
            code=args.package.code,
            layers=[args.package.layer_arn],
            role=role.arn,
            memory_size=args.memory_mb,
            timeout=args.config.timeout_s,
            environment={"variables": self._environment()},
            logging_config=self._logging(logs),
            tracing_config={"mode": "Active" if args.config.tracing else "PassThrough"},
            # A function that starts before its permissions would fail its first pictures.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
