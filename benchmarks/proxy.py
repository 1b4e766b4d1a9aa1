"""An unreliable connection to S3: a proxy on loopback that answers 503 or cuts the connection for some of the calls."""

import functools
import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "proxy-connection", "te", "trailer", "upgrade"}
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class FlakyProxy:
    """Passes most requests on to an endpoint and fails the others; a context manager that serves until its end."""

    def __init__(self, endpoint: str, share: float, seed: int) -> None:
        self.faults: Counter[str] = Counter()
        self._share = share
        self._random, self._lock = random.Random(seed), threading.Lock()  # noqa: S311 no secret
        self._server = QuietServer(("127.0.0.1", 0), functools.partial(_Handler, self, urlsplit(endpoint)))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def draw(self) -> str:
        """Choose the next call's outcome: `pass`, `503`, or `cut` before or in the middle of the answer."""
        with self._lock:
            fault = "pass"
            if self._random.random() < self._share:
                fault = self._random.choice(["503", "cut before", "cut within"])
            self.faults[fault] += 1
            return fault


class QuietServer(ThreadingHTTPServer):
    """A server for many clients at once, each in a thread of its own."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing, because clients may be cut off or killed."""


class _Handler(BaseHTTPRequestHandler):
    """One client's connection, with a separate one to the endpoint."""

    protocol_version = "HTTP/1.1"

    def __init__(self, proxy: FlakyProxy, target: SplitResult, *args: Any) -> None:
        self._proxy = proxy
        self._upstream = http.client.HTTPConnection(str(target.hostname), target.port, timeout=60)
        super().__init__(*args)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self._proxy.draw()
        if fault == "503":
            self._answer(503, {"Content-Type": "application/xml"}, SLOW_DOWN)
        elif fault == "cut before":
            self._cut()
        else:
            self._pass_on(body, cut=fault == "cut within")

    def _pass_on(self, body: bytes, *, cut: bool) -> None:
        self._upstream.request(self.command, self.path, body or None, _end_to_end(self.headers.items()))
        response = self._upstream.getresponse()
        answer = response.read()
        headers = _end_to_end(response.getheaders())
        if cut:
            self._answer(response.status, headers, answer[: len(answer) // 2], of=len(answer))
            self._cut()
        else:
            self._answer(response.status, headers, answer)

    def _answer(self, status: int, headers: dict[str, str], body: bytes, of: int | None = None) -> None:
        declared = headers.pop("content-length", "0")
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        length = declared if self.command == "HEAD" else str(len(body) if of is None else of)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        # Without lingering, closing sends a reset, as a broken network does.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
        """Print nothing."""

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815 the base class's names


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that are the endpoints' own, not a connection's."""
    return {name.lower(): value for name, value in headers if name.lower() not in HOP_BY_HOP}
