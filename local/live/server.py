"""Serve the live page on a free loopback port, in a separate thread."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping

from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette

from local.emulator import HOST
from local.live.application import application
from local.live.observer import Observer
from ops.stack import DeployedStack

STOP_TIMEOUT_S = 5.0
GRACE_S = 1.0


@contextlib.contextmanager
def live_page(stack: DeployedStack, groups: Mapping[str, str]) -> Iterator[str]:
    """Serve the live page of a stack within the context; yield its address. `groups` are log groups by function."""
    closing = threading.Event()
    # It listens before the thread starts, so that the address works at once.
    listener = socket.create_server((HOST, 0))
    port = listener.getsockname()[1]
    app = application(Observer(stack, groups), [f"{HOST}:{port}", f"localhost:{port}"], closing)
    # The server closes the socket.
    arguments = (app, listener.detach(), closing)
    thread = threading.Thread(target=_serve, args=arguments, name="live-page", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{port}/"
    finally:
        closing.set()
        thread.join(STOP_TIMEOUT_S)


def _serve(app: Starlette, listener: int, closing: threading.Event) -> None:
    """Serve on a listening socket, by its file descriptor, until `closing` is set."""
    config = Config()
    config.bind = [f"fd://{listener}"]
    config.graceful_timeout = GRACE_S
    config.loglevel = "ERROR"

    async def closed() -> None:
        await asyncio.to_thread(closing.wait)

    asyncio.run(serve(app, config, shutdown_trigger=closed))  # type: ignore[arg-type]
