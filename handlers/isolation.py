"""Run work in a child process with limits, so that a crash affects no other record."""

import ctypes
import gc
import math
import multiprocessing
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from handlers.budget import cores
from handlers.errors import PixelCascadeError
from handlers.imaging.limits import MEGABYTE, MEMORY_SHARE

Result = TypeVar("Result")

# Threads of the child upload files; the default of 8 MB a thread would count against the picture's memory.
THREAD_STACK_BYTES = MEGABYTE


class IsolatedWorkError(PixelCascadeError):
    """The work failed in its child process: it crashed, ran out of time or memory, or hit a bug."""


class IsolatedWorkTimeoutError(IsolatedWorkError):
    """The work did not end in time, and its child process was killed."""


def run_isolated(work: Callable[[], Result], *, wall_s: float, memory_mb: int) -> Result:
    """Run `work` in a forked child; return what it returns, or raise the PixelCascadeError that it raises.

    The child gets `wall_s` seconds of time, as many of CPU on each core, and the part of `memory_mb` that the parent
    leaves. Together they stay within `MEMORY_SHARE` of it, even if the child copies every page that it shares with the
    parent.

    Raises: IsolatedWorkError, for any other end of the child.
    """
    _release_free_memory()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(work, sender, wall_s, memory_mb), daemon=True)
    child.start()
    sender.close()
    try:
        if not receiver.poll(wall_s):
            raise IsolatedWorkTimeoutError(f"the work did not finish within {wall_s:.1f} s and was killed")
        result, error = receiver.recv()
    except EOFError:
        child.join()
        raise IsolatedWorkError(f"the child process died: {_ending(child.exitcode)}") from None
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
    """Limit this process's CPU time and memory, and let it end with its parent."""
    cpu_s = math.ceil(wall_s) * cores()
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    threading.stack_size(THREAD_STACK_BYTES)
    if sys.platform != "linux":  # False on a developer's machine only.
        return
    # The parent holds its resident pages, and the child may copy all those that are not from a file.
    virtual_bytes, resident_bytes, file_bytes = (
        int(pages) * resource.getpagesize() for pages in Path("/proc/self/statm").read_text().split()[:3]
    )
    taken_bytes = resident_bytes + (resident_bytes - file_bytes) + _free_heap_bytes()
    spare_bytes = max(0, int(MEMORY_SHARE * memory_mb * MEGABYTE) - taken_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (virtual_bytes + spare_bytes, virtual_bytes + spare_bytes))
    pr_set_pdeathsig = 1  # Source: prctl(2).
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _release_free_memory() -> None:
    """Return the allocator's free memory to the kernel, because a child would copy it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Only glibc has it.
    if trim:
        trim(0)


class _Mallinfo2(ctypes.Structure):
    """The allocator's figures in bytes. Source: mallinfo(3)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def _free_heap_bytes() -> int:
    """Return the free bytes of the heap, which can be used without growing the address space."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)  # Only glibc 2.33 and later have it.
    if not mallinfo2:
        return 0
    mallinfo2.restype = _Mallinfo2
    return int(mallinfo2().fordblks)


def _ending(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
