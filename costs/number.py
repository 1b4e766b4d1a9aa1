"""Numbers on the command line, within bounds."""

import math
from typing import Any

import click


class Number(click.ParamType[float]):
    """A number within bounds; `expected` describes them."""

    def __init__(self, name: str, least: float, most: float, expected: str) -> None:
        self.name, self._least, self._most, self._expected = name, least, most, expected

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert a text to a number."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not self._least <= number <= self._most:  # Nor is nan.
            self.fail(f"expected {self._expected}, got {value!r}", param, ctx)
        return number
