"""Suggestions for misspelt words."""

import difflib
from collections.abc import Iterable

import click

from ops.text import printable

MOST = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean A or B?)" with the closest known words, or an empty text."""
    found = difflib.get_close_matches(word, list(known), n=MOST)
    return f" (did you mean {printable(' or '.join(found))}?)" if found else ""


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
