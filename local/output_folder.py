"""The folder of a run's results: what is in it, and which folders a run empties."""

import contextlib
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


def clear(folder: Path, masters: Iterable[Path]) -> None:
    """Make `folder`, or empty it of an earlier run's results, whether or not that run came to its end.

    Raises: OutputFolderError, if it holds anything but those, or a master, or cannot be written.
    """
    if inside := next((master for master in masters if _holds(folder, master)), None):
        raise OutputFolderError(
            f"--out: expected a folder without masters, because results in it are removed, got {folder} with {inside}: "
            "name another"
        )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / MARKER
        if not marker.is_file() and any(folder.iterdir()):
            raise OutputFolderError(
                f"--out: expected a new or empty folder or one of an earlier run, which has a {MARKER}, got {folder}: "
                "name another"
            )
        # Written before any result: an interrupted run's folder is recognised, and a full or read-only disk refused.
        marker.write_text("The next `python -m local run` into this folder replaces its results.\n")
        for name in RESULTS:
            _remove(folder / name)


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
