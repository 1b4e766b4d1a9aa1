"""A function in a separate process with a slow S3: start it, call it batch by batch, stop it, or report its death."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.artefact import Artefact
from benchmarks.batch_worker import BUCKET, Figures, Image
from components.config import StackConfig
from components.image_worker import worker_environment

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
START_S = 60.0
# The shell joins each control group and becomes the worker, so that its start counts too.
JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'


class WorkerDiedError(Exception):
    """The function's process ended by itself, or was killed; the message says how."""


@dataclass(frozen=True, kw_only=True)
class WorkerArgs:
    """How to start a function: the package, its module below `handlers`, its cores and control groups."""

    artefact: Artefact
    module: str
    port: int
    cores: Sequence[int]
    memory_mb: int
    config: StackConfig
    joins: Sequence[Path] = ()


class WorkerProcess:
    """One function's process; `init_s` is the time until its module was imported."""

    def __init__(self, args: WorkerArgs) -> None:
        self._args = args
        artefact = args.artefact
        cores = map(str, args.cores)
        command = artefact.command("-m", "benchmarks.batch_worker", f"handlers.{args.module}", *cores)
        # A file, because a full pipe would block the function.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        started = time.perf_counter()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", JOIN, "sh", *map(str, args.joins), "--", *command],
            env={
                **os.environ,
                **CREDENTIALS,
                **artefact.environment,
                **function_environment(args.config, args.port, args.memory_mb),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self._answer(START_S)
        except BaseException:  # After an interrupt too: a control group with a process cannot be removed.
            self.close()
            raise
        self.init_s = time.perf_counter() - started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and wait until it has ended."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def invoke(self, keys: Sequence[str]) -> Figures:
        """Send a batch of masters.

        Raises: WorkerDiedError, also if the function's time-out passes.
        """
        timeout_s = self._args.config.timeout_s
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"keys": list(keys), "timeout_s": timeout_s}) + "\n")
            self._process.stdin.flush()
        found = json.loads(self._answer(timeout_s))
        return Figures(**{**found, "images": tuple(Image(**image) for image in found["images"])})

    def _answer(self, wait_s: float) -> str:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        timer = threading.Timer(wait_s, self._process.kill)
        started = time.monotonic()
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:  # After an interrupt too: this process would wait for its timers.
            timer.cancel()
        if line:
            return line
        self._process.wait()
        if time.monotonic() - started >= wait_s:
            raise WorkerDiedError(f"it exceeded the time-out of {wait_s:g} s")
        if self._process.returncode == -signal.SIGKILL:
            raise WorkerDiedError("it was killed: out of memory")
        self._errors.seek(0)
        raise WorkerDiedError(f"it ended with {self._process.returncode}: {self._errors.read().strip()[-2000:]}")


@contextlib.contextmanager
def loopback(
    objects: Mapping[str, bytes], delay_ms: float, core: int = -1, mb_per_s: float | None = None
) -> Iterator[int]:
    """Yield the port of an S3 with some objects, in a separate process on one core, with at most `mb_per_s`.

    Unless `core` says otherwise, it is the last one; a function of few cores gets the first ones.
    """
    with tempfile.TemporaryDirectory() as folder:
        for key, body in objects.items():
            Path(folder, key).write_bytes(body)
        command = [sys.executable, "-m", "benchmarks.loopback", folder, str(delay_ms), str(core)]
        command += [] if mb_per_s is None else [str(mb_per_s)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None  # noqa: S101 - it is a pipe
            assert server.stdin is not None  # noqa: S101
            try:
                yield int(server.stdout.readline())
            finally:
                server.stdin.close()


def function_environment(config: StackConfig, port: int, memory_mb: int) -> dict[str, Any]:
    """Return a function's environment, which names the loopback S3."""
    return {
        **worker_environment(config),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "BRANCH": "measured",
        "BUCKET": BUCKET,
        "QUEUE_URL": "http://127.0.0.1/none",
        "TABLE": "records",
        "PICTURES_TABLE": "pictures",
        "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:topic",
        "RECIPE": "measured",
    }
