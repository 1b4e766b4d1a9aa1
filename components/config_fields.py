"""The kinds of settings: dataclass fields with a default and a check of the setting's text.

A check raises ValueError with what was expected and, as a second argument, what is wrong with a list.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MAX_SIDE_PX = 65_500  # Source: libjpeg's JPEG_MAX_DIMENSION.

_SIZE = r"([a-z0-9][a-z0-9-]{0,31})=(([1-9][0-9]{0,4})(?:x([1-9][0-9]{0,4})(?::inside)?)?)"

FURTHER_FORMATS = ("webp", "avif")
"""The formats of sizes beside JPEG; `handlers.imaging` writes them."""


def whole(default: int, minimum: int, maximum: int) -> Any:
    """Return a field for a whole number within a range."""

    def check(text: str) -> int:
        if re.fullmatch(r"-?[0-9]+", text) and minimum <= int(text) <= maximum:
            return int(text)
        raise ValueError(expected)

    expected = f"a whole number from {minimum} to {maximum}"
    return _field(expected, check, default=default)


def flag(*, default: bool) -> Any:
    """Return a field for true or false."""

    def check(text: str) -> bool:
        if text in {"true", "false"}:
            return text == "true"
        raise ValueError(expected)

    expected = "true or false"
    return _field(expected, check, default=default)


def one_of(*choices: str | int, default: str | int | None = None) -> Any:
    """Return a field for one of some values; the default is the first, unless another is given."""

    def check(text: str) -> str | int:
        for choice in choices:
            if text == str(choice):
                return choice
        raise ValueError(expected)

    expected = "one of " + ", ".join(map(str, choices))
    return _field(expected, check, default=choices[0] if default is None else default)


def matching(default: str, pattern: str, expected: str) -> Any:
    """Return a field for a text that matches a pattern; `expected` describes the pattern in words."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text):
            return text
        raise ValueError(expected)

    return _field(expected, check, default=default)


def key_prefix(default: str) -> Any:
    """Return a field for a prefix of S3 keys."""
    # No `*`: IAM reads it as a wildcard.
    return matching(default, r"(?:[A-Za-z0-9!_.'()-]+/)+", "a key prefix that ends in a slash, such as photos/")


def sizes(**default: int) -> Any:
    """Return a field for sizes by name: widths in pixels as numbers, boxes as texts such as `400x300:inside`."""
    expected = (
        "a list of different sizes, each name=WIDTH, name=WIDTHxHEIGHT (cropped to fill) or name=WIDTHxHEIGHT:inside, "
        f'in pixels from 1 to {MAX_SIDE_PX}, such as ["thumbnail=100"]'
    )

    def check(text: str) -> Mapping[str, int | str]:
        found: dict[str, int | str] = {}
        for item in _listed(text, expected):
            match = re.fullmatch(_SIZE, str(item))
            if not match or any(int(side) > MAX_SIDE_PX for side in match.group(3, 4) if side):
                raise ValueError(expected, f"{item!r} is not one")
            if match[1] in found:
                raise ValueError(expected, f"{match[1]!r} is given twice")
            found[match[1]] = match[2] if match[4] else int(match[3])
        return found

    return _field(expected, check, listed=True, default_factory=lambda: dict(default))


def several_of(*choices: str, default: Sequence[str]) -> Any:
    """Return a field for a list of different values, each one of a given set."""
    expected = f"a list of one or more of {', '.join(choices)}, each once, such as {json.dumps(list(default))}"

    def check(text: str) -> Sequence[str]:
        items = _listed(text, expected)
        for item in items:
            if item not in choices:
                raise ValueError(expected, f"{item!r} is not one")
        _check_different(items, expected)
        return tuple(items)

    return _field(expected, check, listed=True, default=tuple(default))


def formats() -> Any:
    """Return a field for the qualities of the sizes' formats beside JPEG, by name; empty by default."""
    names = ", ".join(f"{name}=QUALITY" for name in FURTHER_FORMATS)
    expected = f'a list of "jpeg", then any of {names}, each once, with a quality from 1 to 100'

    def check(text: str) -> Mapping[str, int]:
        items = _listed(text, expected)
        if items[0] != "jpeg":
            raise ValueError(expected, f"{items[0]!r} is first")
        found: dict[str, int] = {}
        for item in items[1:]:
            match = re.fullmatch(rf"({'|'.join(FURTHER_FORMATS)})=([1-9][0-9]?|100)", str(item))
            if not match:
                raise ValueError(expected, f"{item!r} is not one")
            if match[1] in found:
                raise ValueError(expected, f"{match[1]!r} is given twice")
            found[match[1]] = int(match[2])
        return found

    return _field(expected, check, listed=True, default_factory=dict)


def origins() -> Any:
    """Return a field for the origins of web pages: scheme, host and, unless it is the scheme's default, port."""
    expected = 'a list of different origins, such as ["https://www.example.com"], without a path'

    def check(text: str) -> Sequence[str]:
        items = _listed(text, expected, least=0)
        _check_different(items, expected)
        for item in items:
            if not re.fullmatch(r"https?://(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?", str(item)):
                raise ValueError(expected, f"{item!r} is not one")
        return tuple(items)

    return _field(expected, check, listed=True, default=())


def _listed(text: str, expected: str, *, least: int = 1) -> list[Any]:
    """Return the items of a list from a setting's text, which is JSON.

    Raises: ValueError, if it is not a list, or has fewer items.
    """
    try:
        items = json.loads(text)
    except json.JSONDecodeError:
        items = None
    if not isinstance(items, list) or len(items) < least:
        raise ValueError(expected)
    return items


def _check_different(items: Sequence[Any], expected: str) -> None:
    """Refuse a list with the same item twice.

    Raises: ValueError.
    """
    for number, item in enumerate(items):
        if item in items[:number]:
            raise ValueError(expected, f"{item!r} is given twice")


def _field(expected: str, check: Callable[[str], Any], *, listed: bool = False, **default: Any) -> Any:
    """Return a dataclass field whose metadata has its check, what it accepts, and whether it is a list."""
    field: Any = dataclasses.field(metadata={"check": check, "expected": expected, "listed": listed}, **default)
    return field
