"""The emulator's boto3 clients."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from botocore.config import Config

from ops import loopback


def clients(endpoint: str, region: str, credentials: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a function that returns an emulator's client of a service, the same at each call.

    Callers hold a lock, because boto3 cannot make two clients at the same time.
    """
    session = loopback.session()
    config = Config(
        max_pool_connections=32,
        retries={"mode": "standard", "total_max_attempts": 3},
        s3={"addressing_style": "path"},
        proxies=loopback.NO_PROXIES,
    )

    @functools.cache
    def client(service: str) -> Any:
        return session.client(  # type: ignore[call-overload]
            service, endpoint_url=endpoint, region_name=region, config=config, **credentials
        )

    return client
