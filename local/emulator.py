"""MiniStack in a separate process: started on a free loopback port, and stopped with its child processes."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botocore.config import Config

from local import scratch
from local.errors import LocalError
from ops import loopback
from ops.endpoint import listens

START_TIMEOUT_S = 60
COMMAND = [sys.executable, "-P", str(Path(__file__).parent / "server.py")]
HOST = "127.0.0.1"
GUARD = Path(__file__).parent / "guard.py"
WARNING = re.compile(r"^\S+ \S+ (?:WARNING|ERROR) \[(?!lambda)\w+\] (.+)$", re.MULTILINE)
"""A warning in MiniStack's log; those about functions are in the functions' own logs too."""
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
CLIENT_CONFIG = Config(
    max_pool_connections=32,
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
    proxies=loopback.NO_PROXIES,
)


class EmulatorError(LocalError):
    """MiniStack did not start, or ended by itself; the message says why."""


class Emulator:
    """A running MiniStack with IAM enforced; a context manager that starts it and stops it.

    It answers when the context begins or, with `ready=False`, once its `wait` returns.
    """

    def __init__(self, region: str, port: int | None = None, *, ready: bool = True) -> None:
        self.region, self._ready = region, ready
        self.port = port or _free_port()
        self.endpoint = f"http://{HOST}:{self.port}"
        self.client_options = {"endpoint_url": self.endpoint, "region_name": region, **CREDENTIALS}
        # Has the unpacked functions and the log; removed when the emulator stops.
        self._folder = scratch.Folder()
        self._log = Path(self._folder.name) / "ministack.log"
        self._session, self._clients, self._lock = loopback.session(), dict[str, Any](), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the emulator.

        Raises: EmulatorError.
        """
        try:
            self._start()
            if self._ready:
                self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the emulator; if it had ended by itself, that is why the command failed.

        Raises: EmulatorError.
        """
        ended = self._process is not None and not self.running
        log = self._tail() if ended else ""
        self.stop()
        if ended and isinstance(error, Exception) and not isinstance(error, EmulatorError):
            raise EmulatorError(f"MiniStack ended by itself: run the command again.{log}") from error

    def stop(self) -> None:
        """Stop the emulator and every process that it started."""
        process, self._process = self._process, None
        try:
            if process is not None:
                _end(process)
        finally:
            self._folder.cleanup()
            if self._guard is not None:
                self._guard.communicate()
                self._guard = None

    @property
    def folder(self) -> Path:
        """A folder that is removed with the emulator."""
        return Path(self._folder.name)

    @property
    def running(self) -> bool:
        """Whether the emulator still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        """The id of the running emulator's process."""
        return self._started().pid

    def warnings(self) -> list[str]:
        """Return what MiniStack has warned of, such as a delivery that a queue's policy does not allow."""
        return WARNING.findall(self._log.read_text(errors="replace"))

    def client(self, service: str) -> Any:
        """Return the client of a service, as the emulator's root account; made once, used by all threads."""
        with self._lock:  # boto3 cannot make two clients at the same time.
            if service not in self._clients:
                self._clients[service] = self._session.client(  # type: ignore[call-overload]
                    service, config=CLIENT_CONFIG, **self.client_options
                )
            return self._clients[service]

    def _start(self) -> None:
        if listens(self.endpoint):  # The program would be deployed into it.
            raise EmulatorError(
                f"expected a free port, got {self.port}, where something listens already: choose another"
            )
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                COMMAND,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # A separate process group, so that all its processes can be ended.
            )
        self._guard = subprocess.Popen(
            [sys.executable, "-S", "-E", str(GUARD), str(self._process.pid), self._folder.name],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal must not end the emulator before this process does.
        )

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise EmulatorError("MiniStack is not running.")
        return self._process

    def _environment(self) -> dict[str, str]:
        """Return the variables of the emulator, and so of its functions, without the user's AWS settings."""
        return {
            **loopback.environment(),
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_REGION": self.region,
            "TMPDIR": self._folder.name,
        }

    def wait(self) -> None:
        """Wait until the started emulator answers.

        Raises: EmulatorError.
        """
        process = self._started()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                ended = f"MiniStack ended with {process.returncode} instead of starting"
                raise EmulatorError(f"{ended}: check `pip install --group local`, or free its port.{self._tail()}")
            with contextlib.suppress(OSError, urllib.error.URLError):
                opener.open(f"{self.endpoint}/_ministack/health", timeout=1).close()
                return
            time.sleep(0.02)
        silent = f"MiniStack did not answer on {self.endpoint} for {START_TIMEOUT_S} s"
        raise EmulatorError(f"{silent}: run the command again.{self._tail()}")

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(["\nThe end of its log:", *lines]) if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group: they have no state to save."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
