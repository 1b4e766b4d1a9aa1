"""Names that AWS would refuse are refused before any resource is registered."""

import pytest

from components.errors import ArgumentError
from components.names import LONGEST, checked_name
from components.stack_file import stack_config
from tests.recording import FUNCTIONS, REGION, STACKS, WORKERS, record, recorded


@pytest.mark.parametrize(("kind", "longest"), LONGEST.items())
def test_the_longest_name_is_accepted(kind: str, longest: int) -> None:
    """Autonaming adds eight characters, which fills the name up to AWS's limit."""
    assert checked_name(kind, "n" * (longest - 8))


@pytest.mark.parametrize(("kind", "longest"), LONGEST.items())
def test_a_longer_name_is_refused(kind: str, longest: int) -> None:
    """The error names the resource, the maximum length and the fix."""
    name = "n" * (longest - 7)
    with pytest.raises(ArgumentError) as caught:
        checked_name(kind, name)
    assert str(caught.value).startswith(f"The {kind} {name}: expected a name of at most {longest} characters")
    assert ": choose a shorter name or prefix" in str(caught.value)


@pytest.mark.parametrize("kind", LONGEST)
@pytest.mark.parametrize("name", ["order.placed", "order placed", "größe"])
def test_a_name_that_aws_refuses_is_refused(kind: str, name: str) -> None:
    """Pulumi accepts any logical name, AWS only ASCII letters, digits, dashes and underscores."""
    with pytest.raises(ArgumentError, match="expected letters, digits, dashes and underscores, got"):
        checked_name(kind, name)


def test_a_stack_may_have_a_dot_in_its_name() -> None:
    """Pulumi accepts `v1.2` as the name of a stack, but Lambda not for a layer, nor CloudWatch for a dashboard."""
    mocks = record(stack_config("dev"), "v1.2").mocks
    assert mocks.one("LayerVersion", "pixelcascade-layer").inputs["layerName"] == "pixelcascade-v1-2"
    assert mocks.one("Dashboard", "watch-dashboard").inputs["dashboardName"] == f"pixelcascade-v1-2-{REGION}"


@pytest.mark.parametrize("stack", STACKS)
def test_every_name_of_the_program_fits(stack: str) -> None:
    """Every function, role, queue and topic name of every stack is within its limit."""
    made = {kind: recorded(stack, kmsKey="create").mocks.names(kind.capitalize()) for kind in LONGEST}
    assert all(checked_name(kind, name) for kind, names in made.items() for name in names)
    queues = 1 + 3 * len(WORKERS)
    assert sum(map(len, made.values())) == 2 * len(FUNCTIONS) + queues + 1
