"""`python -m benchmarks.peak CALL`: print the megabytes that a call adds to a warm process, for a file on its input.

It is a separate process, because a forked one could reuse memory that its parent had freed.
"""

import subprocess
import sys
from pathlib import Path

from benchmarks.batch_worker import process_mb
from benchmarks.contestants import task
from benchmarks.photos import drawn

WARM_PX = (640, 480)


def peak_mb(call: str, data: bytes) -> float:
    """Return the figure of a fresh process, which has made the call before with a small picture."""
    command = [sys.executable, "-m", "benchmarks.peak", call]
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def measure(call: str, data: bytes) -> float:
    """Return how far the peak of this process is above its memory before."""
    run = task(call)
    run(drawn(WARM_PX))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Source: proc(5): resets the peak.
    before = process_mb("VmRSS")
    run(data)
    return process_mb("VmHWM") - before


if __name__ == "__main__":
    print(measure(sys.argv[1], sys.stdin.buffer.read()))
