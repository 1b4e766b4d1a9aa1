"""The allocator settings, which Lambda's C library must accept, and a long file's memory under them."""

import ctypes
import os
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


LONG_BYTES = 48_000_000
STREAMED = """
import io, sys
from handlers.imaging import Limits, open_picture
from tests.handlers.imaging.pictures import jpeg

class Stream:
    head, left = io.BytesIO(jpeg()), int(sys.argv[1])

    def read(self, size):
        part = self.head.read(size) or bytes(min(size, self.left))
        self.left -= len(part)
        return part

def memory_bytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) * 1024

picture = open_picture(Stream(), Limits(max_bytes=10**9), size_bytes=int(sys.argv[1]))
before = memory_bytes("VmRSS")
read = len(picture.source.whole())
print(read, memory_bytes("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has glibc")
def test_a_long_stream_takes_little_more_memory_than_its_size() -> None:
    """A buffer that grew step by step would move when it passes the threshold, and be in memory twice."""
    done = subprocess.run(
        [sys.executable, "-c", STREAMED, str(LONG_BYTES)],
        env=os.environ | ALLOCATOR,
        capture_output=True,
        text=True,
        check=True,
    )
    read, taken = map(int, done.stdout.split())
    assert read == LONG_BYTES
    assert taken < 1.2 * LONG_BYTES
