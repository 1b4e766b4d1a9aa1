"""S3, DynamoDB and KMS."""

from collections.abc import Mapping
from typing import Any

from local.emulator import Emulator


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


def public_access_block(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Block public access to a bucket."""
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    emulator.client("s3").put_public_access_block(
        Bucket=inputs["bucket"],
        PublicAccessBlockConfiguration={flag[0].upper() + flag[1:]: inputs.get(flag, False) for flag in flags},
    )
    return {"id": inputs["bucket"]}


def ownership_controls(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set the owner of objects in a bucket."""
    emulator.client("s3").put_bucket_ownership_controls(
        Bucket=inputs["bucket"],
        OwnershipControls={"Rules": [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]},
    )
    return {"id": inputs["bucket"]}


def encryption(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Encrypt a bucket's objects by default."""
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
            }
        }
        for rule in inputs["rules"]
    ]
    emulator.client("s3").put_bucket_encryption(
        Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return {"id": inputs["bucket"]}


def versioning(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the versions of a bucket's objects."""
    status = inputs["versioningConfiguration"]["status"]
    emulator.client("s3").put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration={"Status": status})
    return {"id": inputs["bucket"]}


def bucket_policy(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Attach a bucket's policy."""
    emulator.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return {"id": inputs["bucket"]}


def cors(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set which web pages may use a bucket."""
    names = {
        "allowedOrigins": "AllowedOrigins",
        "allowedMethods": "AllowedMethods",
        "allowedHeaders": "AllowedHeaders",
        "exposeHeaders": "ExposeHeaders",
    }
    rules = [
        {**{names[name]: rule[name] for name in names}, "MaxAgeSeconds": int(rule["maxAgeSeconds"])}
        for rule in inputs["corsRules"]
    ]
    emulator.client("s3").put_bucket_cors(Bucket=inputs["bucket"], CORSConfiguration={"CORSRules": rules})
    return {"id": inputs["bucket"]}


def lifecycle(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Set a bucket's lifecycle rules."""
    emulator.client("s3").put_bucket_lifecycle_configuration(
        Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in inputs["rules"]]}
    )
    return {"id": inputs["bucket"]}


def table(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a table with a partition key."""
    made = emulator.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in inputs["attributes"]
        ],
        KeySchema=[{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}],
        BillingMode=inputs["billingMode"],
        DeletionProtectionEnabled=inputs.get("deletionProtectionEnabled", False),
    )
    if ttl := inputs.get("ttl"):
        emulator.client("dynamodb").update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": ttl["enabled"], "AttributeName": ttl["attributeName"]},
        )
    return {"id": name, "name": name, "arn": made["TableDescription"]["TableArn"]}


def key(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a key; the emulator does not rotate it."""
    made = emulator.client("kms").create_key(Description=inputs["description"], Policy=inputs["policy"])["KeyMetadata"]
    return {"id": made["KeyId"], "keyId": made["KeyId"], "arn": made["Arn"]}


CREATORS = {
    "aws:dynamodb/table:Table": table,
    "aws:kms/key:Key": key,
    "aws:s3/bucket:Bucket": bucket,
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": cors,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": lifecycle,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ownership_controls,
    "aws:s3/bucketPolicy:BucketPolicy": bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": public_access_block,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": encryption,
    "aws:s3/bucketVersioning:BucketVersioning": versioning,
}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"ID": rule["id"], "Status": rule["status"], "Filter": {"Prefix": rule["filter"]["prefix"]}}
    if unfinished := rule.get("abortIncompleteMultipartUpload"):
        found["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(unfinished["daysAfterInitiation"])}
    if noncurrent := rule.get("noncurrentVersionExpiration"):
        found["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(noncurrent["noncurrentDays"])}
    match rule.get("expiration"):
        case {"days": days}:
            found["Expiration"] = {"Days": int(days)}
        case {"expiredObjectDeleteMarker": marker}:
            found["Expiration"] = {"ExpiredObjectDeleteMarker": marker}
    return found
