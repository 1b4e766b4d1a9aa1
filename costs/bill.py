"""A month's bill: what is used, by which part of the pipeline, at which of the listed prices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.prices import Price


@dataclass(frozen=True, kw_only=True)
class Line:
    """A number of units at one price, for one part: a branch, `upload`, or `stack` for costs without uploads."""

    part: str
    count: float
    price: Price

    @property
    def dollars(self) -> float:
        """US dollars."""
        return self.count * self.price


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a month's work costs, and what storing its results costs in each month."""

    work: Sequence[Line]
    keeping: Sequence[Line]

    @property
    def dollars(self) -> float:
        """US dollars for the month's work, without the storage of its results."""
        return total(self.work)


def total(lines: Iterable[Line]) -> float:
    """Return the US dollars of some lines."""
    return sum(line.dollars for line in lines)
