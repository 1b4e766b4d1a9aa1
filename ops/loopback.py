"""Clients of the emulator on this machine, independent of the environment's proxies and profiles."""

import boto3
import botocore.session

NO_PROXIES: dict[str, str] = {}
# Without these, an AWS_PROFILE that names a missing profile would be an error.
_NO_PROFILES = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))


def session() -> boto3.Session:
    """Return a session without files and profiles; its clients get every setting as an argument."""
    return boto3.Session(botocore_session=botocore.session.Session(_NO_PROFILES))
