"""A command line whose output may meet a full disk, or a terminal whose encoding lacks a letter."""

import errno
import io
import os
import sys
from typing import Any

import click

FULL = {errno.ENOSPC, errno.EDQUOT}


class CommandLine(click.Command):
    """A command, or a group of commands, that a shell starts."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line; print one line and exit 1 if a disk is full.

        Letters of keys and folders that the terminal's encoding lacks are escaped.
        """
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().main(*args, **extra)
        except OSError as error:
            if error.errno not in FULL:
                raise
            try:
                sys.stdout.flush()
            except OSError:  # Or Python would try again at its end, and exit 120. Source: its documentation, "SIGPIPE".
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            expected = "expected free space for the output and temporary files"
            advice = "free some, then run the command again"
            failure = click.ClickException(f"{expected}, got none ({error.strerror}): {advice}")
            failure.show()
            sys.exit(failure.exit_code)
