"""Turns a resource's inputs, which Pulumi names `batchSize`, into arguments of AWS's API, which has `BatchSize`."""

from collections.abc import Mapping
from typing import Any

NAMES = {"sseAlgorithm": "SSEAlgorithm"}
"""Those that differ by more than their first letter."""


def arguments(inputs: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return some of a resource's inputs as arguments; those that it does not have are left out."""
    found: dict[str, Any] = argument({name: inputs[name] for name in names if name in inputs})
    return found


def argument(value: Any) -> Any:
    """Return an input as an argument; whole numbers, which Pulumi passes as 10.0, become integers."""
    if isinstance(value, Mapping):
        return {NAMES.get(name, name[0].upper() + name[1:]): argument(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [argument(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
