"""The live page's server: access control and responses."""

import http.client
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest

from local.live import application, live_page
from ops.stack import DeployedStack

JPEG = b"\xff\xd8 a picture \xff\xd9"


@pytest.fixture
def address(stack: DeployedStack) -> Iterator[str]:
    """Serve the page of a stack without functions; return host and port."""
    with live_page(stack, {}) as url:
        yield url.removeprefix("http://").rstrip("/")


def ask(
    address: str, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send a request as this server's own page does, unless `headers` override it."""
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request(method, path, body, {"Host": address, "Origin": f"http://{address}", **headers})
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def test_the_server_listens_only_on_loopback(address: str) -> None:
    """Other machines on the network cannot reach it."""
    assert address.startswith("127.0.0.1:")


def test_the_page_allows_only_its_own_scripts(address: str) -> None:
    """The policy blocks all other scripts, and framing by other pages."""
    status, headers, body = ask(address, "GET", "/")
    assert status == HTTPStatus.OK
    assert b"PixelCascade, live" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/masters/a.jpg", "/redrive/resizing"])
@pytest.mark.parametrize("origin", ["https://example.com", "null", "http://127.0.0.1:1", ""])
def test_a_post_from_another_origin_is_refused(address: str, stack: DeployedStack, path: str, origin: str) -> None:
    """Other sites, sandboxed pages and clients without an Origin header are refused."""
    status, _, body = ask(address, "POST", path, JPEG, Origin=origin)
    assert status == HTTPStatus.FORBIDDEN
    assert b"expected a POST from this page" in body
    assert not stack.client("s3").list_objects_v2(Bucket=stack.bucket).get("Contents")


@pytest.mark.parametrize("path", ["/", "/events", "/files/master/a.jpg"])
def test_another_host_is_refused(address: str, path: str) -> None:
    """A host name rebound to loopback is refused, which prevents DNS rebinding."""
    status, _, body = ask(address, "GET", path, Host="evil.example:80")
    assert status == HTTPStatus.FORBIDDEN
    assert b"expected a request for 127.0.0.1:" in body


def test_localhost_is_accepted(address: str) -> None:
    """The server accepts localhost as well as 127.0.0.1."""
    host = f"localhost:{address.partition(':')[2]}"
    assert ask(address, "POST", "/masters/a.jpg", JPEG, Host=host, Origin=f"http://{host}")[0] == HTTPStatus.CREATED


def test_an_upload_becomes_a_master(address: str, stack: DeployedStack) -> None:
    """The master keeps the upload's name and content type."""
    status, _, body = ask(address, "POST", f"/masters/{quote('2024/a b+ü.jpg')}", JPEG)
    assert (status, json.loads(body)) == (HTTPStatus.CREATED, {"key": "master/2024/a b+ü.jpg"})
    found = stack.client("s3").get_object(Bucket=stack.bucket, Key="master/2024/a b+ü.jpg")
    assert (found["Body"].read(), found["ContentType"]) == (JPEG, "image/jpeg")


@pytest.mark.parametrize("name", ["", "folder/", "bell%07.jpg", "x" * 900])
def test_an_invalid_name_is_refused(address: str, name: str) -> None:
    """The error describes a valid name."""
    status, _, body = ask(address, "POST", f"/masters/{name}", JPEG)
    assert status == HTTPStatus.BAD_REQUEST
    assert b"without control characters" in body


def test_an_upload_over_the_size_limit_is_refused(
    address: str, stack: DeployedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload over the size limit is refused, and nothing is stored."""
    monkeypatch.setattr(application, "MAX_UPLOAD_BYTES", 10)
    assert ask(address, "POST", "/masters/a.jpg", JPEG)[0] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert not stack.client("s3").list_objects_v2(Bucket=stack.bucket).get("Contents")


def test_an_upload_without_an_end_is_refused(
    address: str, stack: DeployedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body in chunks, whose length no header gives, is refused as soon as it is over the limit."""
    monkeypatch.setattr(application, "MAX_UPLOAD_BYTES", 10)
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.putrequest("POST", "/masters/a.jpg")
    connection.putheader("Origin", f"http://{address}")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for _ in range(2):
        connection.send(b"8\r\n12345678\r\n")
    assert connection.getresponse().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    connection.close()
    assert not stack.client("s3").list_objects_v2(Bucket=stack.bucket).get("Contents")


@pytest.mark.parametrize(
    ("content_type", "shown", "disposition"),
    [
        ("image/jpeg", "image/jpeg", "inline"),
        ("image/avif", "image/avif", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
    ],
)
def test_only_pictures_are_displayed(
    address: str, stack: DeployedStack, content_type: str, shown: str, disposition: str
) -> None:
    """Uploaded HTML or SVG is a download, so it cannot run scripts in this origin."""
    stack.client("s3").put_object(Bucket=stack.bucket, Key="master/a b", Body=JPEG, ContentType=content_type)
    status, headers, body = ask(address, "GET", "/files/master/a%20b")
    assert (status, body) == (HTTPStatus.OK, JPEG)
    assert headers["Content-Type"] == shown
    assert headers["Content-Disposition"] == disposition
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == application.FILE_POLICY
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("key", ["master/gone.jpg", "other/a.jpg"])
def test_an_unknown_or_foreign_key_is_not_found(address: str, stack: DeployedStack, key: str) -> None:
    """A key outside of masters and outputs is not found either."""
    stack.client("s3").put_object(Bucket=stack.bucket, Key="other/a.jpg", Body=JPEG)
    assert ask(address, "GET", f"/files/{key}")[0] == HTTPStatus.NOT_FOUND


def test_events_report_uploads_queues_and_dead_letters(address: str, stack: DeployedStack) -> None:
    """The first event holds the state of the whole stack."""
    ask(address, "POST", "/masters/a.jpg", JPEG)
    stack.client("sqs").send_message(QueueUrl=stack.queues["resizing"], MessageBody="{}")
    stack.client("sqs").send_message(
        QueueUrl=stack.dead_letter_queues["resizing"], MessageBody='{"key": "master/a.jpg"}'
    )
    state = first_event(address)
    assert [(picture["name"], picture["state"]) for picture in state["pictures"]] == [("a.jpg", "failed")]
    depths = {branch["name"]: (branch["waiting"], branch["dead"]) for branch in state["branches"]}
    assert depths == {**dict.fromkeys(stack.queues, (0, 0)), "resizing": (1, 1)}
    assert [(dead["queue"], dead["letters"][0]["what"]) for dead in state["dead"]] == [("resizing", "master/a.jpg")]


def first_event(address: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", "/events", headers={"Host": address})
    answer = connection.getresponse()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    found: dict[str, Any] = json.loads(answer.readline().removeprefix(b"data: "))
    connection.close()
    return found


def test_a_redrive_sends_messages_back(address: str, stack: DeployedStack) -> None:
    """The response has the number of messages."""
    url = stack.dead_letter_queues["resizing-undelivered"]
    stack.client("sqs").send_message(QueueUrl=url, MessageBody="job")
    status, _, body = ask(address, "POST", "/redrive/resizing-undelivered")
    assert (status, json.loads(body)) == (HTTPStatus.OK, {"moved": 1})
    (message,) = stack.client("sqs").receive_message(QueueUrl=stack.queues["resizing"])["Messages"]
    assert message["Body"] == "job"


def test_an_unknown_queue_is_refused(address: str) -> None:
    """The error lists the known queues."""
    status, _, body = ask(address, "POST", "/redrive/other")
    assert status == HTTPStatus.NOT_FOUND
    assert b"expected one of format-conversion, " in body


def test_the_server_stops_with_its_context(stack: DeployedStack) -> None:
    """The server stops when its context ends, even with an open page."""
    with live_page(stack, {}) as url:
        address = url.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(address, timeout=20)
        connection.request("GET", "/events", headers={"Host": address})
        assert connection.getresponse().status == HTTPStatus.OK
    with pytest.raises(OSError, match="refused"):
        ask(address, "GET", "/")
    connection.close()
