"""What a worker is told; `tests/test_contracts.py` holds it against what the components set."""

import pytest

from handlers.job import Layout
from handlers.settings import Settings
from tests.handlers.conftest import environment


def test_the_environment_is_read() -> None:
    """Texts become the types that the workers compute with."""
    settings = Settings.from_environment(environment(memory_mb=512))
    assert (settings.layout, settings.background, settings.memory_mb) == (Layout(), (255, 255, 255), 512)
    assert settings.sizes == {"thumbnail": 100, "medium": 500, "large": 1000}


@pytest.mark.parametrize("name", ["ENLARGE", "SALVAGE", "GPS"])
@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_a_flag_is_read(name: str, text: str, value: bool) -> None:  # noqa: FBT001
    """A flag is what its text says, not that it is there."""
    settings = Settings.from_environment({**environment(), name: text})
    assert getattr(settings, name.lower()) is value


@pytest.mark.parametrize("name", sorted(environment().keys() - {"TABLE"}))
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    """A function that the program did not deploy fails with the variable's name."""
    told = environment()
    del told[name]
    with pytest.raises(KeyError, match=name):
        Settings.from_environment(told)
