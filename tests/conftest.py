"""What all tests share."""

import os

import pytest

# Powertools reads it when a function is imported; every function of the program is told its own.
os.environ["POWERTOOLS_SERVICE_NAME"] = "tests"


def pytest_configure(config: pytest.Config) -> None:
    """Keep pulumi_aws quiet: it warns of its own old resources when it is imported."""
    config.addinivalue_line("filterwarnings", "ignore:.*has been deprecated in favor of:DeprecationWarning")
