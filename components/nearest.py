"""Suggestions for misspelt words, in any case, and for words of which only a part is remembered."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 3
SHORTEST_PART = 3
"""Letters; shorter parts are in too many words."""

ALIKE = 0.85
"""How alike two words are, from 0 to 1, if one is a misspelling: `pixelcasade`, but not `images` of `my-images`."""


def did_you_mean(word: str, known: Iterable[str], most: int = MOST, before: str = "") -> str:
    """Return " (did you mean A or B?)" with the closest known words, each after `before`, or an empty text.

    A word that is a part of known ones, as `memory` of `resizingMemoryMb`, stands for these.
    """
    lowered = {name.lower(): name for name in known}
    wanted = word.lower()
    whole = [name for name in lowered if len(wanted) >= SHORTEST_PART and wanted in name][:MOST]
    found = [before + lowered[name] for name in whole or get_close_matches(wanted, lowered, n=most)]
    return f" (did you mean {' or '.join(found)}?)" if found else ""


def is_misspelt(word: str, known: Iterable[str]) -> bool:
    """Return whether a word is nearly one of the known ones."""
    return bool(get_close_matches(word.lower(), map(str.lower, known), cutoff=ALIKE))
