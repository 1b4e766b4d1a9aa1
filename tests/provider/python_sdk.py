"""Stands in for the Python SDK that `pulumi package add` generates: the components themselves, in the same process."""

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

from components.fanout import Fanout


@contextmanager
def python_sdk() -> Iterator[None]:
    """Let a program import `pulumi_pixelcascade`, whose classes take their arguments by name."""
    sdk = types.ModuleType("pulumi_pixelcascade")
    sdk.Fanout = lambda name, opts=None, **args: Fanout(name, args, opts)  # type: ignore[attr-defined]
    # Not by patching the whole dictionary: what the program imports meanwhile stays imported.
    sys.modules[sdk.__name__] = sdk
    try:
        yield
    finally:
        del sys.modules[sdk.__name__]
