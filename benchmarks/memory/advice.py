"""Recommend a size, and say why: the cheapest safe one, the fastest, or the balanced one."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.memory.rows import Measurement

FEWEST_BATCHES = 8
"""The fewest batches of a size to write a setting from: with fewer, a single slow one decides."""

HEADROOM_PERCENT = 25
TIMEOUT_SHARE = 3
CHOICES = ("cheapest", "balanced", "fastest")
COST_WEIGHT = 0.5  # As aws-lambda-power-tuning's strategy `balanced` weighs cost and time.


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A size, and the reason for it."""

    memory_mb: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Advice:
    """The recommendation for one function."""

    cheapest: Choice
    balanced: Choice
    fastest: Choice


def unsafe(row: Measurement, timeout_s: int) -> str:
    """Return why a size is not safe, and nothing if it is."""
    if row.verdict != "ok" or row.batch_p99_ms is None or row.headroom_percent is None:
        return row.why or "it was not measured"
    if row.headroom_percent < HEADROOM_PERCENT:
        return f"its headroom is {row.headroom_percent:.0f} %, below {HEADROOM_PERCENT} %"
    if row.batch_p99_ms > 1000 * timeout_s / TIMEOUT_SHARE:
        p99_s = row.batch_p99_ms / 1000
        return f"one batch in a hundred takes {p99_s:.1f} s, over a third of the time-out of {timeout_s} s"
    return ""


def advise(rows: Sequence[Measurement], timeout_s: int) -> Advice | None:
    """Choose among one function's sizes; None if none is safe."""
    safe = [row for row in rows if not unsafe(row, timeout_s)]
    if not safe:
        return None
    cheapest, fastest = min(safe, key=_cost), min(safe, key=_time)
    dearest, slowest = _cost(max(safe, key=_cost)), _time(max(safe, key=_time))
    balanced = min(safe, key=lambda row: COST_WEIGHT * _cost(row) / dearest + (1 - COST_WEIGHT) * _time(row) / slowest)
    refused = {row.memory_mb: reason for row in rows if (reason := unsafe(row, timeout_s))}
    below = max((size for size in refused if size < cheapest.memory_mb), default=None)
    unsafe_below = f" ({below:,} MB is not: {refused[below]})" if below else ""
    lowest = f"the lowest cost of the safe sizes{unsafe_below}{_tied(cheapest, safe)}"
    least = "the smallest sum of cost and median batch, each relative to its maximum"
    return Advice(
        cheapest=_choice(cheapest, lowest, cheapest),
        balanced=_choice(balanced, least, cheapest),
        fastest=_choice(fastest, "the shortest median batch of the safe sizes", cheapest),
    )


def _tied(cheapest: Measurement, safe: Sequence[Measurement]) -> str:
    """Name the fastest size whose cost is not significantly higher than the cheapest one's, if there is one."""
    most = cheapest.cost_high or 0
    fastest = min((row for row in safe if row is cheapest or (row.cost_low or most + 1) <= most), key=_time)
    if fastest is cheapest:
        return ""
    speed = _time(cheapest) / _time(fastest)
    return f"; {fastest.memory_mb:,} MB costs as much, within the interval, and is {speed:.2f} times as fast"


def _choice(row: Measurement, reason: str, cheapest: Measurement) -> Choice:
    compared = ""
    if row is not cheapest:
        cost, speed = _cost(row) / _cost(cheapest), _time(cheapest) / _time(row)
        compared = f"; {speed:.2f} times as fast as the cheapest, for {cost:.2f} times its cost"
    return Choice(
        memory_mb=row.memory_mb,
        why=f"{reason}: ${_cost(row):,.2f} per million images, {_time(row):,.0f} ms a batch, "
        f"{row.headroom_percent:.0f} % headroom, {row.how}{compared}",
    )


def _cost(row: Measurement) -> float:
    assert row.cost_per_million is not None  # noqa: S101 - a safe size has figures
    return row.cost_per_million


def _time(row: Measurement) -> float:
    assert row.batch_p50_ms is not None  # noqa: S101 - a safe size has figures
    return row.batch_p50_ms
