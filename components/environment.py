"""Whether Lambda accepts a function's environment: checked before anything is deployed."""

import json
from collections.abc import Mapping

import pulumi

from components.errors import ArgumentError

MAX_BYTES = 4096
"""Bytes of all variables as JSON. Source: Lambda's developer guide, "Lambda quotas", environment variables."""

LONGEST_OUTPUT = 256
"""Characters that a value known only after a deployment may have: a topic's ARN or a table's name has fewer."""


def checked_environment(function: str, variables: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Return a function's environment.

    Raises: ArgumentError, where Lambda would refuse it as too large.
    """
    known = {name: value if isinstance(value, str) else "x" * LONGEST_OUTPUT for name, value in variables.items()}
    size_bytes = len(json.dumps(known, separators=(",", ":")).encode())
    if size_bytes > MAX_BYTES:
        raise ArgumentError(
            f"The function {function}: expected an environment of at most {MAX_BYTES} bytes, got {size_bytes}: "
            "remove variables, or shorten their values"
        )
    return dict(variables)
