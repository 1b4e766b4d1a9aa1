"""A program in a process of its own that answers line by line: start it, ask it, stop it, or report its death."""

import contextlib
import json
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import click

START_S = 60.0


class ChildDiedError(click.ClickException):
    """The process ended by itself, or was killed; the message says how in one line, `output` is all of its errors."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class LineProcess:
    """A program that prints a line, its `greeting`, when it is ready, and then answers each line of JSON with one.

    Raises: OSError, if it cannot be started; ChildDiedError, if it ends before it is ready.
    """

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        # A file, because a full pipe would block the program.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, **options
        )
        try:
            self.greeting = self._answer(START_S).strip()
        except BaseException:  # After an interrupt too: a control group with a process cannot be removed.
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and wait until it has ended."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(self, question: object, wait_s: float) -> Any:
        """Return the answer to a question.

        Raises: ChildDiedError, also if there is none within `wait_s` seconds.
        """
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        return json.loads(self._answer(wait_s))

    def _answer(self, wait_s: float) -> str:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        timer = threading.Timer(wait_s, self._process.kill)
        started = time.monotonic()
        timer.start()
        try:
            line: str = self._process.stdout.readline()
        finally:  # After an interrupt too: this process would wait for its timers.
            timer.cancel()
        if line:
            return line
        self._process.wait()
        if time.monotonic() - started >= wait_s:
            raise ChildDiedError(f"it exceeded the time-out of {wait_s:g} s")
        if self._process.returncode == -signal.SIGKILL:
            raise ChildDiedError("it was killed: out of memory")
        self._errors.seek(0)
        output = self._errors.read().strip()
        last = output.rpartition("\n")[2]
        raise ChildDiedError(f"it ended with {self._process.returncode}: {last[:500]}", output)
