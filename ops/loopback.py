"""Clients of the emulator on this machine, whatever the environment says about proxies and profiles."""

import boto3
import botocore.session

NO_PROXIES: dict[str, str] = {}
# A profile that AWS_PROFILE names and that is not there would be an error.
_NO_PROFILES = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))


def session() -> boto3.Session:
    """Return a session that reads no file and names no profile; its clients get every setting as an argument."""
    return boto3.Session(botocore_session=botocore.session.Session(_NO_PROFILES))
