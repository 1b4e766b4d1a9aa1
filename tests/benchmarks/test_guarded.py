"""Functions that run in a child process with a time-out and a memory limit."""

import multiprocessing
import os
import signal
import time

import pytest

from benchmarks.guarded import run_guarded


def test_a_value_a_crash_and_a_time_out_are_distinguished() -> None:
    """Each outcome sets its own field."""
    assert run_guarded(len, "four", timeout_s=30, memory_mb=512).value == 4
    assert "TypeError" in (run_guarded(len, 4, timeout_s=30, memory_mb=512).crash or "")
    assert run_guarded(time.sleep, 60, timeout_s=0.2, memory_mb=512).timed_out


def test_an_interrupt_ends_the_child() -> None:
    """The caller gets the KeyboardInterrupt."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def interrupt_parent() -> None:
        # The child sends it: a timer could fire inside a garbage collector callback, which swallows exceptions.
        os.kill(os.getppid(), signal.SIGALRM)
        time.sleep(60)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_guarded(interrupt_parent, timeout_s=30, memory_mb=512)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not multiprocessing.active_children()
