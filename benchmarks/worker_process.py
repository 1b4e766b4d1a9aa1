"""A function in a separate process, called batch by batch, and a slow S3 in another."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.artefact import Artefact
from benchmarks.batch_worker import BUCKET, Figures
from benchmarks.line_process import LineProcess
from components.config import StackConfig
from components.image_worker import worker_environment
from ops.loopback import environment

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
# The shell joins each control group and becomes the worker, so that its start counts too.
JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'


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


class WorkerProcess(LineProcess):
    """One function's process; `init_s` is the time until its module was imported."""

    def __init__(self, args: WorkerArgs) -> None:
        self._timeout_s = args.config.timeout_s
        variables = function_environment(args.config, args.port, args.memory_mb)
        cores = map(str, args.cores)
        command = args.artefact.command("-m", "benchmarks.batch_worker", f"handlers.{args.module}", *cores)
        started = time.perf_counter()
        super().__init__(
            ["/bin/sh", "-c", JOIN, "sh", *map(str, args.joins), "--", *command],
            env={**variables, **args.artefact.environment},
        )
        self.init_s = time.perf_counter() - started

    def invoke(self, keys: Sequence[str]) -> Figures:
        """Send a batch of masters.

        Raises: ChildDiedError, also if the function's time-out passes.
        """
        return msgspec.convert(self.ask({"keys": list(keys), "timeout_s": self._timeout_s}, self._timeout_s), Figures)


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
        with LineProcess(command) as server:
            yield int(server.greeting)


def function_environment(config: StackConfig, port: int, memory_mb: int) -> dict[str, Any]:
    """Return a function's whole environment, which names the loopback S3."""
    return {
        **environment(),
        **CREDENTIALS,
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
