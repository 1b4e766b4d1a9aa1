"""Values as DynamoDB's attributes, and back.

`boto3.dynamodb.types` does the same, but importing it adds 23 ms to a cold start, and nothing else here needs boto3.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def attribute(value: Any) -> dict[str, Any]:
    """Return a value as a DynamoDB attribute: text, a number, a boolean, or a list or mapping of those.

    Raises: TypeError, for any other value.
    """
    match value:
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list() | tuple():
            return {"L": [attribute(one) for one in value]}
        case Mapping():
            return {"M": attributes(value)}
    raise TypeError(f"expected text, a number, a flag, a list or a mapping, got {type(value).__name__}")


def attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping of values as an item."""
    return {name: attribute(value) for name, value in values.items()}


def value_of(found: Mapping[str, Any]) -> Any:
    """Return the value of an attribute; numbers are whole numbers."""
    ((kind, content),) = found.items()
    match kind:
        case "N":
            return int(content)
        case "L":
            return [value_of(one) for one in content]
        case "M":
            return values_of(content)
    return content


def values_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an item."""
    return {name: value_of(found) for name, found in item.items()}
