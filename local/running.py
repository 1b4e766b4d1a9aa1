"""What `python -m local up` tells of itself: that it runs, and where."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from typing import Any

from local.emulator import CREDENTIALS, Emulator
from ops.connect import RUNNING


class AlreadyRunningError(Exception):
    """Another `python -m local up` runs; the message says which."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep a second one from starting, which would hide this one; the lock ends with the process, however that ends.

    Raises: AlreadyRunningError.
    """
    RUNNING.parent.mkdir(exist_ok=True)
    with RUNNING.with_suffix(".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRunningError(
                f"got a second `python -m local up` beside process {lock.read()}; allowed is one at a time: "
                "use that one, or stop it with Ctrl-C in its terminal."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def announced(emulator: Emulator, outputs: dict[str, Any]) -> Iterator[None]:
    """Tell `python -m ops --local` where the stack is, for as long as it runs."""
    client = {"endpoint_url": emulator.endpoint, "region_name": emulator.region, **CREDENTIALS}
    told = json.dumps({"client": client, "outputs": outputs})
    RUNNING.parent.mkdir(exist_ok=True)
    RUNNING.write_text(told)
    try:
        yield
    finally:
        # After a `make clean` it may be another's.
        if RUNNING.is_file() and RUNNING.read_text() == told:
            RUNNING.unlink()
