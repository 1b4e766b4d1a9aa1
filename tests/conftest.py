"""What all tests share."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Keep pulumi_aws quiet: it warns of its own old resources when it is imported."""
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pulumi_aws")
