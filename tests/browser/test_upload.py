"""docs/use-it-in-your-app.md: its JavaScript uploads from a page of another origin directly to the bucket."""

import json
import re
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page

from components.config import PROJECT
from components.stack_file import ROOT, stack_config
from local.cascade import stack_of
from local.deployment import Deployment
from local.emulator import Emulator
from ops.presign import presigned_post
from ops.stack import DeployedStack
from tests.e2e.conftest import Live, picture, until

SNIPPETS = (ROOT / "docs" / "use-it-in-your-app.md").read_text(encoding="utf-8")
(SCRIPT,) = re.findall(r"^```js\n(.*?)^```", SNIPPETS, re.DOTALL | re.MULTILINE)
KEY, MAX_BYTES = "master/browser/cat.png", 10_000
REFUSED = "async (bytes) => (%s)(bytes).catch((error) => error.message)"
UPLOAD = "(bytes) => upload(new File([new Uint8Array(bytes)], 'cat.png', { type: 'image/png' }))"


class Site:
    """A page served under two origins, `localhost` and `127.0.0.1`; its server signs forms for `stack`."""

    stack: DeployedStack

    def __init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Respond with the page or with a form."""
                is_form = self.path == "/upload-form"
                form = json.dumps(presigned_post(site.stack, KEY, max_bytes=MAX_BYTES)) if is_form else ""
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "application/json" if is_form else "text/html")
                self.end_headers()
                self.wfile.write(
                    (form or f"<!doctype html><link rel=icon href=data:,><script>{SCRIPT}</script>").encode()
                )

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def origin(self, host: str) -> str:
        """Return the page's origin for a host name."""
        return f"http://{host}:{self.server.server_port}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Serve the page."""
    found = Site()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def live(browser: Browser, site: Site) -> Iterator[Live]:
    """Deploy the program with one of the page's origins allowed, if a browser is installed."""
    assert browser.is_connected()
    with Emulator("us-east-1") as emulator:
        deployment = Deployment(emulator)
        origins = json.dumps([site.origin("localhost")])
        deployment.deploy("local", stack_config("local", {f"{PROJECT}:corsOrigins": origins}))
        site.stack = stack_of(deployment)
        yield Live(deployment=deployment, stack=site.stack)


def page_of(browser: Browser, address: str) -> Page:
    """Open the page."""
    page = browser.new_page()
    page.goto(address)
    return page


def test_a_page_from_an_allowed_origin_can_upload(browser: Browser, site: Site, live: Live) -> None:
    """The picture is uploaded to S3, and its outputs are made."""
    page_of(browser, site.origin("localhost")).evaluate(UPLOAD, list(picture()))
    until("the picture is complete", live.settled, KEY)


@pytest.mark.usefixtures("live")
def test_the_page_throws_s3s_error_for_a_refused_upload(browser: Browser, site: Site) -> None:
    """For a file larger than the form allows, the page's code throws S3's error."""
    page = page_of(browser, site.origin("localhost"))
    refused = page.evaluate(REFUSED % UPLOAD, [0] * (MAX_BYTES + 1))
    assert "EntityTooLarge" in refused


@pytest.mark.usefixtures("live")
def test_a_page_from_another_origin_cannot_read_the_response(browser: Browser, site: Site) -> None:
    """The browser hides S3's response from an origin that is not allowed."""
    page = page_of(browser, site.origin("127.0.0.1"))
    refused = page.evaluate(REFUSED % UPLOAD, list(picture()))
    assert refused == "Failed to fetch"
