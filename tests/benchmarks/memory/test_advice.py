"""The recommendation: which sizes are safe, and which of those is cheapest, balanced or fastest."""

import pytest

from benchmarks.memory.advice import advise, unsafe

from .conftest import row

TIMEOUT_S = 60


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"headroom_percent": 24.9}, "headroom"),
        ({"batch_p99_ms": 20_001.0}, "third of the time-out"),
        ({"verdict": "too small", "why": "it was killed"}, "it was killed"),
        ({"batch_p99_ms": None}, "not measured"),
    ],
)
def test_a_size_that_could_fail_is_not_safe(facts: dict[str, object], reason: str) -> None:
    """The reason is too little headroom, a slow 99th percentile, a killed function or a missing measurement."""
    assert reason in unsafe(row(512, **facts), TIMEOUT_S)


def test_a_size_just_within_all_bounds_is_safe() -> None:
    """A headroom of 25 % and a third of the time-out are enough."""
    assert unsafe(row(512, headroom_percent=25.0, batch_p99_ms=20_000.0), TIMEOUT_S) == ""


def test_cheapest_balanced_and_fastest_sizes_are_found() -> None:
    """The cheapest size is slow, the fastest is expensive, the balanced one is neither; unsafe sizes are left out."""
    rows = [
        row(256, cost_per_million=1.0, verdict="too small", why="it was killed"),
        row(512, cost_per_million=2.0, batch_p50_ms=4000.0),
        row(1769, cost_per_million=2.2, batch_p50_ms=1000.0),
        row(10_240, cost_per_million=6.0, batch_p50_ms=800.0),
    ]
    advice = advise(rows, TIMEOUT_S)
    assert advice is not None
    assert (advice.cheapest.memory_mb, advice.balanced.memory_mb, advice.fastest.memory_mb) == (512, 1769, 10_240)
    assert "256 MB is not: it was killed" in advice.cheapest.why
    assert "4.00 times as fast as the cheapest, for 1.10 times its cost" in advice.balanced.why


def test_a_faster_size_of_similar_cost_is_mentioned() -> None:
    """Where the intervals overlap, the measurements do not show which size is cheaper."""
    rows = [
        row(512, cost_per_million=2.0, cost_low=1.9, cost_high=2.1, batch_p50_ms=4000.0),
        row(885, cost_per_million=2.05, cost_low=1.95, cost_high=2.15, batch_p50_ms=2000.0),
        row(1769, cost_per_million=2.4, cost_low=2.3, cost_high=2.5, batch_p50_ms=1000.0),
    ]
    advice = advise(rows, TIMEOUT_S)
    assert advice is not None
    assert "885 MB costs as much, within the interval, and is 2.00 times as fast" in advice.cheapest.why


def test_without_a_safe_size_there_is_no_advice() -> None:
    """No recommendation is better than one that fails."""
    assert advise([row(128, headroom_percent=5.0)], TIMEOUT_S) is None
