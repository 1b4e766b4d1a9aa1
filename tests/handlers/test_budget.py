"""The memory that pictures share: which pictures wait, and that none waits indefinitely."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from handlers.budget import Budget, cores, of_function

WAIT_S, SHORT_S = 10, 0.1


def test_pictures_within_the_budget_start_at_once() -> None:
    """Two pictures that fit the budget hold their memory at the same time."""
    budget = Budget(100, 4)
    with budget.room(60), budget.room(40):
        assert (budget.free_bytes, budget.free_pictures) == (0, 2)


def test_a_picture_waits_until_memory_is_free() -> None:
    """Of three pictures that each need half of the memory, the third starts when one has finished."""
    budget, inside, finish = Budget(100, 4), threading.Barrier(3), threading.Event()

    def hold() -> None:
        with budget.room(50):
            inside.wait(WAIT_S)
            finish.wait(WAIT_S)

    def wait() -> bool:
        with budget.room(50):
            return finish.is_set()

    with ThreadPoolExecutor(3) as pool:
        holders = [pool.submit(hold) for _ in range(2)]
        inside.wait(WAIT_S)
        third = pool.submit(wait)
        with pytest.raises(TimeoutError):
            third.result(SHORT_S)
        finish.set()
        assert third.result(WAIT_S)
        assert [holder.result(WAIT_S) for holder in holders] == [None, None]


def test_a_picture_waits_while_the_cores_are_busy() -> None:
    """The number of concurrent pictures is bounded, however little memory they need."""
    budget, finish = Budget(100, 1), threading.Event()

    def wait() -> bool:
        with budget.room(1):
            return finish.is_set()

    with ThreadPoolExecutor(1) as pool:
        with budget.room(1):
            second = pool.submit(wait)
            with pytest.raises(TimeoutError):
                second.result(SHORT_S)
            finish.set()
        assert second.result(WAIT_S)


def test_a_picture_that_is_not_decoded_never_waits() -> None:
    """A picture that needs no memory, as for reading a header, starts at once."""
    budget = Budget(100, 1)
    with budget.room(100), budget.room(0):
        assert budget.free_pictures == 0


def test_a_file_that_is_only_read_needs_no_core() -> None:
    """A file that is read but not decoded reserves memory, and does not wait for the cores."""
    budget = Budget(100, 1)
    with budget.room(50), budget.room(50, pictures=0):
        assert (budget.free_bytes, budget.free_pictures) == (0, 0)


def test_a_picture_larger_than_the_budget_gets_all_of_it() -> None:
    """A picture that the model puts above the budget gets all of it instead of waiting indefinitely."""
    budget = Budget(100, 4)
    for _ in range(2):
        with budget.room(1_000):
            assert budget.free_bytes == 0


def test_a_failure_releases_the_memory() -> None:
    """An error while a picture is processed releases its memory and its slot."""
    budget = Budget(100, 4)
    with pytest.raises(ZeroDivisionError), budget.room(100):
        raise ZeroDivisionError
    assert (budget.free_bytes, budget.free_pictures) == (100, 4)


def test_a_function_has_one_budget() -> None:
    """All batches of a function share one budget: a picture for each core, and one that arrives meanwhile."""
    assert of_function(100) is of_function(100)
    assert of_function(100).free_pictures == cores() + 1
