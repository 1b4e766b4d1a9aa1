"""MiniStack, changed in two ways; run as a script instead of `python -m ministack`.

MiniStack accepts any signature, and a function that is created in it runs on this machine. So requests that other sites
make in the same browser are refused.

After a call, MiniStack waits 50 ms for the first line of the function's log. On a busy machine the line comes later,
and is then held back until the same process's next call, which may never come: here MiniStack waits longer.
"""

import re
import runpy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core.lambda_runtime import Worker

FIRST_LINE_S, NEXT_LINE_S, MOST_S = 0.5, 0.005, 0.75
"""How long to wait for the first line, for each further one, and in all."""

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
    return service == "s3" and ministack._s3_cors_target(headers["host"], scope["path"]) is not None  # noqa: SLF001


if __name__ == "__main__":
    ministack.app = guarded(ministack.app)
    Worker._drain_stderr_bounded.__defaults__ = (FIRST_LINE_S, NEXT_LINE_S, MOST_S)  # noqa: SLF001
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
