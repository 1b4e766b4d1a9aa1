"""The function's memory and cores, shared out among the pictures that are worked on at once: by bytes, not by count."""

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Budget:
    """So many bytes for all pictures together, and so many places; a picture that asks for more bytes is alone.

    With more pictures under way than there are cores, all would come to their end at once, and then all wait for S3.
    """

    def __init__(self, size_bytes: int, places: int) -> None:
        self.size_bytes, self.free_bytes, self.free_places = size_bytes, size_bytes, places
        self.changed = threading.Condition()
        # One at a time waits for room, so that a large picture is not overtaken by small ones for ever.
        self.turn = threading.Lock()

    @contextmanager
    def picture(self) -> Iterator["Place"]:
        """Give a place to be taken once a picture's header says how large it is; at the end it is given back."""
        place = Place(self)
        try:
            yield place
        finally:
            place.leave()


class Place:
    """One picture's share of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken_bytes: int | None = None

    def take(self, need_bytes: int) -> None:
        """Wait until so many bytes and a place are free, and take them."""
        budget = self._budget
        taken_bytes = min(need_bytes, budget.size_bytes)
        with budget.turn, budget.changed:
            budget.changed.wait_for(lambda: budget.free_bytes >= taken_bytes and budget.free_places > 0)
            budget.free_bytes -= taken_bytes
            budget.free_places -= 1
        self._taken_bytes = taken_bytes

    def leave(self) -> None:
        """Give back what was taken; a second time there is nothing to give."""
        if self._taken_bytes is None:
            return
        budget = self._budget
        with budget.changed:
            budget.free_bytes += self._taken_bytes
            budget.free_places += 1
            budget.changed.notify()
        self._taken_bytes = None


@functools.cache
def of_function(size_bytes: int) -> Budget:
    """Return this process's budget: one more place than cores, for a picture whose file is still on its way."""
    return Budget(size_bytes, cores() + 1)
