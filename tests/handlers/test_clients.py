"""AWS clients: one per process and service."""

import multiprocessing
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from handlers import clients

pytestmark = pytest.mark.usefixtures("credentials", "no_clients")


@pytest.fixture
def no_clients() -> Iterator[None]:
    """Clear the clients that a process keeps."""
    clients._made.cache_clear()
    yield
    clients._made.cache_clear()


@pytest.mark.parametrize("make", [clients.s3, clients.sns, clients.dynamodb])
def test_a_client_is_created_once(make: object) -> None:
    """Calls in one process share a client and its connections."""
    assert callable(make)
    assert make() is make()


def test_each_service_has_its_own_client() -> None:
    """Each function returns the client of its service."""
    names = [client().meta.service_model.service_name for client in (clients.s3, clients.sns, clients.dynamodb)]
    assert names == ["s3", "sns", "dynamodb"]


def test_a_forked_child_creates_its_own_client() -> None:
    """A child makes a new client: two processes on one connection would read each other's responses."""
    mine = clients.s3()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_creates_another_client, [id(mine)])


def _creates_another_client(parents_id: int) -> bool:
    before = clients._made.cache_info().misses
    client = clients.s3()
    return clients._made.cache_info().misses == before + 1 and id(client) != parents_id


def test_a_client_has_short_time_outs_and_few_attempts() -> None:
    """The client has time-outs far below the function's own, and at most 4 attempts."""
    config: Any = clients.s3().meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 7.5)
    assert config.retries["total_max_attempts"] == 4


REFUSAL = b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def test_a_refused_upload_sends_no_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that S3 refuses by its headers sends none of its body.

    With TLS, a server that answers and closes while a body is being sent takes its answer with it: the worker would see
    a broken connection instead of a 412, and could never replace an output. The headers have a checksum, without which
    a bucket with Object Lock's default retention refuses every upload.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.getsockname()[1]}")
        received = thread.submit(_refuse, server)
        with pytest.raises(clients.s3().exceptions.ClientError, match="412"):
            clients.s3().put_object(Bucket="images", Key="converted/a.jpg", Body=b"a picture", IfNoneMatch="*")
    headers, _, body = received.result().partition(b"\r\n\r\n")
    assert (b"\r\nExpect: 100-continue" in headers, body) == (True, b"")
    assert b"\r\nx-amz-checksum-crc32: " in headers


def _refuse(server: socket.socket) -> bytes:
    """Answer the next request once its headers are there; return all that it sends."""
    connection, _ = server.accept()
    with connection:
        received = connection.recv(65_536)
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        connection.sendall(REFUSAL)
        connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(65_536):
            received += more
        return received
