"""An S3, DynamoDB and SNS for benchmarks: they discard writes, and delay every answer.

`python -m benchmarks.loopback FOLDER DELAY_MS CORE [MB_PER_S]` prints its port and serves until its input ends.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import sys
import threading
import time
from pathlib import Path
from urllib.parse import unquote

from benchmarks.measuring import pin
from handlers.record import Record

MODIFIED = "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n"

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


# Only SNS takes forms, and answers in XML.
FORM = re.compile(r"\ncontent-type: application/x-www-form-urlencoded", re.IGNORECASE)
PUBLISHED = (
    b"<PublishBatchResponse><PublishBatchResult><Successful/><Failed/></PublishBatchResult></PublishBatchResponse>"
)


class Loopback:
    """Answers the functions' calls: GET with and without a range, HEAD, PUT; as POST, DynamoDB and PublishBatch."""

    def __init__(self, folder: Path, delay_s: float, bytes_per_s: float | None = None) -> None:
        self._objects = {file.name: file.read_bytes() for file in folder.iterdir()}
        self._delay_s, self._bytes_per_s = delay_s, bytes_per_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, one after the other."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                if re.search(r"\nexpect: 100", head, re.IGNORECASE):
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                length = re.search(r"\ncontent-length: *(\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                await asyncio.sleep(self._delay_s)
                await self._send(writer, self._answer(head))
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        """Send an answer, no faster than the limit."""
        started = time.perf_counter()
        step = PIECE_BYTES if self._bytes_per_s else max(1, len(answer))
        for start in range(0, len(answer), step):
            writer.write(answer[start : start + step])
            await writer.drain()
            if self._bytes_per_s:
                due = started + (start + step) / self._bytes_per_s
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

    def _answer(self, head: str) -> bytes:
        method, path, _ = head.split(" ", 2)
        body = self._objects.get(unquote(path.partition("?")[0].rpartition("/")[2]), b"")
        if method == "PUT":
            return b'HTTP/1.1 200 OK\r\nETag: "written"\r\nContent-Length: 0\r\n\r\n'
        if method == "POST":
            return _posted(head)
        etag = f'ETag: "{hashlib.md5(body[:64], usedforsecurity=False).hexdigest()}"\r\n'
        asked = re.search(r"\nrange: bytes=(\d+)-(\d+)", head, re.IGNORECASE)
        status, extra, part = "200 OK", "", body
        if asked and int(asked[1]) >= len(body):
            return b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n"
        if asked:
            start, end = int(asked[1]), min(int(asked[2]), len(body) - 1)
            status, part = "206 Partial Content", body[start : end + 1]
            extra = f"Content-Range: bytes {start}-{end}/{len(body)}\r\n"
        top = f"HTTP/1.1 {status}\r\n{MODIFIED}{etag}{extra}Content-Length: {len(part)}\r\n\r\n"
        return top.encode() + (part if method == "GET" else b"")


def _posted(head: str) -> bytes:
    if FORM.search(head):
        kind, answer = "text/xml", PUBLISHED
    else:
        updated = re.search(r"\nx-amz-target: \w+\.UpdateItem", head, re.IGNORECASE)
        kind, answer = "application/x-amz-json-1.0", RECORD if updated else b"{}"
    top = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}"
    return f"{top}\r\n\r\n".encode() + answer


async def main(folder: Path, delay_s: float, bytes_per_s: float | None) -> None:
    """Serve on a free port of this machine."""
    server = await asyncio.start_server(Loopback(folder, delay_s, bytes_per_s).serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def end_with_input() -> None:
    """End this process with its parent."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    pin(int(sys.argv[3]))
    threading.Thread(target=end_with_input, daemon=True).start()
    rate = float(sys.argv[4]) * 1e6 if len(sys.argv) > 4 else None  # noqa: PLR2004
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]) / 1000, rate))
