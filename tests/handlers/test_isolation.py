"""Work in a child process: its result comes back, and a crash or limit ends only the child."""

import ctypes
import faulthandler
import functools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from components.image_worker import ALLOCATOR
from handlers.budget import cores
from handlers.errors import BrokenImageError
from handlers.imaging.limits import MEGABYTE
from handlers.isolation import IsolatedWorkError, run_isolated
from tests.handlers.imaging.noise import noise
from tests.handlers.imaging.pictures import jpeg

MEMORY_MB = 10_240
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory is in use")


def isolated(work: Any, wall_s: float = 20.0, memory_mb: int = MEMORY_MB) -> Any:
    return run_isolated(work, wall_s=wall_s, memory_mb=memory_mb)


def reject() -> NoReturn:
    raise BrokenImageError("the picture is truncated")


def crash() -> None:
    faulthandler.disable()
    ctypes.string_at(0)


def fail() -> NoReturn:
    raise ZeroDivisionError("a bug")


def test_work_runs_in_another_process() -> None:
    """The work returns its result from another process."""
    assert isolated(os.getpid) != os.getpid()


def test_a_large_result_is_returned_whole() -> None:
    """A result larger than a pipe's buffer is read while it is sent."""
    assert isolated(lambda: b"x" * 3_000_000) == b"x" * 3_000_000


def test_a_rejection_in_the_child_is_raised_unchanged() -> None:
    """A rejection in the child is raised unchanged in the parent."""
    with pytest.raises(BrokenImageError, match=r"^the picture is truncated$"):
        isolated(reject)


def test_any_other_error_has_the_childs_traceback() -> None:
    """A bug in the child raises an error with the child's traceback."""
    with pytest.raises(IsolatedWorkError, match=r"(?s)Traceback.*in fail.*ZeroDivisionError: a bug"):
        isolated(fail)


@pytest.mark.parametrize("code", [0, 3])
def test_a_child_that_exits_raises_an_error(code: int) -> None:
    """A child that exits without a result raises an error with its exit code, even one that means success."""
    with pytest.raises(IsolatedWorkError, match=rf"^the child process died: exit code {code}$"):
        isolated(lambda: os._exit(code))


def test_a_killed_child_raises_an_error() -> None:
    """A child killed by a signal, as by the kernel for memory, raises an error with the signal's name."""
    with pytest.raises(IsolatedWorkError, match=r"^the child process died: signal SIGKILL$"):
        isolated(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_a_crash_in_native_code_raises_an_error() -> None:
    """An invalid memory access ends only the child, and the error names the signal."""
    with pytest.raises(IsolatedWorkError, match=r"^the child process died: signal SIGSEGV$"):
        isolated(crash)


def test_a_child_that_stalls_is_killed(tmp_path: Path) -> None:
    """Work that exceeds its time fails, and its process is gone."""

    def stall() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(60)

    with pytest.raises(IsolatedWorkError, match=r"^the work did not finish within 2\.0 s and was killed$"):
        isolated(stall, wall_s=2)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


STALLING = """
import time
from handlers.isolation import run_isolated
run_isolated(lambda: (print("started", flush=True), time.sleep(60)), wall_s=60, memory_mb=10_240)
"""


@linux_only
def test_a_child_ends_with_its_parent() -> None:
    """A child does not outlive a parent that is killed; else it would keep its memory until its work ends."""
    with subprocess.Popen([sys.executable, "-c", STALLING], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "started\n"
        parent.kill()
        # The pipe ends when the last process that may write to it has ended.
        parent.communicate(timeout=30)


@linux_only
def test_a_child_gets_no_more_memory_than_the_function() -> None:
    """Work that allocates more than the function has fails with a MemoryError in the child."""
    with pytest.raises(IsolatedWorkError, match="MemoryError"):
        isolated(lambda: bytearray(2 * MEMORY_MB * MEGABYTE))


FRESH = """
from handlers.isolation import run_isolated
print(run_isolated(lambda: len(bytes(200_000_000)), wall_s=60, memory_mb=512))
"""


@linux_only
def test_work_within_the_functions_memory_succeeds() -> None:
    """Work within a fresh function's memory succeeds; this process may hold more than a function has."""
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 200_000_000


@linux_only
def test_a_child_without_memory_raises_an_error() -> None:
    """A child without the memory to report its error still raises IsolatedWorkError."""
    work = "run_isolated(lambda: bytes(50_000_000), wall_s=60, memory_mb=1)"
    code = f"from handlers.isolation import run_isolated; {work}"
    # In a fresh process: this one may have so much free memory, left by other tests, which its child could use.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "\nhandlers.isolation.IsolatedWorkError: " in done.stderr


FRAGMENTED = """
import resource
from handlers.isolation import run_isolated

def room():
    with open("/proc/self/statm") as file:
        return resource.getrlimit(resource.RLIMIT_AS)[0] - int(file.read().split()[0]) * resource.getpagesize()

before = run_isolated(room, wall_s=60, memory_mb=1_000)
blocks = [bytes(1_000) for _ in range(100_000)]
del blocks[:-1]  # The last one keeps the heap from shrinking.
print(before - run_isolated(room, wall_s=60, memory_mb=1_000))
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="only glibc 2.33 and later report the free heap"
)
def test_the_free_heap_counts_as_the_childs_memory() -> None:
    """A child can fill the free heap that it inherits without growing, so its limit is lower by that."""
    done = subprocess.run([sys.executable, "-c", FRAGMENTED], capture_output=True, text=True, check=True)
    assert 80_000_000 < int(done.stdout) < 120_000_000


def test_a_child_may_keep_every_core_busy() -> None:
    """The limit of CPU time is the wall time on each core: AVIF and HEIC decoders run a thread per core."""
    soft_s, _ = isolated(lambda: resource.getrlimit(resource.RLIMIT_CPU), wall_s=19.5)
    assert soft_s == 20 * cores()


def test_the_parents_own_limits_are_unchanged() -> None:
    """The parent's own limits are unchanged."""
    before = resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)
    isolated(os.getpid)
    assert (resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)) == before


