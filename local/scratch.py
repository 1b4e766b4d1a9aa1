"""The emulator's temporary folder: in memory if there is enough space, and swept if its process was killed."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX, LOCK = "pixelcascade-", "lock"
MEMORY = Path("/dev/shm")  # noqa: S108 the files go into a new folder in it, of this user alone
NEEDED_BYTES = 2 * 1024**3


class Folder(tempfile.TemporaryDirectory[str]):
    """A new temporary folder; those of processes that were killed are removed first.

    The process holds a lock on it, which ends with the process. Its id would not do: containers with a common folder
    each count their own processes.
    """

    def __init__(self) -> None:
        sweep()
        super().__init__(prefix=PREFIX, dir=_place())
        unlocked = Path(self.name, "unlocked")
        self._lock = unlocked.open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # Another process that starts now must not find the lock before it is held.
        unlocked.rename(Path(self.name, LOCK))

    def cleanup(self) -> None:
        """Remove the folder."""
        super().cleanup()
        self._lock.close()


def sweep() -> None:
    """Remove the folders of earlier runs, which remain if the guard was killed too."""
    for place in {MEMORY, Path(tempfile.gettempdir())}:
        for found in place.glob(f"{PREFIX}*/{LOCK}"):
            # Another user's, removed meanwhile, or in use.
            with contextlib.suppress(OSError), found.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(found.parent, ignore_errors=True)


def _place() -> str | None:
    """Return a folder in memory if there is enough space, or None for the default.

    Each process of a function unpacks its code, which is ten times as fast in memory.
    """
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > NEEDED_BYTES:
        return str(MEMORY)
    return None
