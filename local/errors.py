"""What stops a local command; the message says why."""

import contextlib
import sys
from collections.abc import Iterator

import pulumi

from components.errors import NOT_AS_EXPECTED, USAGE, ArgumentError


class LocalError(Exception):
    """The stack does not run, or not as expected."""


class LocalUsageError(Exception):
    """The command's files or folders cannot be used."""


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Print an error's message without a traceback, and exit with the code of its kind."""
    try:
        yield
    except (ArgumentError, LocalUsageError) as error:
        _exit(error, USAGE)
    except (LocalError, pulumi.RunError) as error:
        _exit(error, NOT_AS_EXPECTED)


def _exit(error: Exception, code: int) -> None:
    import click  # noqa: PLC0415 - `local.program` runs with the packages of requirements.txt alone

    click.echo(f"Error: {error}", err=True)
    sys.exit(code)
