"""The emulator's temporary folder: in memory if there is enough space, and swept if its process was killed."""

import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "pixelcascade-"
MEMORY = Path("/dev/shm")  # noqa: S108 the files go into a new folder in it, of this user alone
NEEDED_BYTES = 2 * 1024**3


def folder() -> tempfile.TemporaryDirectory[str]:
    """Make a temporary folder of this process, after removing those of processes that were killed."""
    sweep()
    return tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=_place())


def sweep() -> None:
    """Remove the folders of earlier runs, which remain if the guard was killed too."""
    for place in {MEMORY, Path(tempfile.gettempdir())}:
        for found in place.glob(f"{PREFIX}*-*"):
            owner = found.name.removeprefix(PREFIX).partition("-")[0]
            if owner.isdigit() and not Path("/proc", owner).exists() and Path("/proc").is_dir():
                shutil.rmtree(found, ignore_errors=True)


def _place() -> str | None:
    """Return a folder in memory if there is enough space, or None for the default.

    Each process of a function unpacks its code, which is ten times as fast in memory.
    """
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > NEEDED_BYTES:
        return str(MEMORY)
    return None
