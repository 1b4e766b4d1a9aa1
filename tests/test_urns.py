"""The URNs of the dev stack: a changed URN would replace a resource of a running stack."""

import dataclasses
from pathlib import Path

from components.config import StackConfig, config_key
from tests.recording import WORKERS, Recording, recorded
from tests.test_contracts import CHANGED

SNAPSHOT = Path(__file__).parent / "urns.txt"


def urns() -> list[str]:
    """Return the sorted URNs of all resources of the dev stack."""
    return sorted(resource.urn for resource in recorded("dev").mocks.resources)


def test_no_resource_is_renamed() -> None:
    """The dev stack has exactly the URNs in tests/urns.txt."""
    assert urns() == SNAPSHOT.read_text().splitlines(), "after an intended change: run `python -m tests.test_urns`"


def test_the_keys_resources_are_not_renamed() -> None:
    """A stack with its own key has two additional resources, whose URNs must not change."""
    made = {found.urn for found in recorded("dev", kmsKey="create").mocks.resources} - set(urns())
    assert sorted(urn.removeprefix("urn:pulumi:dev::pixelcascade::pixelcascade:index:") for urn in made) == [
        "Fanout$pixelcascade:index:Key::new-image-uploaded-key",
        "Key$aws:kms/key:Key::new-image-uploaded-key",
    ]


# A URN holds the types of all parents, but the mocks' URNs hold only that of the last.
PARENTS = {
    "Branch": "Fanout",
    "Cdn": "ImageBucket",
    "Function": "Branch Publisher",
    "Key": "Fanout",
    "Queue": "Branch Publisher",
}


def test_no_component_gets_another_parent() -> None:
    """Each component has the same types of parents as before."""
    resources = recorded("dev", kmsKey="create", cdn="true").mocks.resources
    kinds = {found.urn: found.kind for found in resources}
    parents: dict[str, set[str]] = {}
    for found in resources:
        if not found.custom and found.parent in kinds:
            parents.setdefault(found.kind, set()).add(kinds[found.parent])
    assert {kind: " ".join(sorted(found)) for kind, found in parents.items()} == PARENTS


# Every further setting, changed.
FURTHER = {
    "publisherMemoryMb": "512",
    "formatConversionMemoryMb": "2048",
    "metadataExtractionMemoryMb": "512",
    "timeoutS": "90",
    "batchSize": "20",
    "batchWindowS": "5",
    "maxConcurrency": "7",
    "maxReceives": "3",
    "runtime": "python3.12",
    "architecture": "arm64",
    "bytecode": "off",
    "tlsOnly": "false",
    "kmsKey": "create",
    "masterKmsKey": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "corsOrigins": '["https://www.example.com"]',
    "cdn": "true",
    "versioning": "true",
    "noncurrentDays": "7",
    "rejectedDays": "30",
    "forceDestroy": "false",
    "protectData": "true",
    "alarmEmail": "you@example.com",
    "tracing": "true",
    "logRetentionDays": "30",
    "logLevel": "DEBUG",
    "systemLogs": "false",
}
# `bucket` deletes the stack's own (docs/operations.md), `alarmTopic` excludes `alarmEmail`, pillow-simd must be built,
# and every recording is for the host.
UNCHANGED = {"bucket", "alarmTopic", "imaging", "packageFor"}

# The inputs that cannot change without a replacement. Source: the AWS provider's documentation of each resource.
FIXED = {
    "Bucket": ("bucket", "bucketPrefix", "objectLockEnabled"),
    "Queue": ("name", "namePrefix", "fifoQueue"),
    "Table": ("name", "hashKey", "rangeKey"),
    "Topic": ("name", "namePrefix", "fifoTopic"),
}


def fixed(program: Recording) -> set[tuple[str, ...]]:
    """Return what decides whether a resource that holds data or messages is replaced: its URN and its fixed inputs."""
    return {
        (found.urn, *(str(found.inputs.get(key)) for key in keys))
        for kind, keys in FIXED.items()
        for found in program.mocks.of_type(kind)
    }


def test_no_setting_replaces_what_holds_pictures_or_messages() -> None:
    """Almost every setting is changed, and each bucket, queue, table and topic of the stack stays."""
    assert {*CHANGED, *FURTHER, *UNCHANGED} == {config_key(field.name) for field in dataclasses.fields(StackConfig)}
    before = fixed(recorded("dev"))
    assert len(before) == 5 + 3 * len(WORKERS)  # Of each branch its queue and two dead-letter queues.
    assert before <= fixed(recorded("dev", **CHANGED, **FURTHER))


if __name__ == "__main__":
    SNAPSHOT.write_text("".join(f"{urn}\n" for urn in urns()))
