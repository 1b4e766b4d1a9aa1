"""Components in another account or region: everything that they create and ask for comes from their provider."""

import pytest

from components.stack_file import ROOT
from tests.recording import Recording, recorded

PROGRAM = ROOT / "tests" / "programs" / "another_account.py"
SETTINGS = [
    {"kmsKey": "create", "alarmEmail": "you@example.com", "cdn": "true"},
    {"bucket": "somebodys-pictures", "forceDestroy": "false"},
]


def elsewhere(settings: dict[str, str]) -> Recording:
    """Run the program whose components have an explicit provider."""
    return recorded("dev", PROGRAM, **settings)


@pytest.mark.parametrize("settings", SETTINGS, ids=["own bucket", "existing bucket"])
def test_every_resource_is_in_the_components_account(settings: dict[str, str]) -> None:
    """A component passes its provider on to its children."""
    resources = [found for found in elsewhere(settings).mocks.resources if found.typ.startswith("aws:")]
    assert [found.name for found in resources if "::elsewhere" not in found.provider] == []


@pytest.mark.parametrize("settings", SETTINGS, ids=["own bucket", "existing bucket"])
def test_every_lookup_is_in_the_components_account(settings: dict[str, str]) -> None:
    """A permission or a key's policy with the account of another provider would let nobody in."""
    calls = elsewhere(settings).mocks.calls
    assert calls
    assert [call.token for call in calls if "::elsewhere" not in call.provider] == []
