"""Where pictures live: the image bucket, the metadata table, and the table of the pictures' records."""

import pulumi
import pulumi_aws as aws
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleArgsDict as Rule

from components import policies
from components.branches import BRANCHES
from components.cdn import Cdn
from components.config import ConfigError, StackConfig

UNFINISHED_UPLOAD_DAYS = 7
"""Days until S3 deletes the parts of an unfinished multipart upload, which are invisible but billed."""

CORS_MAX_AGE_S = 3600
"""How long a browser may cache the answer to a preflight request."""

EXPIRY_ATTRIBUTE = "expires"
"""The attribute with the time, in seconds since 1970, from which DynamoDB may remove a record."""


class ImageBucket(pulumi.ComponentResource):
    """A private, encrypted bucket for masters, outputs and reasons; with `bucket`, an existing one.

    With `forceDestroy` in the stack's config, `pulumi destroy` deletes the pictures too. With `protectData` the bucket
    and each of its settings is protected, and stays in the account when it leaves the stack.
    """

    arn: pulumi.Output[str]
    """The bucket's ARN."""
    name: pulumi.Output[str]
    """The bucket's physical name."""
    upload_command: pulumi.Output[str]
    """A command that uploads a picture."""
    uploader_policy: pulumi.Output[str]
    """An IAM policy for uploaders: it allows uploads and nothing else."""
    cdn: Cdn | None = None
    """With `cdn`, the distribution that serves the outputs."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:ImageBucket", name, None, opts)
        self._name, self._config = name, config
        self._child = _protected(self, config)
        if config.bucket:
            self._adopt(config.bucket)
        else:
            self._create(name, config)
        self.upload_command = self.name.apply(lambda name: f"aws s3 cp picture.jpg s3://{name}/{config.master_prefix}")
        self.uploader_policy = self.arn.apply(lambda arn: _uploader_policy(arn, config))
        self.register_outputs({"arn": self.arn, "name": self.name})

    def _adopt(self, bucket: str) -> None:
        """Use a bucket that the stack does not own and does not change: it must already send events to EventBridge."""
        looking = pulumi.InvokeOptions(parent=self)
        found = aws.s3.get_bucket_notification_output(bucket=bucket, opts=looking)
        self.name = found.eventbridge.apply(lambda on: adopted(bucket, on=on))
        partition = aws.get_caller_identity_output(opts=looking).arn.apply(lambda arn: arn.split(":")[1])
        self.arn = pulumi.Output.concat("arn:", partition, ":s3:::", self.name)

    def _create(self, name: str, config: StackConfig) -> None:
        bucket = aws.s3.Bucket(name, force_destroy=config.force_destroy, opts=self._child)
        self.arn, self.name = bucket.arn, bucket.bucket
        self._keep_private()
        self._encrypt()
        if config.versioning:
            self._keep_versions()
        self._expire()
        if config.cors_origins:
            self._answer_browsers()
        if config.cdn:
            domain = bucket.bucket_regional_domain_name
            self.cdn = Cdn(f"{name}-cdn", domain, pulumi.ResourceOptions(parent=self))
        self._restrict()

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

    def _expire(self) -> None:
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle", bucket=self.name, rules=lifecycle_rules(self._config), opts=self._child
        )

    def _answer_browsers(self) -> None:
        """Allow pages of the configured origins to use the bucket with the permissions that they have."""
        aws.s3.BucketCorsConfiguration(
            f"{self._name}-cors",
            bucket=self.name,
            cors_rules=[
                {
                    "allowed_origins": list(self._config.cors_origins),
                    "allowed_methods": ["GET", "HEAD", "POST", "PUT"],
                    "allowed_headers": ["*"],
                    "expose_headers": ["ETag"],
                    "max_age_seconds": CORS_MAX_AGE_S,
                }
            ],
            opts=self._child,
        )

    def _restrict(self) -> None:
        cdn_arn = self.cdn.arn if self.cdn else None
        aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self.name,
            policy=pulumi.Output.all(self.arn, cdn_arn).apply(
                lambda arns: _bucket_policy(arns[0], arns[1], self._config)
            ),
            opts=self._child,
        )


class _Table(pulumi.ComponentResource):
    """A table whose items are found by `name`, billed per request."""

    arn: pulumi.Output[str]
    """The table's ARN."""
    name: pulumi.Output[str]
    """The table's physical name."""
    _expires = False

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"pixelcascade:index:{type(self).__name__}", name, None, opts)
        table = aws.dynamodb.Table(
            name,
            attributes=[{"name": "name", "type": "S"}],
            hash_key="name",
            billing_mode="PAY_PER_REQUEST",
            point_in_time_recovery={"enabled": config.protect_data},
            deletion_protection_enabled=config.protect_data,
            ttl={"attribute_name": EXPIRY_ATTRIBUTE, "enabled": True} if self._expires else None,
            opts=_protected(self, config),
        )
        self.arn, self.name = table.arn, table.name
        self.register_outputs({"arn": self.arn, "name": self.name})


class MetadataTable(_Table):
    """A table with one item per picture."""


class PictureTable(_Table):
    """A table with one record per picture: the name's owner, and what became of the picture.

    With `deletions: follow`, the records of deleted pictures expire.
    """

    _expires = True


def lifecycle_rules(config: StackConfig) -> list[Rule]:
    """Return the lifecycle rules: they delete nothing that users see, unless `rejectedDays` is set."""
    rules: list[Rule] = [
        {
            **_rule("unfinished-uploads", ""),
            "abort_incomplete_multipart_upload": {"days_after_initiation": UNFINISHED_UPLOAD_DAYS},
        }
    ]
    if config.versioning:
        rules.append(
            {
                **_rule("noncurrent-versions", ""),
                "noncurrent_version_expiration": {"noncurrent_days": config.noncurrent_days},
                # Each deletion leaves a marker, which slows listings down. It goes once no older version is behind it.
                "expiration": {"expired_object_delete_marker": True},
            }
        )
    if config.rejected_days:
        rules.append({**_rule("rejected", config.rejected_prefix), "expiration": {"days": config.rejected_days}})
    return rules


def _rule(name: str, prefix: str) -> Rule:
    return {"id": name, "status": "Enabled", "filter": {"prefix": prefix}}


def adopted(bucket: str, *, on: bool) -> str:
    """Return the name of an existing bucket.

    Raises: ConfigError, if it does not send its events to EventBridge.
    """
    if not on:
        raise ConfigError(
            f"{bucket}: expected a bucket that sends its events to EventBridge, got one that does not: run "
            f"`python -m ops adopt {bucket}`"
        )
    return bucket


def _bucket_policy(bucket_arn: str, cdn_arn: str | None, config: StackConfig) -> str:
    denied = [policies.tls_only("s3", bucket_arn, f"{bucket_arn}/*")] if config.tls_only else []
    prefixes = [prefix for row in BRANCHES if (prefix := row.prefix_of(config))]
    served = [policies.serve_objects(bucket_arn, prefixes, cdn_arn)] if cdn_arn else []
    return policies.document([*denied, policies.no_customer_keys(bucket_arn), *served])


def _uploader_policy(bucket_arn: str, config: StackConfig) -> str:
    key = config.master_kms_key
    keys = [policies.through_s3(policies.encrypt(key))] if key else []
    return policies.document([policies.upload(bucket_arn, config.master_prefix), *keys])


def _protected(parent: pulumi.Resource, config: StackConfig) -> pulumi.ResourceOptions:
    """Return the options of a resource that holds or guards data: `protectData` protects it from deletion."""
    return pulumi.ResourceOptions(parent=parent, protect=config.protect_data, retain_on_delete=config.protect_data)
