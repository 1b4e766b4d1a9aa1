"""The KMS key of a fan-out that creates its own."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components import policies

# Source: KMS's API reference, ScheduleKeyDeletion: 7 to 30 days.
SOONEST_DAYS, LATEST_DAYS = 7, 30


class Key(pulumi.ComponentResource):
    """A KMS key that its account administers and SNS may use; no AWS-managed key allows SNS.

    `pulumi destroy` only schedules its deletion.
    """

    arn: pulumi.Output[str]
    """The key's ARN."""

    def __init__(
        self,
        name: str,
        deletion_days: int = LATEST_DAYS,
        tags: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pixelcascade:index:Key", name, None, opts)
        caller = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self))
        key = aws.kms.Key(
            name,
            description=f"Jobs of {pulumi.get_project()}, stack {pulumi.get_stack()}",
            enable_key_rotation=True,
            deletion_window_in_days=deletion_days,
            policy=pulumi.Output.all(caller.account_id, caller.arn).apply(lambda found: _policy(*found)),
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def _policy(account: str, caller_arn: str) -> str:
    partition = caller_arn.split(":")[1]
    return policies.document(policies.use_key(partition, account))
