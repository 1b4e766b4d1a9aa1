"""The name of every resource of the dev stack: a changed URN replaces a resource of a running stack."""

from pathlib import Path

from tests.recording import recorded

# After a change that is meant: `python -m tests.test_urns`.
SNAPSHOT = Path(__file__).parent / "urns.txt"


def urns() -> list[str]:
    """Return the URN of every resource of the dev stack, sorted."""
    return sorted(resource.urn for resource in recorded("dev").mocks.resources)


def test_no_resource_is_renamed() -> None:
    """The dev stack has exactly the URNs of tests/urns.txt."""
    assert urns() == SNAPSHOT.read_text().splitlines()


def test_a_key_is_not_renamed() -> None:
    """With a key of its own, the stack has two resources more, whose URNs are those of before."""
    made = {found.urn for found in recorded("dev", kmsKey="create").mocks.resources} - set(urns())
    assert sorted(urn.removeprefix("urn:pulumi:dev::pixelcascade::pixelcascade:index:") for urn in made) == [
        "Fanout$pixelcascade:index:Key::new-image-uploaded-key",
        "Key$aws:kms/key:Key::new-image-uploaded-key",
    ]


# A URN holds the types of all of a resource's parents, of which the mocks' have the last alone.
PARENTS = {
    "Branch": "Fanout",
    "Cdn": "ImageBucket",
    "Function": "Branch Publisher",
    "Key": "Fanout",
    "Queue": "Branch Publisher",
}


def test_no_component_gets_another_parent() -> None:
    """Each component is made by the components that always made it, or by the program."""
    resources = recorded("dev", kmsKey="create", cdn="true").mocks.resources
    kinds = {found.urn: found.kind for found in resources}
    parents: dict[str, set[str]] = {}
    for found in resources:
        if not found.custom and found.parent in kinds:
            parents.setdefault(found.kind, set()).add(kinds[found.parent])
    assert {kind: " ".join(sorted(found)) for kind, found in parents.items()} == PARENTS


if __name__ == "__main__":
    SNAPSHOT.write_text("".join(f"{urn}\n" for urn in urns()))
