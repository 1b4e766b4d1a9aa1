"""Groups of commands: each is imported when it is called, and the error for a misspelt one suggests the nearest."""

import pkgutil
from collections import UserDict
from collections.abc import Mapping
from typing import Any

import click

from costs.command_line import CommandLine
from ops import interrupts
from ops.text import did_you_mean


class _Imported(UserDict[str, Any]):
    """Commands by name, which are stored as places and imported when they are asked for."""

    def __getitem__(self, name: str) -> click.Command:
        with interrupts.deferred():
            command: click.Command = pkgutil.resolve_name(super().__getitem__(name))
        return command


class Commands(CommandLine, click.Group):
    """Imports only the command that is called, because all of a package's take a second or more."""

    def __init__(self, *, places: Mapping[str, str], **attributes: Any) -> None:
        """`places`: where each command is, by name, such as `ops.looking:status_command`."""
        super().__init__(commands=_Imported(places), **attributes)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the commands' names in their own order."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            message = error.message.removesuffix(".") + did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(message, error.ctx) from error
