"""The live page's routes: the page, its events, files of the bucket, uploads and redrives."""

import json
import mimetypes
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence

import anyio
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from handlers.errors import PixelCascadeError
from local.live.loopback import SameOriginOnly
from local.live.observer import Observer
from local.masters import is_text
from local.pages import content_policy, render
from ops.redrive import redrive

STYLES = ("common.css", "live.css")
SCRIPTS = ("elements.js", "live.js")
POLICY = content_policy(SCRIPTS, images="'self' data:", connect="'self'") + "; frame-ancestors 'none'"
# A browser shows a picture that is opened by itself on a page with inline styles.
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
SHOWN = {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"}
POLL_S = 0.5
HEARTBEAT_S = 15.0
MAX_UPLOAD_BYTES = 256 * 1024**2
MAX_NAME_BYTES = 800
IN_MEMORY_BYTES = 8 * 1024**2


def application(observer: Observer, hosts: Sequence[str], closing: threading.Event) -> Starlette:
    """Return the application; its event streams end when `closing` is set."""
    live = _Live(observer, closing)
    return Starlette(
        routes=[
            Route("/", live.page),
            Route("/events", live.events),
            Route("/files/{key:path}", live.file),
            Route("/masters/{name:path}", live.upload, methods=["POST"]),
            Route("/redrive/{queue}", live.redrive, methods=["POST"]),
        ],
        middleware=[Middleware(SameOriginOnly, hosts=hosts)],
    )


class _Live:
    def __init__(self, observer: Observer, closing: threading.Event) -> None:
        self._observer = observer
        self._closing = closing

    async def page(self, _: Request) -> Response:
        bucket = self._observer.stack.bucket
        page = render("live.html.j2", styles=STYLES, scripts=SCRIPTS, policy="", bucket=bucket)
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    async def events(self, _: Request) -> Response:
        return StreamingResponse(self._changes(), media_type="text/event-stream")

    async def _changes(self) -> AsyncIterator[str]:
        """Yield every snapshot that differs from the one before, as server-sent events."""
        before, silent_s = "", 0.0
        while not self._closing.is_set():
            try:
                now = json.dumps(await run_in_threadpool(self._observer.snapshot))
            except BotoCoreError:
                return  # The emulator has ended; `up` prints that, and the page shows that it is not connected.
            silent_s = 0.0 if now != before else silent_s + POLL_S
            if now != before:
                yield f"data: {now}\n\n"
            elif silent_s >= HEARTBEAT_S:
                silent_s = 0.0
                yield ": still here\n\n"
            before = now
            await anyio.sleep(POLL_S)

    async def file(self, request: Request) -> Response:
        """Return a master or an output. Only pictures are shown, whatever content type the uploader gave."""
        key, stack = request.path_params["key"], self._observer.stack
        if not key.startswith((stack.layout.master, *stack.prefixes())):
            return _refusal(404, f"expected a key of a master or an output, got {key!r}")
        try:
            found = await run_in_threadpool(stack.client("s3").get_object, Bucket=stack.bucket, Key=key)
        except ClientError as error:
            return _refusal(404, f"{key!r} was not found ({error.response['Error']['Code']})")
        body = await run_in_threadpool(found["Body"].read)
        shown = found["ContentType"] in SHOWN
        headers = {"Content-Security-Policy": FILE_POLICY, "Content-Disposition": "inline" if shown else "attachment"}
        media_type = found["ContentType"] if shown else "application/octet-stream"
        return Response(body, media_type=media_type, headers=headers)

    async def upload(self, request: Request) -> Response:
        name = request.path_params["name"]
        if not name or name.endswith("/") or not is_text(name) or len(name.encode()) > MAX_NAME_BYTES:
            return _refusal(
                400,
                f"expected at most {MAX_NAME_BYTES} bytes without control characters, got {name!r}: rename it",
            )
        key = self._observer.stack.layout.master + name
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as body:
            size_bytes = 0
            try:
                async for chunk in request.stream():
                    size_bytes += len(chunk)
                    if size_bytes > MAX_UPLOAD_BYTES:
                        return _refusal(413, f"expected at most {MAX_UPLOAD_BYTES:,} bytes: use AWS CLI 2 for {name!r}")
                    await run_in_threadpool(body.write, chunk)
            except ClientDisconnect:
                return Response(status_code=400)
            body.seek(0)
            await run_in_threadpool(self._observer.upload, key, body, content_type)
        return JSONResponse({"key": key}, 201)

    async def redrive(self, request: Request) -> Response:
        queue, stack = request.path_params["queue"], self._observer.stack
        if queue not in stack.dead_letter_queues:
            return _refusal(404, f"expected one of {', '.join(stack.dead_letter_queues)}, got {queue!r}")
        try:
            moved = await run_in_threadpool(redrive, stack, queue)
        except PixelCascadeError as error:
            return _refusal(409, str(error))
        return JSONResponse({"moved": moved})


def _refusal(status: int, reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", status)
