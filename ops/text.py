"""Text as a terminal shows it."""

import shlex
from collections.abc import Iterable

import click

from components import nearest


def printable(text: str) -> str:
    """Return a text with its control characters escaped: a key may contain any."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def counted(number: int, noun: str) -> str:
    """Return `1 master`, `2 masters`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def did_you_mean(word: str, known: Iterable[str], before: str = "") -> str:
    """Return `components.nearest.did_you_mean` with control characters escaped."""
    return printable(nearest.did_you_mean(word, known, before=before))


def command(*words: str) -> str:
    """Return a command of `python -m ops` that can be pasted: for the stack of the command that runs."""
    context = click.get_current_context(silent=True)
    chosen = context.params if context else {}
    stack = ["--local"] if chosen.get("local") else ["--stack", chosen["name"]] if chosen.get("name") else []
    return f"`{shlex.join(['python', '-m', 'ops', *words, *stack])}`"
