"""The folder of a run's results: what is in it, and which folders a run empties."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from components.branches import BRANCHES
from components.config import StackConfig
from local.errors import LocalUsageError

SUMMARY, REPORT, RECORDS, TIMES = "summary.json", "report.html", "metadata.json", "times.json"
LOGS, MASTERS = "logs", "master"
# Named for the prefixes of a stack without settings, in the order of `DeployedStack.prefixes`.
FOLDERS = (*(found.strip("/") for row in BRANCHES if (found := row.prefix_of(StackConfig()))), "rejected")
# The summary is removed first and written last: if it exists, the results are complete.
RESULTS = (SUMMARY, REPORT, RECORDS, TIMES, LOGS, MASTERS, *FOLDERS)
MARKER = ".pixelcascade"


class OutputFolderError(LocalUsageError):
    """The folder for the results cannot be used; the message says why, and what to do."""


@contextlib.contextmanager
def cleared(folder: Path, masters: Iterable[Path]) -> Iterator[None]:
    """Make `folder`, or empty it of an earlier run's results, whether or not that run came to its end.

    Another run that wants it within the context is refused.

    Raises: OutputFolderError, if it holds anything but those, or a master, cannot be written, or is another run's now.
    """
    if inside := next((master for master in masters if _holds(folder, master)), None):
        raise OutputFolderError(
            f"--out: expected a folder without masters, because results in it are removed, got {folder} with {inside}: "
            "name another"
        )
    with contextlib.ExitStack() as stack:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_locked(folder))
            # Written before any result is removed: a full or read-only disk is refused.
            (folder / MARKER).write_text("The next `python -m local run` into this folder replaces its results.\n")
            for name in RESULTS:
                _remove(folder / name)
        yield


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise `OutputFolderError` if something cannot be written into a folder."""
    try:
        yield
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        raise OutputFolderError(
            f"--out: expected a folder that can be written, got {folder} ({reason}): name another"
        ) from error


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a run's folder by its marker, which is made in a new one: an interrupted run's folder is recognised.

    The lock ends with the process.

    Raises: OutputFolderError, if it is not a run's, or another run has locked it.
    """
    names = {path.name for path in folder.iterdir()}
    if names and MARKER not in names:
        raise OutputFolderError(
            f"--out: expected a new or empty folder or one of an earlier run, which has a {MARKER}, got {folder}: "
            "name another"
        )
    with (folder / MARKER).open("a") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputFolderError(
                f"--out: expected a folder that no other run uses, got {folder}, which one is writing into: "
                "wait for its end, or name another"
            ) from error
        yield


def _holds(folder: Path, file: Path) -> bool:
    """Return whether a file, or a link on the way to it, lies below a folder."""
    named, base = (Path(os.path.abspath(path)) for path in (file, folder))  # noqa: PTH100 resolve() follows links
    resolved = (file.parent.resolve() / file.name, file.resolve())
    return named.is_relative_to(base) or any(path.is_relative_to(folder.resolve()) for path in resolved)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
