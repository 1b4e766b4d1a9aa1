"""Marks tests that run another version of Python, which this machine may not have."""

import pytest

from components.packaging.interpreters import interpreter


def needs_python(version: str) -> pytest.MarkDecorator:
    """Skip a test where this machine has no Python of a version such as `3.13`."""
    return pytest.mark.skipif(interpreter(version) is None, reason=f"no Python {version} is on this machine")
