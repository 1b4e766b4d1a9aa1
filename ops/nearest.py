"""Suggestions for misspelt keys and commands, as a terminal shows them."""

from collections.abc import Iterable

from components import nearest
from ops.text import printable


def did_you_mean(word: str, known: Iterable[str], before: str = "") -> str:
    """Return `components.nearest.did_you_mean` with control characters escaped."""
    return printable(nearest.did_you_mean(word, known, before=before))
