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


if __name__ == "__main__":
    SNAPSHOT.write_text("".join(f"{urn}\n" for urn in urns()))
