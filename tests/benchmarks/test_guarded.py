"""Functions run in children that can do no harm."""

import multiprocessing
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

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_guarded(time.sleep, 60, timeout_s=30, memory_mb=512)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not multiprocessing.active_children()
