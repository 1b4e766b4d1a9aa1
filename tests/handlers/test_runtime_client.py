"""AWS's own runtime interface client, which runs every Python function on Lambda, runs the program's functions.

Source of its calls: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
"""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.batch_worker import event, uploads
from benchmarks.photos import drawn
from benchmarks.worker_process import function_environment, loopback
from components.config import StackConfig
from components.stack_file import ROOT

pytest.importorskip("awslambdaric", reason="AWS's runtime interface client is not installed: it is made for Linux")

OBJECTS = {"again.jpg": drawn((320, 240)), "good.jpg": drawn((320, 240)), "text.gif": b"no picture"}
TIMEOUT_S = 60
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "tested", "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}


class RuntimeApi(ThreadingHTTPServer):
    """Lambda's side: gives one process its events, and takes what it returns."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.events: queue.Queue[Any] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    def invoke(self, event: Any) -> Any:
        """Return what the function returns for an event, or fail with its error."""
        self.events.put(event)
        kind, answer = self.answers.get(timeout=TIMEOUT_S)
        assert kind == "response", answer
        return answer


class _Calls(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        """Answer `invocation/next` when there is one."""
        body = json.dumps(self.server.events.get()).encode()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "1",
            "Lambda-Runtime-Deadline-Ms": str(int(1000 * (time.time() + TIMEOUT_S))),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:tested",
            "Content-Type": "application/json",
        }
        self._answer(HTTPStatus.OK, headers, body)

    def do_POST(self) -> None:
        """Take a response, or the error of an invocation or of the start."""
        answer = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        self.server.answers.put((self.path.rpartition("/")[2], answer))
        self._answer(HTTPStatus.ACCEPTED, {}, b"")

    def _answer(self, status: HTTPStatus, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def function(module: str, log: Path) -> Iterator[RuntimeApi]:
    """Run a function as Lambda does, against a fake S3; it writes to `log`."""
    with loopback(OBJECTS, 0, 0) as port, RuntimeApi() as api, log.open("w") as written:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        variables = {
            **function_environment(StackConfig(), port, 1769),
            **LAMBDA,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        }
        command = [sys.executable, "-m", "awslambdaric", f"handlers.{module}.handler"]
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=written, stderr=subprocess.STDOUT)
        try:
            yield api
        finally:
            process.kill()
            process.wait()
            api.shutdown()


@pytest.mark.parametrize("module", ["format_converter", "pixel_resizer", "metadata_extractor"])
def test_a_worker_processes_its_batches(module: str, tmp_path: Path) -> None:
    """Also in a child process, and every line that it logs is JSON, as the logging configuration promises."""
    batch = event(sorted(OBJECTS))
    batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = "2"
    log = tmp_path / "log"
    with function(module, log) as lambda_:
        for _ in range(2):
            assert lambda_.invoke(batch) == {"batchItemFailures": []}
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = {line["message_id"]: (line["message"], line["deliveries"]) for line in lines if "message_id" in line}
    assert found == {"again.jpg": ("written", 2), "good.jpg": ("written", 1), "text.gif": ("rejected", 1)}


def test_the_publisher_takes_an_upload(tmp_path: Path) -> None:
    """S3 invokes it asynchronously, so it returns nothing."""
    with function("job_publisher", tmp_path / "log") as lambda_:
        assert lambda_.invoke(uploads(["good.jpg"])) is None
