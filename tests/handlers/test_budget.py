"""The memory that pictures share: who waits, and that nobody waits for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from handlers.budget import Budget, of_function

WAIT_S = 10


def test_pictures_within_the_budget_are_let_in_at_once() -> None:
    """Two small ones are held at the same time."""
    budget = Budget(100, 4)
    with budget.picture() as one, budget.picture() as other:
        one.take(60)
        other.take(40)


def test_a_picture_waits_until_there_is_room() -> None:
    """The third of three that hold half of the memory each is let in when one has gone."""
    budget, held, gone = Budget(100, 4), threading.Barrier(3), threading.Event()

    def hold() -> None:
        with budget.picture() as place:
            place.take(50)
            held.wait(WAIT_S)
            gone.wait(WAIT_S)

    def wait() -> bool:
        with budget.picture() as place:
            place.take(50)
            return gone.is_set()

    with ThreadPoolExecutor(3) as pool:
        holders = [pool.submit(hold) for _ in range(2)]
        held.wait(WAIT_S)
        third = pool.submit(wait)
        gone.set()
        assert third.result(WAIT_S)
        assert [holder.result(WAIT_S) for holder in holders] == [None, None]


def test_a_picture_waits_until_there_is_a_place() -> None:
    """However little memory it takes: a place is one picture's."""
    budget, done = Budget(100, 1), threading.Event()

    def wait() -> bool:
        with budget.picture() as place:
            place.take(1)
            return done.is_set()

    with ThreadPoolExecutor(1) as pool, budget.picture() as first:
        first.take(1)
        second = pool.submit(wait)
        done.set()
        first.leave()
        assert second.result(WAIT_S)


def test_who_has_left_leaves_nothing_more() -> None:
    """What a picture took is given back once, when its outputs are made, and not again at its end."""
    budget = Budget(100, 2)
    with budget.picture() as place:
        place.take(100)
        place.leave()
        assert (budget.free_bytes, budget.free_places) == (100, 2)
    assert (budget.free_bytes, budget.free_places) == (100, 2)


def test_who_never_took_gives_nothing_back() -> None:
    """A picture that is refused by its header has no place."""
    budget = Budget(100, 2)
    with budget.picture():
        pass
    assert (budget.free_bytes, budget.free_places) == (100, 2)


def test_a_picture_larger_than_the_budget_has_it_alone() -> None:
    """What `imaging` allows but the model counts higher must not wait for ever."""
    budget = Budget(100, 4)
    for _ in range(2):
        with budget.picture() as place:
            place.take(1_000)


def test_what_failed_gives_its_memory_back() -> None:
    """An error between admission and end leaves nothing taken."""
    budget = Budget(100, 4)

    def fail() -> None:
        with budget.picture() as place:
            place.take(100)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with budget.picture() as place:
        place.take(100)


def test_a_function_has_one_budget() -> None:
    """Its batches follow each other, and so do their threads."""
    assert of_function(100) is of_function(100)
