"""A process's cold start, without garbage collection, which takes 10 % of the start and frees almost nothing."""

import gc
import os

_cold = True


def begin() -> None:
    """Turn garbage collection off, on Lambda only."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        gc.disable()


def described() -> dict[str, bool]:
    """Return `cold_start` for the log at a process's first invocation, and nothing at any other."""
    global _cold
    was_cold, _cold = _cold, False
    return {"cold_start": True} if was_cold else {}


def end() -> None:
    """Turn garbage collection on again, and exclude the objects that already exist."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and not gc.isenabled():
        gc.freeze()
        gc.enable()
