"""Where pictures and their metadata live: the image bucket and the metadata table."""

import pulumi
import pulumi_aws as aws

from components import policies
from components.config import StackConfig


class ImageBucket(pulumi.ComponentResource):
    """A private, encrypted bucket for masters, outputs and rejections.

    With `forceDestroy` in the stack's config, `pulumi destroy` deletes the pictures too.
    """

    arn: pulumi.Output[str]
    """The bucket's ARN."""
    name: pulumi.Output[str]
    """The bucket's physical name."""
    upload_command: pulumi.Output[str]
    """A command to paste, which uploads a picture."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:ImageBucket", name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(name, force_destroy=config.force_destroy, opts=_keeping(self, config))
        self.arn, self.name = bucket.arn, bucket.bucket
        self.upload_command = self.name.apply(lambda name: f"aws s3 cp picture.jpg s3://{name}/{config.master_prefix}")
        self._keep_private()
        self._encrypt()
        if config.versioning:
            self._keep_versions()
        if config.tls_only:
            self._refuse_plain_http()
        self.register_outputs({"arn": self.arn, "name": self.name})

    def _keep_private(self) -> None:
        aws.s3.BucketPublicAccessBlock(
            f"{self._name}-private",
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        aws.s3.BucketOwnershipControls(
            f"{self._name}-owner",
            bucket=self.name,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._child,
        )

    def _encrypt(self) -> None:
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=self.name,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self._child,
        )

    def _keep_versions(self) -> None:
        aws.s3.BucketVersioning(
            f"{self._name}-versioning",
            bucket=self.name,
            versioning_configuration={"status": "Enabled"},
            opts=self._child,
        )

    def _refuse_plain_http(self) -> None:
        aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self.name,
            policy=self.arn.apply(lambda arn: policies.document([policies.tls_only("s3", arn, f"{arn}/*")])),
            opts=self._child,
        )


class MetadataTable(pulumi.ComponentResource):
    """A table with one item per picture, by `name`, paid per request."""

    arn: pulumi.Output[str]
    """The table's ARN."""
    name: pulumi.Output[str]
    """The table's physical name."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:MetadataTable", name, None, opts)
        table = aws.dynamodb.Table(
            name,
            attributes=[{"name": "name", "type": "S"}],
            hash_key="name",
            billing_mode="PAY_PER_REQUEST",
            point_in_time_recovery={"enabled": config.protect_data},
            opts=_keeping(self, config),
        )
        self.arn, self.name = table.arn, table.name
        self.register_outputs({"arn": self.arn, "name": self.name})


def _keeping(parent: pulumi.Resource, config: StackConfig) -> pulumi.ResourceOptions:
    """Return the options of resources that hold data: `protectData` keeps them from being deleted."""
    return pulumi.ResourceOptions(parent=parent, protect=config.protect_data, retain_on_delete=config.protect_data)
