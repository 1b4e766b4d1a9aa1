"""A month's bill: what is used, by which part of the pipeline, at which of the listed prices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.prices import Price


@dataclass(frozen=True, kw_only=True)
class Line:
    """So many units at one price, for one part: a branch, `upload`, or `stack` for what uploads do not change."""

    part: str
    count: float
    price: Price

    @property
    def dollars(self) -> float:
        """US dollars."""
        return self.count * self.price


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a month's work takes, and what its results take in every month that they are kept."""

    work: Sequence[Line]
    keeping: Sequence[Line]

    @property
    def dollars(self) -> float:
        """US dollars for the month's work, without keeping its results."""
        return total(self.work)


def total(lines: Iterable[Line]) -> float:
    """Return the US dollars of some lines."""
    return sum(line.dollars for line in lines)
