"""Numbers on the command line, within bounds."""

import math
from typing import Any

import click


class Number(click.ParamType[float]):
    """A number within bounds; `allowed` says which, and how to write one."""

    def __init__(self, name: str, least: float, most: float, allowed: str) -> None:
        self.name, self._least, self._most, self._allowed = name, least, most, allowed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number that a word means."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not self._least <= number <= self._most:  # Nor is nan.
            self.fail(f"got {value!r}, allowed is {self._allowed}.", param, ctx)
        return number
