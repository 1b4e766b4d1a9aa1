"""Settings and hooks of all tests."""

import os

import pytest

# Powertools reads it when a function is imported; the program sets it for each function.
os.environ["POWERTOOLS_SERVICE_NAME"] = "tests"


def pytest_configure(config: pytest.Config) -> None:
    """Silence pulumi_aws, which warns of its own deprecated resources on import."""
    config.addinivalue_line("filterwarnings", "ignore:.*has been deprecated in favor of:DeprecationWarning")
