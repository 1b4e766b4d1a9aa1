"""Contestants in other programs, called line by line: another Python, and sharp in Node.js."""

import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.contestants import TASKS, Contestant
from benchmarks.measuring import milliseconds
from benchmarks.photos import Photo

START_S = 60.0
READY = "ready"


class Child:
    """A contestant in another program, which answers each line of JSON with the milliseconds it took."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        self._files: dict[str, str] = {}
        self._lock = threading.Lock()

    def contestant(self, task: str, folder: Path) -> Contestant:
        """Return the contestant of one task; pictures reach the program as files."""

        def run(photo: Photo) -> float:
            file = folder / f"{photo.name}.bin"
            if not file.exists():
                file.write_bytes(photo.data)
            with self._lock:
                return self._ask({"task": task, "file": str(file)})

        return run

    def _ask(self, question: dict[str, str]) -> float:
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self._process.args!r} ended while answering {question}")
        return float(answer)


def other_python(python: Path) -> Child:
    """Return PixelCascade run by another Python, such as one with pillow-simd.

    Raises: click.BadParameter.
    """
    program, root = (
        str(python.absolute()),
        Path(__file__).parent.parent,
    )  # A virtual environment's link is not resolved.
    if fault := _fault([program, "-c", f"import benchmarks.children; print('{READY}')"], cwd=root):
        expected = "expected a Python of version 3.11 or later that has Pillow or pillow-simd"
        raise click.BadParameter(f"{expected}, got {python} ({fault}): install it there", param_hint="--simd")
    return Child([program, "-m", "benchmarks.other_python"], cwd=root)


def sharp(folder: Path) -> Child:
    """Return sharp from a folder with `node_modules`.

    Raises: click.BadParameter.
    """
    environment = {**os.environ, "NODE_PATH": f"{folder}/node_modules"}
    if fault := _fault(["node", "-e", f"require('sharp'); console.log('{READY}')"], env=environment):
        expected = "expected a folder in which `npm install sharp` was run, and node on the PATH"
        raise click.BadParameter(f"{expected}, got {folder} ({fault})", param_hint="--sharp")
    return Child(["node", str(Path(__file__).parent / "sharp.js")], env=environment)


def _fault(command: Sequence[str], **options: Any) -> str:
    """Return in one line why a command does not print `READY`, nothing if it does."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=START_S,
            check=False,
            **options,
        )
    except OSError as error:
        return f"{Path(command[0]).name}: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"no answer for {START_S:g} s"
    if done.returncode == 0 and done.stdout.strip() == READY:
        return ""
    errors = [line.strip() for line in done.stderr.splitlines() if "Error: " in line]
    return errors[0] if errors else f"ended with {done.returncode}"


@functools.cache
def file_of(path: str) -> bytes:
    """Return a file's bytes, read once."""
    return Path(path).read_bytes()


def answer() -> None:
    """Answer the questions of `other_python`, in the child process."""
    for line in sys.stdin:
        question = json.loads(line)
        data = file_of(question["file"])
        print(milliseconds(functools.partial(TASKS[question["task"]], data)), flush=True)
