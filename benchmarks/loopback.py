"""An S3, DynamoDB and SNS for benchmarks: they discard writes, and delay every answer.

`python -m benchmarks.loopback FOLDER DELAY_MS CORE [MB_PER_S]` prints its port and serves until its input ends.
"""

import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from benchmarks.measuring import pin
from benchmarks.proxy import QuietServer
from handlers.record import Record

MODIFIED = "Mon, 01 Jan 2024 00:00:00 GMT"

PIECE_BYTES = 64 * 1024
"""The bytes that are sent at once at a limited rate."""

GENERATION = 1
# A picture's record after one branch has settled: others are not done, so no event is sent.
RECORD = json.dumps(
    {
        "Attributes": Record(
            name="measured", key="master/measured", etag="measured", generation=GENERATION, state="received"
        ).as_item()
    }
).encode()
PUBLISHED = (
    b"<PublishBatchResponse><PublishBatchResult><Successful/><Failed/></PublishBatchResult></PublishBatchResponse>"
)


class Loopback(BaseHTTPRequestHandler):
    """Answers the functions' calls: GET with and without a range, HEAD, PUT; as POST, DynamoDB and PublishBatch."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Or the body would wait until the head is acknowledged.

    def __init__(self, objects: Mapping[str, bytes], delay_s: float, bytes_per_s: float | None, *args: Any) -> None:
        self._objects, self._delay_s, self._bytes_per_s = objects, delay_s, bytes_per_s
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer with an object, or a part of it."""
        body = self._objects.get(unquote(self.path.partition("?")[0].rpartition("/")[2]), b"")
        etag = hashlib.md5(body[:64], usedforsecurity=False).hexdigest()
        headers = {"Last-Modified": MODIFIED, "ETag": f'"{etag}"'}
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not asked:
            self._answer(HTTPStatus.OK, headers, body)
        elif int(asked[1]) >= len(body):
            self._answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        else:
            start, end = int(asked[1]), min(int(asked[2]), len(body) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
            self._answer(HTTPStatus.PARTIAL_CONTENT, headers, body[start : end + 1])

    do_HEAD = do_GET  # noqa: N815 the base class's name

    def do_PUT(self) -> None:
        """Discard an object."""
        self._answer(HTTPStatus.OK, {"ETag": '"written"'})

    def do_POST(self) -> None:
        """Answer as SNS, which alone takes forms and answers in XML, or as DynamoDB."""
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            self._answer(HTTPStatus.OK, {"Content-Type": "text/xml"}, PUBLISHED)
        else:
            updated = self.headers.get("X-Amz-Target", "").endswith(".UpdateItem")
            self._answer(HTTPStatus.OK, {"Content-Type": "application/x-amz-json-1.0"}, RECORD if updated else b"{}")

    def _answer(self, status: HTTPStatus, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        """Read the request, wait, and send the answer no faster than the limit."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self._delay_s)
        self.send_response_only(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        started, sent = time.perf_counter(), 0
        while sent < len(body) and self.command != "HEAD":
            piece = body[sent : sent + PIECE_BYTES] if self._bytes_per_s else body[sent:]
            self.wfile.write(piece)
            sent += len(piece)
            if self._bytes_per_s:
                time.sleep(max(0.0, started + sent / self._bytes_per_s - time.perf_counter()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
        """Print nothing."""


def serve(folder: Path, delay_s: float, bytes_per_s: float | None) -> None:
    """Serve a folder's files on a free port of this machine, until the input ends, as it does with the parent."""
    objects = {file.name: file.read_bytes() for file in folder.iterdir()}
    server = QuietServer(("127.0.0.1", 0), partial(Loopback, objects, delay_s, bytes_per_s))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    pin(int(sys.argv[3]))
    rate = float(sys.argv[4]) * 1e6 if len(sys.argv) > 4 else None  # noqa: PLR2004
    serve(Path(sys.argv[1]), float(sys.argv[2]) / 1000, rate)
