"""S3, DynamoDB and KMS."""

from collections.abc import Callable, Mapping
from typing import Any

from local.emulator import Emulator
from local.resources.arguments import argument, arguments


def bucket(emulator: Emulator, name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a bucket in the emulator's region."""
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": emulator.region}}
    emulator.client("s3").create_bucket(Bucket=name, **({} if emulator.region == "us-east-1" else elsewhere))
    domain = f"{name}.s3.{emulator.region}.amazonaws.com"
    return {"id": name, "bucket": name, "arn": f"arn:aws:s3:::{name}", "bucketRegionalDomainName": domain}


def existing_bucket(emulator: Emulator, name: str) -> dict[str, Any]:
    """Return the notifications of a bucket that a stack uses; create it if there is none, as `ops adopt` leaves it."""
    s3 = emulator.client("s3")
    try:
        found = s3.get_bucket_notification_configuration(Bucket=name)
    except s3.exceptions.NoSuchBucket:  # A new emulator is empty.
        bucket(emulator, name, {})
        found = {"EventBridgeConfiguration": {}}
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=found)
    return {"bucket": name, "id": name, "eventbridge": "EventBridgeConfiguration" in found}


def table(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a table with a partition key."""
    made = emulator.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in inputs["attributes"]
        ],
        KeySchema=[{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}],
        **arguments(inputs, "billingMode", "deletionProtectionEnabled"),
    )
    if ttl := inputs.get("ttl"):
        emulator.client("dynamodb").update_time_to_live(TableName=name, TimeToLiveSpecification=argument(ttl))
    return {"id": name, "name": name, "arn": made["TableDescription"]["TableArn"]}


def key(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a key; the emulator does not rotate it."""
    made = emulator.client("kms").create_key(Description=inputs["description"], Policy=inputs["policy"])["KeyMetadata"]
    return {"id": made["KeyId"], "keyId": made["KeyId"], "arn": made["Arn"]}


def _setting(operation: str, name: str, value: Callable[[Mapping[str, Any]], Any]) -> Any:
    """Return the creator of a resource that is one setting of a bucket: `name` is the operation's argument for it."""

    def create(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        put = getattr(emulator.client("s3"), operation)
        put(Bucket=inputs["bucket"], **{name: value(inputs)})
        return {"id": inputs["bucket"]}

    return create


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    actions = ("abortIncompleteMultipartUpload", "noncurrentVersionExpiration", "expiration")
    return {"ID": rule["id"], **arguments(rule, "status", "filter", *actions)}


ACCESS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
CREATORS = {
    "aws:dynamodb/table:Table": table,
    "aws:kms/key:Key": key,
    "aws:s3/bucket:Bucket": bucket,
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": _setting(
        "put_bucket_cors", "CORSConfiguration", lambda inputs: {"CORSRules": argument(inputs["corsRules"])}
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        lambda inputs: {"Rules": [_lifecycle_rule(rule) for rule in inputs["rules"]]},
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        "put_bucket_ownership_controls", "OwnershipControls", lambda inputs: {"Rules": [argument(inputs["rule"])]}
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting("put_bucket_policy", "Policy", lambda inputs: inputs["policy"]),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        "put_public_access_block", "PublicAccessBlockConfiguration", lambda inputs: arguments(inputs, *ACCESS)
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "put_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        lambda inputs: {"Rules": argument(inputs["rules"])},
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        "put_bucket_versioning",
        "VersioningConfiguration",
        lambda inputs: argument(inputs["versioningConfiguration"]),
    ),
}
