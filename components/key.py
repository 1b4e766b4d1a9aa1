"""The key that queues and topics are encrypted with, where the stack wants one of its own."""

import pulumi
import pulumi_aws as aws

from components import policies
from components.config import StackConfig

# Source: KMS's API reference, ScheduleKeyDeletion: 7 to 30 days.
SOONEST_DAYS, LATEST_DAYS = 7, 30


class Key(pulumi.ComponentResource):
    """A KMS key that its account administers and SNS may use, as no AWS-managed key lets it.

    `pulumi destroy` only schedules its deletion: in a week where the stack has `forceDestroy`, else in thirty days.
    """

    arn: pulumi.Output[str]
    """The key's ARN."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:Key", name, None, opts)
        caller = aws.get_caller_identity_output()
        key = aws.kms.Key(
            name,
            description=f"Jobs of {pulumi.get_project()}, stack {pulumi.get_stack()}",
            enable_key_rotation=True,
            deletion_window_in_days=SOONEST_DAYS if config.force_destroy else LATEST_DAYS,
            policy=pulumi.Output.all(caller.account_id, caller.arn).apply(lambda found: _policy(*found)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def key_arn(name: str, config: StackConfig, opts: pulumi.ResourceOptions) -> pulumi.Output[str] | None:
    """Return the ARN of the key that the stack wants: a new one of that name, the one it names, or none."""
    if config.kms_key == "create":
        return Key(name, config, opts).arn
    return pulumi.Output.from_input(config.kms_key) if config.kms_key else None


def _policy(account: str, caller_arn: str) -> str:
    partition = caller_arn.split(":")[1]
    return policies.document(policies.use_key(account, f"arn:{partition}:iam::{account}:root"))
