"""Settings and hooks of all tests."""

import os

import hypothesis
import pytest

from ops.loopback import NO_FILES

# A developer's terminal may name an AWS profile, a region, endpoints and a proxy, and force colours on or off.
for name in [name for name in os.environ if name.startswith("AWS_") or name in {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}]:
    del os.environ[name]
os.environ.update(NO_FILES, AWS_EC2_METADATA_DISABLED="true")
for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = f"127.0.0.1,{os.environ.get(name, '')}"

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
