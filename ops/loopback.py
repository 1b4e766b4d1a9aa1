"""Clients of the emulator on this machine, independent of the environment's proxies and profiles."""

import socket
from urllib.parse import urlsplit

import boto3
import botocore.session

ANSWER_S = 1.0
NO_PROXIES: dict[str, str] = {}
# Without these, an AWS_PROFILE that names a missing profile would be an error.
_NO_PROFILES = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))


def session() -> boto3.Session:
    """Return a session without files and profiles; its clients get every setting as an argument."""
    return boto3.Session(botocore_session=botocore.session.Session(_NO_PROFILES))


def listens(endpoint: str) -> bool:
    """Return whether anything listens at an address such as `http://127.0.0.1:4566`."""
    address = urlsplit(endpoint)
    try:
        socket.create_connection((address.hostname or "", address.port or 0), ANSWER_S).close()
    except OSError:
        return False
    return True
