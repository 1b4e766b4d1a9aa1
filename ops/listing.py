"""Listing a stack's bucket."""

from collections.abc import Iterator

from handlers.storage import keys_below
from ops.stack import DeployedStack


def list_objects(stack: DeployedStack, prefix: str, after: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield key and ETag of every object of a stack below a prefix, as `handlers.storage.keys_below` does."""
    return keys_below(stack.client("s3"), stack.bucket, prefix, after)
