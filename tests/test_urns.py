"""The URNs of the dev stack: a changed URN would replace a resource of a running stack."""

from pathlib import Path

from tests.recording import recorded

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


if __name__ == "__main__":
    SNAPSHOT.write_text("".join(f"{urn}\n" for urn in urns()))
