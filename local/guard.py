"""End the emulator and remove its folder when the process that started it ends, even by `kill -9`.

Run as a script with a process group and a folder; standard input is a pipe whose other end that process holds.
"""

import contextlib
import os
import shutil
import signal
import sys


def main(group: int, folder: str) -> None:
    """Wait for the end of the input, then kill the group and remove the folder."""
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