def test_a_result_that_cannot_be_pickled_raises_an_error() -> None:
    """A result that cannot be pickled raises an error."""
    with pytest.raises(IsolatedWorkError):
        isolated(lambda: lambda: None)


def test_no_descriptor_is_left_open() -> None:
    """A process that isolates many records leaks no file descriptors."""
    descriptors = Path("/dev/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(5):
        isolated(os.getpid)
    assert len(list(descriptors.iterdir())) == before


WARM = """
import gc, json, os, sys
from handlers import imaging, clients
from handlers.isolation import IsolatedWorkError, run_isolated

clients.s3()
file = sys.stdin.buffer.read()
for _ in range(3):
    imaging.convert(file, reencode="always")
    imaging.resize(file, {"a": 100, "b": 500, "c": 1000})

def process_mb(*processes):
    return sum(
        int(line.split()[1]) / 1024
        for process in processes
        for line in open(f"/proc/{process}/smaps_rollup")
        if line.startswith("Pss:")
    )

def fill():
    gc.collect()
    blocks = []
    for size in (20_000_000, 1_000_000, 60_000):
        try:
            while True:
                blocks.append(bytes([1]) * size)
        except MemoryError:
            pass
    del blocks[-20:]
    return process_mb("self", os.getppid())

print(json.dumps(run_isolated(fill, wall_s=60, memory_mb=int(sys.argv[1]))))
"""


@functools.cache
def _large_jpeg() -> bytes:
    return jpeg(noise((4000, 3000), 40).convert("RGB"), quality=90)


@linux_only
@pytest.mark.parametrize("memory_mb", [512, 885, 1769])
def test_a_warm_parent_and_its_child_fit_the_functions_memory(memory_mb: int) -> None:
    """A child that allocates all it can, after large pictures in the parent, leaves 10 % of the memory free."""
    environment = {**os.environ, **ALLOCATOR, "AWS_DEFAULT_REGION": "eu-central-1"}
    command = [sys.executable, "-c", WARM, str(memory_mb)]
    done = subprocess.run(command, env=environment, input=_large_jpeg(), capture_output=True, check=True)
    together_mb = json.loads(done.stdout)
    print(f"{memory_mb} MB: together {together_mb:.0f} MB")  # noqa: T201 - `pytest -rP` shows the figures
    assert 0.6 * memory_mb < together_mb <= 0.9 * memory_mb
