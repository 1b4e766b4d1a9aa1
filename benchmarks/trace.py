"""Which files and functions does one picture pass through? Counted in a real invocation."""

import contextlib
import importlib
import io
import itertools
import logging
import os
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import click

from benchmarks.batch_worker import Context, event
from benchmarks.photos import MEGAPIXELS, drawn
from benchmarks.worker_process import function_environment, loopback
from components.config import StackConfig

ROOT = Path(__file__).parent.parent
WORKERS = {"copy": "format_converter", "resize": "pixel_resizer", "metadata": "metadata_extractor"}


class Trace:
    """Calls of functions of the handlers' files, in their order, while `recording`; those of all threads."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, str]] = []
        self.recording = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Record a call; `sys.setprofile` calls this."""
        code = frame.f_code
        if self.recording and event == "call" and code.co_filename.startswith(f"{ROOT / 'handlers'}/"):
            self._calls.append((code.co_filename, code.co_qualname))

    def files(self) -> list[str]:
        """Return the files, in the order in which they were entered first."""
        return list(dict.fromkeys(os.path.relpath(file, ROOT) for file, _ in self._calls))

    def functions(self) -> int:
        """Return how many functions were called."""
        return len(set(self._calls))

    def moves(self) -> int:
        """Return how often a call was in a different file from the call before."""
        return sum(before[0] != after[0] for before, after in itertools.pairwise(self._calls))


@click.command()
@click.argument("task", type=click.Choice(list(WORKERS)))
def trace(task: str) -> None:
    """List the files that one JPEG passes through in a warm worker.

    Also prints how many functions were called.
    """
    found = Trace()
    threading.setprofile(found)
    sys.setprofile(found)
    with loopback({"one.jpg": drawn(MEGAPIXELS["2 MP"])}, 0) as port:
        _invoke(WORKERS[task], port, found)
    sys.setprofile(None)
    print("\n".join(found.files()))
    print(f"{task}: {len(found.files())} files, {found.functions()} functions, {found.moves()} moves between files")


def _invoke(module: str, port: int, found: Trace) -> None:
    """Invoke a worker twice, and record the second time."""
    variables = function_environment(StackConfig(), port, 1769)
    os.environ.clear()
    os.environ.update(variables)
    handler = importlib.import_module(f"handlers.{module}").handler
    logging.disable()  # Logs and metrics go to standard output, where the answer comes.
    with contextlib.redirect_stdout(io.StringIO()):
        handler(event(["one.jpg"]), Context(60))
        found.recording = True
        answer = handler(event(["one.jpg"]), Context(60))
        found.recording = False
    if answer["batchItemFailures"]:
        raise click.ClickException("expected an invocation without failures, got one")
