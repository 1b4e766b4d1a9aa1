"""The flaky proxy to S3: it passes requests on unchanged, and its faults look like network faults."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.proxy import FlakyProxy

ANSWER = b"an answer of some length"


class Echo(BaseHTTPRequestHandler):
    """Responds with a header that repeats the request's body."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Respond."""
        sent = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.send_header("X-Sent", sent.decode())
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
        """Log nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Serve the echo handler on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def call(proxy: FlakyProxy) -> tuple[int, str | None, bytes]:
    """Send a request through a proxy; return status, header and body."""
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    connection.request("PUT", "/bucket/key", b"picture")
    response = connection.getresponse()
    return response.status, response.getheader("X-Sent"), response.read()


def test_requests_and_responses_pass_unchanged(endpoint: str) -> None:
    """Without faults, requests and responses pass through the proxy unchanged."""
    with FlakyProxy(endpoint, share=0, seed=1) as proxy:
        assert call(proxy) == (200, "picture", ANSWER)


@pytest.mark.parametrize(
    ("fault", "error"), [("cut before", ConnectionError), ("cut within", (http.client.IncompleteRead, ConnectionError))]
)
def test_a_cut_connection_raises_an_error(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, fault: str, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    """The caller gets no response or half of one, and raises an error."""
    with FlakyProxy(endpoint, share=0, seed=1) as proxy:
        monkeypatch.setattr(proxy, "draw", lambda: fault)
        with pytest.raises(error):
            call(proxy)


def test_a_busy_response_has_s3s_error_code(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The body of the 503 has S3's error code."""
    with FlakyProxy(endpoint, share=0, seed=1) as proxy:
        monkeypatch.setattr(proxy, "draw", lambda: "503")
        status, _, body = call(proxy)
    assert status == 503
    assert b"<Code>SlowDown</Code>" in body


def test_the_share_of_faults_is_as_configured(endpoint: str) -> None:
    """The share of failed calls is near the configured one."""
    with FlakyProxy(endpoint, share=0.05, seed=1) as proxy:
        draws = [proxy.draw() for _ in range(2000)]
    assert 60 < sum(draw != "pass" for draw in draws) < 140
