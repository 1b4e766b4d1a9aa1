"""Suggestions for misspelt words."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 3


def did_you_mean(word: str, known: Iterable[str], most: int = MOST, before: str = "") -> str:
    """Return " (did you mean A or B?)" with the closest known words, each after `before`, or an empty text."""
    found = [before + near for near in get_close_matches(word, list(known), n=most)]
    return f" (did you mean {' or '.join(found)}?)" if found else ""
