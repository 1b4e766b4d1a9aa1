"""A function's start, in which hardly anything becomes garbage: to look for it takes a tenth of the time."""

import gc
import os


def begin() -> None:
    """Stop the garbage collector, in a function's process: what is imported stays."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        gc.disable()


def end() -> None:
    """Start the collector, and keep it from ever looking through what is there already."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and not gc.isenabled():
        gc.freeze()
        gc.enable()
