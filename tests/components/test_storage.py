"""`ImageBucket` and `MetadataTable`: private, encrypted, and deleted only if the stack allows it."""

from typing import Any

import pytest

from tests.recording import arn, physical, recorded, statements


def test_there_is_one_bucket_and_two_tables() -> None:
    """Masters and outputs share a bucket."""
    assert (recorded().mocks.names("Bucket"), recorded().mocks.names("Table")) == (
        ["images"],
        ["pictures", "pixel-metadata"],
    )


@pytest.mark.parametrize(
    "kind",
    ["BucketPublicAccessBlock", "BucketOwnershipControls", "BucketServerSideEncryptionConfiguration", "BucketPolicy"],
)
def test_every_part_belongs_to_the_bucket(kind: str) -> None:
    """Each part refers to the one bucket."""
    (part,) = recorded().mocks.of_type(kind)
    assert part.inputs["bucket"] == physical("images")


def test_the_bucket_is_private() -> None:
    """All four public access blocks are on."""
    (block,) = recorded().mocks.of_type("BucketPublicAccessBlock")
    assert [value for name, value in block.inputs.items() if name != "bucket"] == [True] * 4


def test_access_control_lists_are_off() -> None:
    """Access control lists are off."""
    (controls,) = recorded().mocks.of_type("BucketOwnershipControls")
    assert controls.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_the_bucket_is_encrypted() -> None:
    """Objects are encrypted with S3-managed keys."""
    (encryption,) = recorded().mocks.of_type("BucketServerSideEncryptionConfiguration")
    assert encryption.inputs["rules"] == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]


def test_the_bucket_denies_plain_http() -> None:
    """The bucket's policy denies requests without TLS."""
    deny, _ = statements(recorded().mocks.one("BucketPolicy", "images-policy").inputs["policy"])
    bucket = arn("Bucket", "images")
    assert (deny["Effect"], deny["Resource"]) == ("Deny", [bucket, f"{bucket}/*"])


@pytest.mark.parametrize("stack", ["dev", "local"])
def test_the_bucket_denies_uploads_with_customer_keys(stack: str) -> None:
    """The last statement denies SSE-C; the emulator ignores this condition, so no test shows that S3 enforces it."""
    *_, deny = statements(recorded(stack).mocks.one("BucketPolicy", "images-policy").inputs["policy"])
    assert (deny["Effect"], deny["Action"], deny["Resource"]) == (
        "Deny",
        "s3:PutObject",
        f"{arn('Bucket', 'images')}/*",
    )
    assert deny["Condition"] == {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}}


def test_the_bucket_policy_can_allow_plain_http() -> None:
    """Where plain HTTP is allowed, the bucket policy does not mention TLS."""
    assert "aws:SecureTransport" not in recorded("local").mocks.one("BucketPolicy", "images-policy").inputs["policy"]


def lifecycle(**settings: str) -> dict[str, dict[str, Any]]:
    """Return the bucket's lifecycle rules by id, without their common fields."""
    rules = recorded(**settings).mocks.one("BucketLifecycleConfiguration", "images-lifecycle").inputs["rules"]
    assert {rule["status"] for rule in rules} == {"Enabled"}
    return {rule["id"]: {key: rule[key] for key in rule if key not in {"id", "status"}} for rule in rules}


def test_unfinished_uploads_expire_after_a_week() -> None:
    """By default there is no other lifecycle rule."""
    assert lifecycle() == {
        "unfinished-uploads": {"filter": {"prefix": ""}, "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}
    }


def test_older_versions_expire_with_versioning() -> None:
    """`noncurrentDays` counts from the day a newer version was written; a delete marker goes with the last version."""
    rule = lifecycle(versioning="true", noncurrentDays="9")["noncurrent-versions"]
    assert rule == {
        "filter": {"prefix": ""},
        "noncurrentVersionExpiration": {"noncurrentDays": 9},
        "expiration": {"expiredObjectDeleteMarker": True},
    }


def test_rejections_expire_after_rejected_days() -> None:
    """`rejectedDays` expires objects under the prefix of rejections, and no others."""
    rule = lifecycle(rejectedDays="5", rejectedPrefix="refused/")["rejected"]
    assert rule == {"filter": {"prefix": "refused/"}, "expiration": {"days": 5}}


def test_versioning_can_be_enabled() -> None:
    """`versioning` enables it."""
    (versioning,) = recorded(versioning="true").mocks.of_type("BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}


def test_versioning_is_off_by_default() -> None:
    """Without `versioning` the bucket has no versioning resource."""
    assert recorded(versioning="false").mocks.of_type("BucketVersioning") == []


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_force_destroy_follows_the_setting(text: str, value: bool) -> None:  # noqa: FBT001
    """`forceDestroy` is passed to the bucket."""
    assert recorded(forceDestroy=text).mocks.one("Bucket", "images").inputs == {"forceDestroy": value}


def test_the_partition_key_is_the_name() -> None:
    """The partition key is `name`, and billing is per request."""
    assert recorded().mocks.one("Table", "pixel-metadata").inputs == {
        "attributes": [{"name": "name", "type": "S"}],
        "hashKey": "name",
        "billingMode": "PAY_PER_REQUEST",
        "pointInTimeRecovery": {"enabled": False},
        "deletionProtectionEnabled": False,
    }


def test_records_of_deleted_pictures_expire() -> None:
    """DynamoDB deletes an item once its `expires` time has passed."""
    table = recorded().mocks.one("Table", "pictures").inputs
    assert table["ttl"] == {"attributeName": "expires", "enabled": True}


@pytest.mark.parametrize("name", ["pixel-metadata", "pictures"])
@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_protect_data_protects_the_tables(text: str, value: bool, name: str) -> None:  # noqa: FBT001
    """DynamoDB refuses to delete a protected table and offers point-in-time recovery."""
    table = recorded(protectData=text, forceDestroy="false").mocks.one("Table", name).inputs
    assert (table["deletionProtectionEnabled"], table["pointInTimeRecovery"]) == (value, {"enabled": value})
