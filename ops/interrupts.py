"""The signals that end a command, as a KeyboardInterrupt that cleans up: Ctrl-C, SIGTERM, and a closed terminal."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_when_terminated() -> None:
    """Treat SIGTERM as Ctrl-C, so that this process stops the emulator that it started."""

    def interrupt(_signal: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # A closed terminal too, except under nohup.
        signal.signal(signal.SIGHUP, interrupt)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Raise the KeyboardInterrupt of a signal at the end of the block, which imports modules.

    In the middle of an import Python may drop it, and keep the import lock: threads then wait for that lock for ever.
    Source: `_get_module_lock` in importlib/_bootstrap.py, whose callback takes the lock outside of its `try`.
    """
    received: list[signal.Signals] = []

    def keep(number: int, _frame: FrameType | None) -> None:
        received.append(signal.Signals(number))

    # Signals that are ignored, or end the process at once, stay so.
    handlers = {number: handler for number in ENDING if callable(handler := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, keep)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in received:
        handlers[number](number, None)
