"""Write the address of a running `python -m local up` to a file, and prevent a second one."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from typing import Any

from local.emulator import Emulator
from local.errors import LocalError
from ops.connect import RUNNING


class AlreadyRunningError(LocalError):
    """Another `python -m local up` runs; the message says which."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Lock out a second `up`, whose address would replace this one's. The lock ends with the process.

    Raises: AlreadyRunningError; LocalError, if its file cannot be written.
    """
    try:
        RUNNING.parent.mkdir(exist_ok=True)
        opened = RUNNING.with_suffix(".lock").open("a+")
    except OSError as error:
        raise LocalError(
            f"expected a folder that can be written, got {RUNNING.parent} ({error.strerror}): change its mode, or use "
            "a checkout of your own"
        ) from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRunningError(
                f"expected one `python -m local up` at a time, got a second while process {lock.read()} runs one: "
                "use that one, or stop it with Ctrl-C in its terminal"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def announced(emulator: Emulator, outputs: dict[str, Any], logs: dict[str, str]) -> Iterator[None]:
    """Write the stack's address for `python -m ops --local`, and remove it at the end; `logs` are its log groups."""
    text = json.dumps({"client": emulator.client_options, "outputs": outputs, "logs": logs})
    RUNNING.parent.mkdir(exist_ok=True)
    RUNNING.write_text(text)
    try:
        yield
    finally:
        # After a `make clean`, another process may have written it.
        if RUNNING.is_file() and RUNNING.read_text() == text:
            RUNNING.unlink()
