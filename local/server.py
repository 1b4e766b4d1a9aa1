"""MiniStack, changed in three ways; run as a script instead of `python -m ministack`.

MiniStack accepts any signature, and a function that is created in it runs on this machine. So requests that other sites
make in the same browser are refused.

After a call, MiniStack waits 50 ms for the function's log. On a busy machine it reads a line later, and holds it back
until the same process's next call, which may never come. Here it waits until the pipe is empty: a function writes its
log before its response.

If a call fails, the log has MiniStack's text. Here it has the line that Lambda writes in JSON. A function that reports
failed messages without a reason is warned of, because nothing else shows it before the dead letters.
"""

import array
import fcntl
import json
import logging
import os
import re
import runpy
import select
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core.lambda_runtime import Worker

POLL_S = 0.001
CHUNK_BYTES = 65_536
ENDING_S, LAST_S = 0.25, 1.0
"""How long to wait for the log of a process that has ended, since a child of it may keep the pipe open; and for the end
of a process that has closed its output."""

_reading = threading.Lock()
"""Held from reading a pipe until its lines are queued, so that an empty pipe means that all of them are."""

_drain, _invoke = Worker._drain_stderr_bounded, Worker.invoke

_logger = logging.getLogger("functions")
_SUFFIX = re.compile("-[0-9a-f]{7}$")
"""What a local deployment adds to a function's name."""

_LOOPBACK = re.compile(r"(127\.0\.0\.1|\[::1\]|([\w-]+\.)*localhost)(:\d+)?", re.ASCII)
"""Host names that no other site can point at this machine (DNS rebinding)."""

_OTHER_SITES = {"cross-site", "same-site"}
"""Values of Sec-Fetch-Site. A site is a host of any port, so even one on this machine may be another program's."""

Application = Callable[[Mapping[str, Any], Any, Callable[[Mapping[str, Any]], Awaitable[None]]], Awaitable[None]]


def guarded(application: Application) -> Application:
    """Return an application that answers pages of other sites only about S3, where buckets' CORS rules apply."""

    async def guard(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        refusal = _refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if not refusal:
            await application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": refusal.encode()})

    return guard


def _refusal(scope: Mapping[str, Any]) -> str | None:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = headers.get("host", ""), headers.get("origin")
    if not _LOOPBACK.fullmatch(host):
        return f"expected a request for this machine, got {host!r}: use the address that `up` printed\n"
    foreign = origin not in {None, f"http://{host}"} or headers.get("sec-fetch-site") in _OTHER_SITES
    if foreign and not _is_for_bucket(scope, headers):
        return f"expected a page that uses a bucket, got a request of {origin!r} for {scope['path']!r}: use AWS CLI 2\n"
    return None


def _is_for_bucket(scope: Mapping[str, Any], headers: dict[str, str]) -> bool:
    """Return whether a request is about an existing bucket, whose name another site would have to know."""
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    service = ministack.detect_service(scope.get("method", "GET"), scope["path"], headers, query)
    return service == "s3" and ministack._s3_cors_target(headers["host"], scope["path"]) is not None


def read_log(worker: Any) -> None:
    """Queue the lines that a function's process writes, until it ends."""
    worker.process = worker._proc
    pipe, rest, chunk = worker._proc.stderr, b"", b"\n"
    readable = select.poll()
    readable.register(pipe)
    while chunk:
        readable.poll()
        with _reading:
            if not readable.poll(0):  # MiniStack itself reads the error of a process that ends at its start.
                continue
            chunk = os.read(pipe.fileno(), CHUNK_BYTES)
            *lines, rest = (rest + chunk).split(b"\n")
            if rest and not chunk:
                lines = [rest]
            for line in lines:
                worker._stderr_queue.put(line.decode(errors="replace"))


def whole_log(worker: Any, **waits: float) -> str:
    """Return what a function's process has written since the last call; `waits` are MiniStack's."""
    process = worker._proc
    if not process:
        if worker._stderr_thread:
            worker._stderr_thread.join(ENDING_S)
        return str(worker._drain_stderr())
    if not process.stderr:  # A custom runtime, whose log is in its output.
        return str(_drain(worker, **waits))
    while True:
        with _reading:
            if not _unread_bytes(process.stderr):
                return str(worker._drain_stderr())
        time.sleep(POLL_S)


def invoke(worker: Any, *args: Any, **named: Any) -> dict[str, Any]:
    """Call a function; the log of a call that fails ends with the line that Lambda writes for it."""
    try:
        result: dict[str, Any] = _invoke(worker, *args, **named)
    except Exception as error:  # noqa: BLE001 - the function's process ended at its start
        worker._proc = None
        # MiniStack may have read the end of the log.
        log = whole_log(worker) + str(error).partition("stderr: ")[2]
        result = {"status": "error", "error": str(error), "log": log}
    if result["status"] == "error":
        message = result["error"]
        if "trace" not in result and message.startswith("Worker process"):  # It died, or ended at its start.
            message = _ending(worker.process, result.get("log", ""))
        result["trace"] = json.dumps(failed_line(message, result.get("trace", "")))
    elif _has_failures(result.get("result")) and '"ERROR"' not in result.get("log", ""):
        _logger.warning(
            "%s: expected a line in JSON with the level ERROR for each message that failed, got none: log why, as the "
            "Logger of powertools does",
            _SUFFIX.sub("", worker.func_name),
        )
    return result


def _has_failures(answer: Any) -> bool:
    """Return whether a function reports messages of its batch as failed."""
    return isinstance(answer, dict) and bool(answer.get("batchItemFailures"))


def _ending(process: subprocess.Popen[str], log: str) -> str:
    """Return how a function's process ended, and the last line of its log, unless a signal killed it."""
    try:
        exit_code = process.wait(LAST_S)
    except subprocess.TimeoutExpired:
        return "the function's process closed its output"
    if exit_code < 0:
        name = next((known.name for known in signal.Signals if known == -exit_code), f"signal {-exit_code}")
        return f"the function's process was killed by {name}"
    last = log.rstrip().rpartition("\n")[2]
    return f"the function's process ended with exit code {exit_code}" + (f": {last}" if last else "")


def failed_line(message: str, traceback: str) -> dict[str, Any]:
    """Return the fields of Lambda's line about a failed call; without a traceback, no exception was raised.

    Source: `make_error` and `log_error` in Lambda's runtime client for Python.
    """
    before, found, _ = traceback.rpartition(f"{message}\n")
    frames, _, last = (before if found else traceback.rstrip()).rpartition("\n")
    if traceback:
        kind = last.strip(" |").partition(":")[0].rpartition(".")[2]
    else:
        kind = "Sandbox.Timedout" if message.startswith("Task timed out") else "Runtime.ExitError"
    return {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "level": "ERROR",
        "errorMessage": message,
        "errorType": kind,
        # Those of the last exception of a chain, as Lambda has them.
        "stackTrace": frames.rpartition("Traceback (most recent call last):\n")[2].splitlines(),
    }


def _unread_bytes(pipe: Any) -> int:
    size = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, size)
    return size[0]


if __name__ == "__main__":
    ministack.app = guarded(ministack.app)
    Worker._read_stderr, Worker._drain_stderr_bounded, Worker.invoke = read_log, whole_log, invoke
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
