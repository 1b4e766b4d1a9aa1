"""How many pictures are decoded at once: as many as fit into the function's memory and keep its cores busy."""

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Budget:
    """The bytes and the number of pictures that may be in progress; a picture that needs more bytes gets all of them.

    With more pictures in progress than cores, all would finish at the same time and then all wait for S3.
    """

    def __init__(self, size_bytes: int, pictures: int) -> None:
        self.size_bytes, self.free_bytes, self.free_pictures = size_bytes, size_bytes, pictures
        self._changed = threading.Condition()
        # Only one picture waits at a time, so that small ones cannot overtake a large one forever.
        self._turn = threading.Lock()

    @contextmanager
    def room(self, need_bytes: int, *, pictures: int = 1) -> Iterator[None]:
        """Wait until that many bytes are free, and reserve them; pass `pictures=0` for a file that is only read."""
        if not need_bytes:
            yield
            return
        taken_bytes = min(need_bytes, self.size_bytes)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self.free_bytes >= taken_bytes and self.free_pictures >= pictures)
            self.free_bytes -= taken_bytes
            self.free_pictures -= pictures
        try:
            yield
        finally:
            with self._changed:
                self.free_bytes += taken_bytes
                self.free_pictures += pictures
                self._changed.notify()


@functools.cache
def of_function(size_bytes: int) -> Budget:
    """Return this process's budget: one picture more than there are cores, because one may still be arriving."""
    return Budget(size_bytes, cores() + 1)
