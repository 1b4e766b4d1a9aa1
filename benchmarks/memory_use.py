"""The memory of this process, as Linux counts it."""

from pathlib import Path


def process_mb(name: str) -> float:
    """Return a line of the process's status in megabytes: `VmRSS` is its memory, `VmHWM` the peak.

    Source: proc(5). The peak that getrusage(2) returns may be the parent's, from before the program was started.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))
