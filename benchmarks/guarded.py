"""Run a function in a child process of its own, with a time-out and a memory limit, so that it can do no harm."""

import multiprocessing
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class GuardedCall:
    """The result of a guarded call: a value, or the reason why it has none."""

    value: Any = None
    crash: str | None = None
    timed_out: bool = False
    seconds: float
    peak_mb: float = 0.0


def run_guarded(function: Callable[..., Any], *args: Any, timeout_s: float, memory_mb: int) -> GuardedCall:
    """Call `function(*args)` in a forked child that may take `memory_mb` MB more than this process has."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_call, args=(sender, function, args, memory_mb))
    started = time.perf_counter()
    child.start()
    sender.close()
    answer, answered = None, False  # An interrupt may come at any time.
    try:
        if receiver.poll(timeout_s):
            answer = receiver.recv()
            answered = True
    except EOFError:
        answered = True
    finally:
        seconds = time.perf_counter() - started
        if not answered:
            child.kill()
        child.join()
        receiver.close()
    if not answered:
        return GuardedCall(timed_out=True, seconds=seconds)
    if answer is None:
        return GuardedCall(crash=_death(child.exitcode), seconds=seconds)
    value, crash, peak_mb = answer
    return GuardedCall(value=value, crash=crash, seconds=seconds, peak_mb=peak_mb)


def _call(sender: Connection, function: Callable[..., Any], args: tuple[Any, ...], memory_mb: int) -> None:
    """Answer with the function's value, or with how it failed, and the peak of this process's memory."""
    ceiling = _virtual_bytes() + memory_mb * _MB
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    value, crash = None, None
    try:
        value = function(*args)
    except BaseException as error:  # noqa: BLE001 - whatever escapes is the finding
        crash = f"{type(error).__name__}: {error}"
    sender.send((value, crash, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _virtual_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"killed by {signal.Signals(-exitcode).name}"
    return f"died with exit code {exitcode}"
