"""Times by run and by input, and their ratios."""

from collections.abc import Callable

from benchmarks.measuring import interleaved, ratio


def contestant(*times: float) -> Callable[[str], float]:
    """Return a contestant that takes these milliseconds, call by call."""
    calls = iter(times)
    return lambda _: next(calls)


def test_the_first_run_does_not_count() -> None:
    """Its times are those of a cold process."""
    (found,) = interleaved({"ours": contestant(99, 99, 1, 3, 5, 7)}, ["small", "large"], runs=2).values()
    assert found.runs.values == [2, 6]
    assert found.inputs.values == [3, 5]


def test_one_slow_input_decides_the_sum_but_not_the_quartiles_by_input() -> None:
    """So both are shown."""
    found = interleaved({"ours": contestant(*[1, 1, 10] * 2), "theirs": contestant(*[3, 3, 10] * 2)}, "abc", runs=1)
    assert ratio(found["theirs"].runs, found["ours"].runs).median == 16 / 12
    assert ratio(found["theirs"].inputs, found["ours"].inputs).values == [3, 3, 1]
