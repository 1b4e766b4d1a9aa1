"""The allocator settings, which Lambda's C library must accept."""

import ctypes
import subprocess
import sys

import pytest

from components.image_worker import ALLOCATOR

# Source: glibc 2.34, malloc/malloc.c and arena.c: a threshold is refused above half of HEAP_MAX_SIZE, which is
# 2 * DEFAULT_MMAP_THRESHOLD_MAX.
MOST_MMAP_THRESHOLD = 4 * 1024 * 1024 * ctypes.sizeof(ctypes.c_long)
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1  # Source: malloc.h.


def test_glibc_2_34_accepts_the_mmap_threshold() -> None:
    """The threshold is within glibc's limit: glibc ignores higher values."""
    assert int(ALLOCATOR["MALLOC_MMAP_THRESHOLD_"]) <= MOST_MMAP_THRESHOLD


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has glibc")
def test_this_machines_glibc_accepts_the_thresholds() -> None:
    """`mallopt` returns 1 for each value; it runs in a separate process because it changes the allocator."""
    values = [(M_MMAP_THRESHOLD, "MALLOC_MMAP_THRESHOLD_"), (M_TRIM_THRESHOLD, "MALLOC_TRIM_THRESHOLD_")]
    calls = ", ".join(f"libc.mallopt({option}, {ALLOCATOR[name]})" for option, name in values)
    code = f"import ctypes; libc = ctypes.CDLL(None); print({calls})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]
