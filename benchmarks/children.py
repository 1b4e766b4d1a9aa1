"""Contestants in other programs, called line by line: another Python, and sharp in Node.js.

`python -m benchmarks.children` runs the calls named on standard input, and prints the milliseconds of each.
"""

import functools
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.contestants import TASKS, Contestant
from benchmarks.line_process import ChildDiedError, LineProcess
from benchmarks.measuring import milliseconds
from benchmarks.photos import Photo

ANSWER_S = 600.0
READY = "ready"
FOLDER = Path(__file__).parent


def contestant(child: LineProcess, task: str, folder: Path) -> Contestant:
    """Return the contestant of one task; pictures reach the program as files."""

    def run(photo: Photo) -> float:
        file = folder / f"{photo.name}.bin"
        if not file.exists():
            file.write_bytes(photo.data)
        return float(child.ask({"task": task, "file": str(file)}, ANSWER_S))

    return run


def other_python(python: Path) -> LineProcess:
    """Return PixelCascade run by another Python, such as one with pillow-simd.

    Raises: click.BadParameter.
    """
    # A virtual environment's link is not resolved.
    command = [str(python.absolute()), "-m", "benchmarks.children"]
    expected = f"expected a Python of version 3.11 or later that has Pillow or pillow-simd, got {python}"
    return _started(command, expected, "--simd", cwd=FOLDER.parent)


def sharp(folder: Path) -> LineProcess:
    """Return sharp from a folder with `node_modules`.

    Raises: click.BadParameter.
    """
    environment = {**os.environ, "NODE_PATH": f"{folder}/node_modules"}
    expected = f"expected a folder in which `npm install sharp` was run, and node on the PATH, got {folder}"
    return _started(["node", str(FOLDER / "sharp.js")], expected, "--sharp", env=environment)


def _started(command: Sequence[str], expected: str, option: str, **options: Any) -> LineProcess:
    try:
        child = LineProcess(command, **options)
    except OSError as error:
        raise click.BadParameter(f"{expected} ({error.filename}: {error.strerror})", param_hint=option) from error
    except ChildDiedError as error:
        errors = [line.strip() for line in error.output.splitlines() if "Error: " in line]
        raise click.BadParameter(f"{expected} ({next(iter(errors), error)})", param_hint=option) from error
    if child.greeting != READY:
        child.close()
        raise click.BadParameter(f"{expected} (it says {child.greeting!r})", param_hint=option)
    return child


@functools.cache
def file_of(path: str) -> bytes:
    """Return a file's bytes, read once."""
    return Path(path).read_bytes()


def answer() -> None:
    """Answer the questions of `other_python`, in the child process."""
    print(READY, flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        data = file_of(question["file"])
        print(milliseconds(functools.partial(TASKS[question["task"]], data)), flush=True)


if __name__ == "__main__":
    answer()
