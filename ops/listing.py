"""Listing a stack's bucket."""

from collections.abc import Iterator

from ops.stack import DeployedStack


def list_objects(stack: DeployedStack, prefix: str, after: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield key and ETag of every object below a prefix, but for the markers that consoles make for folders.

    In the order of the keys, from the one after `after` on.
    """
    start = {"StartAfter": after} if after else {}
    pages = stack.client("s3").get_paginator("list_objects_v2").paginate(Bucket=stack.bucket, Prefix=prefix, **start)
    for page in pages:
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield entry["Key"], entry["ETag"].strip('"')
