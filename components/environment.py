"""Check, before anything is deployed, that Lambda accepts a function's environment."""

import json
from collections.abc import Mapping

import pulumi

from components.errors import ArgumentError

MAX_BYTES = 4096
"""Bytes of all variables as JSON. Source: Lambda's developer guide, "Lambda quotas", environment variables."""

LONGEST_OUTPUT = 256
"""The assumed length of a value that is only known after the deployment: ARNs and names of tables are shorter."""


def checked_environment(function: str, variables: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Return a function's environment.

    Raises: ArgumentError, if it is too large for Lambda.
    """
    known = {name: value if isinstance(value, str) else "x" * LONGEST_OUTPUT for name, value in variables.items()}
    size_bytes = len(json.dumps(known, separators=(",", ":")).encode())
    if size_bytes > MAX_BYTES:
        raise ArgumentError(
            f"The function {function}: expected an environment of at most {MAX_BYTES} bytes, got {size_bytes}: "
            "remove variables, or shorten their values"
        )
    return dict(variables)
