"""What is in a stack's bucket."""

from collections.abc import Iterator
from typing import Any

import click

from handlers import storage
from ops.stack import DeployedStack
from ops.text import did_you_mean

NEAR = 1000
"""At most so many keys and folders are compared with a misspelt prefix or key."""


def list_objects(stack: DeployedStack, prefix: str, after: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield key and ETag of every object below a prefix of a stack's bucket; see `handlers.storage.keys_below`."""
    return storage.keys_below(stack.client("s3"), stack.bucket, prefix, after)


def head(stack: DeployedStack, key: str, **version: str) -> Any:
    """Return S3's answer about an object of a stack's bucket, or None; see `handlers.storage.head`."""
    return storage.head(stack.client("s3"), stack.bucket, key, **version)


def check_prefix(stack: DeployedStack, prefix: str) -> None:
    """Refuse a prefix without masters, which is probably misspelt.

    Raises: click.UsageError.
    """
    master = stack.layout.master
    if prefix and next(list_objects(stack, master + prefix), None) is None:
        inside = prefix.startswith(master) and next(list_objects(stack, prefix), None)
        near = f": leave out {master}" if inside else f"{did_you_mean(prefix, _near_paths(stack, prefix))}: check it"
        raise click.UsageError(f"--prefix: expected the beginning of a path below {master}, got {prefix!r}{near}")


def near_keys(stack: DeployedStack, key: str) -> str:
    """Return a suggestion of the masters and folders whose key is like a misspelt one; see `did_you_mean`."""
    master = stack.layout.master
    path = key.lstrip("/").removeprefix(master)
    near = [found for found in _near_paths(stack, path) if key not in {found, master + found}]
    return did_you_mean(path, near, before=master)


def _near_paths(stack: DeployedStack, path: str) -> list[str]:
    """Return the masters and folders beside a path, in its own folder or else in the root."""
    s3, master = stack.client("s3"), stack.layout.master
    for folder in dict.fromkeys((path.rstrip("/").rpartition("/")[0], "")):
        below = f"{master}{folder}/" if folder else master
        page = s3.list_objects_v2(Bucket=stack.bucket, Prefix=below, Delimiter="/", MaxKeys=NEAR)
        found = [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
        found += [entry["Key"] for entry in page.get("Contents", ())]
        if found:
            return [key.removeprefix(master) for key in found]
    return []
