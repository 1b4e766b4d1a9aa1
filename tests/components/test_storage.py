"""`ImageBucket` and `MetadataTable`: private, encrypted, and deleted only where the stack says so."""

import pytest

from tests.recording import arn, physical, recorded, statements


def test_there_is_one_bucket_and_one_table() -> None:
    """Masters and outputs share a bucket."""
    assert (recorded().mocks.names("Bucket"), recorded().mocks.names("Table")) == (["images"], ["pixel-metadata"])


@pytest.mark.parametrize(
    "kind",
    ["BucketPublicAccessBlock", "BucketOwnershipControls", "BucketServerSideEncryptionConfiguration", "BucketPolicy"],
)
def test_the_buckets_parts_are_the_buckets(kind: str) -> None:
    """Each part names the one bucket."""
    (part,) = recorded().mocks.of_type(kind)
    assert part.inputs["bucket"] == physical("images")


def test_the_bucket_is_private() -> None:
    """All four blocks against public access are on."""
    (block,) = recorded().mocks.of_type("BucketPublicAccessBlock")
    assert [value for name, value in block.inputs.items() if name != "bucket"] == [True] * 4


def test_nobody_owns_objects_but_the_bucket() -> None:
    """Access lists are off."""
    (controls,) = recorded().mocks.of_type("BucketOwnershipControls")
    assert controls.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_the_bucket_is_encrypted() -> None:
    """Objects are encrypted with S3's own keys."""
    (encryption,) = recorded().mocks.of_type("BucketServerSideEncryptionConfiguration")
    assert encryption.inputs["rules"] == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]


def test_plain_http_is_denied_to_the_bucket_and_its_objects() -> None:
    """The bucket's policy denies whoever comes without TLS, and allows nothing."""
    (deny,) = statements(recorded().mocks.one("BucketPolicy", "images-policy").inputs["policy"])
    bucket = arn("Bucket", "images")
    assert (deny["Effect"], deny["Resource"]) == ("Deny", [bucket, f"{bucket}/*"])


def test_without_tls_only_the_bucket_has_no_policy() -> None:
    """Where plain HTTP is allowed there is nothing to deny."""
    assert recorded("local").mocks.of_type("BucketPolicy") == []


def test_versions_are_kept_where_the_stack_says_so() -> None:
    """The stack's `versioning` turns it on."""
    (versioning,) = recorded(versioning="true").mocks.of_type("BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}


def test_versions_are_not_kept_by_default() -> None:
    """Without `versioning` the bucket has no versioning resource."""
    assert recorded(versioning="false").mocks.of_type("BucketVersioning") == []


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_pictures_are_deleted_with_the_bucket_only_where_the_stack_says_so(text: str, value: bool) -> None:  # noqa: FBT001
    """The stack's `forceDestroy` is the bucket's."""
    assert recorded(forceDestroy=text).mocks.one("Bucket", "images").inputs == {"forceDestroy": value}


def test_an_item_is_found_by_name() -> None:
    """The table's partition key is `name`, and it is paid per request."""
    assert recorded().mocks.one("Table", "pixel-metadata").inputs == {
        "attributes": [{"name": "name", "type": "S"}],
        "hashKey": "name",
        "billingMode": "PAY_PER_REQUEST",
        "pointInTimeRecovery": {"enabled": False},
    }
