"""Run a function in a child process, as the workers do, and return how it ended and its peak memory."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from handlers.isolation import IsolatedWorkError, IsolatedWorkTimeoutError, run_isolated

_MB = 1024 * 1024
_ENOUGH_MB = _MB
"""A function's memory that is never the limit, because here only the child's memory counts."""


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
    started = time.perf_counter()
    try:
        value, crash, peak_mb = run_isolated(
            partial(_call, function, args, memory_mb), wall_s=timeout_s, memory_mb=_ENOUGH_MB
        )
    except IsolatedWorkTimeoutError:
        return GuardedCall(timed_out=True, seconds=time.perf_counter() - started)
    except IsolatedWorkError as error:
        return GuardedCall(crash=str(error), seconds=time.perf_counter() - started)
    return GuardedCall(value=value, crash=crash, peak_mb=peak_mb, seconds=time.perf_counter() - started)


def _call(function: Callable[..., Any], args: tuple[Any, ...], memory_mb: int) -> tuple[Any, str | None, float]:
    """Return the function's value, how it failed, and the peak of this process's memory."""
    virtual_bytes = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    ceiling = virtual_bytes + memory_mb * _MB
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    value, crash = None, None
    try:
        value = function(*args)
    except BaseException as error:  # noqa: BLE001 - whatever escapes is the finding
        crash = f"{type(error).__name__}: {error}"
    return value, crash, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
