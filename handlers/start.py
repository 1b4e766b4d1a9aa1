"""A process's cold start, without garbage collection, which takes 10 % of the start and frees almost nothing.

It also sets the level at which libraries log.
"""

import gc
import logging
import os

_cold = True


def begin() -> None:
    """Turn garbage collection off, and the libraries' logs below WARNING, on Lambda only.

    Where logs are JSON, Lambda sets the root logger to the functions' level, and so all libraries. At DEBUG botocore
    logs hundreds of lines a picture, with the session token of the function's role.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        gc.disable()
        logging.getLogger().setLevel(logging.WARNING)


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
