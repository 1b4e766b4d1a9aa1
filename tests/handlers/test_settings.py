"""A worker's settings; `tests/test_contracts.py` compares them with what the components write."""

import json
from typing import Any

import pytest

from handlers.layout import Layout
from handlers.settings import Settings
from tests.handlers.conftest import environment


def test_the_environment_is_read() -> None:
    """Values have the types that the workers use."""
    settings = Settings.from_environment(environment(memory_mb=512))
    assert (settings.layout, settings.background, settings.memory_mb) == (Layout(), (255, 255, 255), 512)
    assert settings.sizes == {"thumbnail": 100, "medium": 500, "large": 1000}


@pytest.mark.parametrize("name", ["BRANCH", "BUCKET", "SETTINGS", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
def test_a_missing_variable_is_named_in_the_error(name: str) -> None:
    """A missing variable raises KeyError with its name."""
    variables = environment()
    del variables[name]
    with pytest.raises(KeyError, match=name):
        Settings.from_environment(variables)


@pytest.mark.parametrize("changes", [{"gps": None}, {"of_a_newer_version": 1}], ids=["one less", "one more"])
def test_settings_of_another_version_raise_type_error(changes: dict[str, Any]) -> None:
    """Settings with a missing or unknown field raise TypeError, so that a batch during a deployment is retried."""
    settings = {**json.loads(environment()["SETTINGS"]), **changes}
    settings = {name: value for name, value in settings.items() if value is not None}
    with pytest.raises(TypeError):
        Settings.from_environment({**environment(), "SETTINGS": json.dumps(settings)})
