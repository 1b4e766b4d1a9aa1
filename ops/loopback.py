"""Clients and servers on this machine, independent of the user's proxies, profiles and AWS files."""

import os

import boto3
import botocore.session

NO_PROXIES: dict[str, str] = {}
# Without these, an AWS_PROFILE that names a missing profile would be an error.
_NO_PROFILES = dict.fromkeys(("profile", "config_file", "credentials_file"), (None, None, None, None))

# The variables that a child process inherits: no locale, because Python then uses UTF-8, as it does on Lambda. With
# LC_ALL=C, it could not read a `.pth` file whose path has other letters.
INHERITED = ("HOME", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")
NO_FILES = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
"""Variables that stand for no AWS files, as on Lambda, whose settings would also apply to an endpoint on loopback."""


def environment() -> dict[str, str]:
    """Return what a child process needs of this one's environment, and `NO_FILES`."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | NO_FILES


def session() -> boto3.Session:
    """Return a session without files and profiles; its clients get every setting as an argument."""
    return boto3.Session(botocore_session=botocore.session.Session(_NO_PROFILES))
