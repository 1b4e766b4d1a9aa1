"""The emulator's boto3 clients."""

from collections.abc import Mapping
from typing import Any

from botocore.config import Config

from ops import loopback


class Clients:
    """Clients of one emulator, each made once. Callers hold a lock, because boto3 cannot make two at the same time."""

    def __init__(self, endpoint: str, region: str, credentials: Mapping[str, str]) -> None:
        self._endpoint, self._region, self._credentials = endpoint, region, credentials
        self._session = loopback.session()
        self._made: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self._made:
            self._made[service] = self._make(service)
        return self._made[service]

    def _make(self, service: str) -> Any:
        config = Config(
            max_pool_connections=32,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path"},
            proxies=loopback.NO_PROXIES,
        )
        return self._session.client(  # type: ignore[call-overload]
            service, endpoint_url=self._endpoint, region_name=self._region, config=config, **self._credentials
        )
