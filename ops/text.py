"""Text as a terminal shows it."""


def printable(text: str) -> str:
    """Return a text with its control characters escaped: a key may contain any."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def counted(number: int, noun: str) -> str:
    """Return `1 master`, `2 masters`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
