"""Suggestions for misspelt keys and commands, as a terminal shows them."""

from collections.abc import Iterable

import click

from components import nearest
from ops.text import printable


def did_you_mean(word: str, known: Iterable[str], before: str = "") -> str:
    """Return `components.nearest.did_you_mean` with control characters escaped."""
    return printable(nearest.did_you_mean(word, known, before=before))


class Suggesting(click.Group):
    """Commands; the error for a misspelt one suggests the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            message = error.message.removesuffix(".") + did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(message, error.ctx) from error
