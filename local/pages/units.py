"""Sizes and durations for people."""


def human_bytes(count: float) -> str:
    """Return a number of bytes for people: 1234567 -> `1.2 MB`."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:  # noqa: PLR2004 the step between the units
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"  # noqa: PLR2004
        count /= 1000
    return f"{count:.1f} GB"


def human_ms(milliseconds: float) -> str:
    """Return a duration for people: 12345 -> `12.3 s`."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"  # noqa: PLR2004
