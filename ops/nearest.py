"""Suggestions for misspelt words."""

import difflib
from collections.abc import Iterable

from ops.text import printable

MOST = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean A or B?)" with the closest known words, or an empty text."""
    found = difflib.get_close_matches(word, list(known), n=MOST)
    return f" (did you mean {printable(' or '.join(found))}?)" if found else ""
