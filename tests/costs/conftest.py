"""The handlers' stack in memory, for the tests that run the functions."""

from tests.handlers.conftest import credentials, function_environment, no_metrics, stack

__all__ = ["credentials", "function_environment", "no_metrics", "stack"]
