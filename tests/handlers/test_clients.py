"""AWS clients: one per process and service."""

import io
import multiprocessing
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

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


def test_an_upload_takes_one_round_trip() -> None:
    """The request has no `Expect` header: the body is sent without waiting for S3."""
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), HTTPResponse(io.BytesIO(), preload_content=False))

    clients.s3().meta.events.register("before-send.s3", answer)  # type: ignore[arg-type]
    clients.s3().put_object(Bucket="images", Key="converted/a.jpg", Body=b"a picture")
    assert [request.method for request in sent] == ["PUT"]
    assert "Expect" not in sent[0].headers
