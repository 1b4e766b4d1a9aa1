"""A substitute for the Python SDK that `pulumi package add` generates: the components in the same process."""

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

from components.fanout import Fanout


@contextmanager
def python_sdk() -> Iterator[None]:
    """Make `pulumi_pixelcascade` importable, with classes that take keyword arguments."""
    sdk = types.ModuleType("pulumi_pixelcascade")
    sdk.Fanout = lambda name, opts=None, **args: Fanout(name, args, opts)  # type: ignore[attr-defined]
    # Does not patch the whole dictionary, so that modules that the program imports stay imported.
    sys.modules[sdk.__name__] = sdk
    try:
        yield
    finally:
        del sys.modules[sdk.__name__]
