"""Run work in a child process with limits, so that a record that kills its process costs no other record."""

import ctypes
import math
import multiprocessing
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from handlers.errors import PixelCascadeError

Result = TypeVar("Result")

MEGABYTE = 1024 * 1024
# What the parent and the child need beside the pictures: a tenth of the function's memory.
MEMORY_SHARE = 0.9


class IsolatedWorkError(PixelCascadeError):
    """The work failed in its child process: it crashed, ran out of time or memory, or hit a bug."""


def run_isolated(work: Callable[[], Result], *, wall_s: float, memory_mb: int) -> Result:
    """Return what `work` returns, or raise the PixelCascadeError that it raises, from a forked child.

    The child gets `wall_s` seconds, of CPU too, and what the parent leaves of `memory_mb`.

    Raises: IsolatedWorkError, for any other end of the child.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(work, sender, wall_s, memory_mb), daemon=True)
    child.start()
    sender.close()
    try:
        if not receiver.poll(wall_s):
            raise IsolatedWorkError(f"the work did not end within {wall_s:.1f} s and was killed")
        result, error = receiver.recv()
    except EOFError:
        child.join()
        raise IsolatedWorkError(f"the work killed its process: {_ending(child.exitcode)}") from None
    finally:
        child.kill()
        child.join()
        receiver.close()
    if error is not None:
        raise error
    answer: Result = result
    return answer


def _child(work: Callable[[], Any], sender: Connection, wall_s: float, memory_mb: int) -> None:
    _limit(wall_s, memory_mb)
    answer: tuple[Any, PixelCascadeError | None]
    try:
        answer = (work(), None)
    except PixelCascadeError as error:
        answer = (None, error)
    except Exception:  # noqa: BLE001 the parent needs to know, and not every exception can be pickled
        answer = (None, IsolatedWorkError(f"the work failed:\n{traceback.format_exc()}"))
    sender.send(answer)


def _limit(wall_s: float, memory_mb: int) -> None:
    """Bound this process's CPU time and memory, and end it with its parent."""
    cpu_s = math.ceil(wall_s)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    if sys.platform != "linux":  # Only a developer's machine is not.
        return
    virtual_bytes, resident_bytes = (
        int(pages) * resource.getpagesize() for pages in Path("/proc/self/statm").read_text().split()[:2]
    )
    spare_bytes = max(0, int(MEMORY_SHARE * memory_mb * MEGABYTE) - resident_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes + spare_bytes, virtual_bytes + spare_bytes))
    pr_set_pdeathsig = 1  # Source: prctl(2).
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
