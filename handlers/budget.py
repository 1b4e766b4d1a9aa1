"""The function's memory, shared out among the pictures that are worked on at once: by bytes, not by count."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Admit = Callable[[int], None]
"""Waits until so many bytes are free, and takes them."""


class Budget:
    """So many bytes for all pictures together; a picture that asks for more has them all, and is alone."""

    def __init__(self, size_bytes: int) -> None:
        self._size, self._free = size_bytes, size_bytes
        self._changed = threading.Condition()
        # One at a time waits for room, so that a large picture is not overtaken by small ones for ever.
        self._turn = threading.Lock()

    @contextmanager
    def picture(self) -> Iterator[Admit]:
        """Give what `imaging` calls once a picture's header says what it takes; at the end it is given back."""
        taken = 0

        def admit(need_bytes: int) -> None:
            nonlocal taken
            taken = min(need_bytes, self._size)
            with self._turn, self._changed:
                self._changed.wait_for(lambda: self._free >= taken)
                self._free -= taken

        try:
            yield admit
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify()


@functools.cache
def of_function(size_bytes: int) -> Budget:
    """Return this process's budget."""
    return Budget(size_bytes)
