"""Settings and hooks of all tests."""

import os

import hypothesis
import pytest

# Powertools reads it when a function is imported; the program sets it for each function.
os.environ["POWERTOOLS_SERVICE_NAME"] = "tests"

# No test depends on the machine's speed.
hypothesis.settings.register_profile(
    "any speed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any speed")


def pytest_configure(config: pytest.Config) -> None:
    """Silence pulumi_aws, which warns of its own deprecated resources on import."""
    config.addinivalue_line("filterwarnings", "ignore:.*has been deprecated in favor of:DeprecationWarning")
