"""Whether a service is there, without the time to import its clients."""

import socket
from urllib.parse import urlsplit

ANSWER_S = 1.0


def listens(endpoint: str) -> bool:
    """Return whether anything listens at an address such as `http://127.0.0.1:4566`."""
    address = urlsplit(endpoint)
    try:
        socket.create_connection((address.hostname or "", address.port or 0), ANSWER_S).close()
    except OSError:
        return False
    return True
