"""Functions run in children that can do no harm."""

import multiprocessing
import os
import signal
import time

import pytest

from benchmarks.guarded import run_guarded


def test_a_value_a_crash_and_a_time_out_are_told_apart() -> None:
    """Each by its own field."""
    assert run_guarded(len, "four", timeout_s=30, memory_mb=512).value == 4
    assert "TypeError" in (run_guarded(len, 4, timeout_s=30, memory_mb=512).crash or "")
    assert run_guarded(time.sleep, 60, timeout_s=0.2, memory_mb=512).timed_out


def test_an_interrupt_ends_the_child() -> None:
    """And is itself what the caller sees."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def interrupt_parent() -> None:
        # From the child: a timer could go off in a callback of the garbage collector, which swallows what is raised.
        os.kill(os.getppid(), signal.SIGALRM)
        time.sleep(60)

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_guarded(interrupt_parent, timeout_s=30, memory_mb=512)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not multiprocessing.active_children()
