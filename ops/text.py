"""Text from strangers, as a terminal may show it."""


def printable(text: str) -> str:
    """Return a text with its control characters escaped: a key may contain any."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
