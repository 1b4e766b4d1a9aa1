"""The command's input: the mix of picture classes."""

import click
import pytest

from benchmarks.memory.command import memory
from benchmarks.memory.request import parse_mix


def parsed(text: str) -> dict[str, float]:
    """Return the parsed value of `--mix`."""
    return parse_mix(click.Context(memory), memory.params[0], text)


@pytest.mark.parametrize(
    "text", ["camera", "camera=", "camera=-1", "=1", "camera=0", "camera=nan", "camera=inf", "a=1,a=2", "a=1e308"]
)
def test_an_invalid_mix_is_refused(text: str) -> None:
    """The error shows the expected format."""
    with pytest.raises(click.BadParameter, match=r"camera=0\.8,png=0\.2"):
        parsed(text)


def test_a_mix_is_parsed() -> None:
    """Names map to weights, and an empty text is an empty mix."""
    assert parsed("camera=0.8, png=.2") == {"camera": 0.8, "png": 0.2}
    assert parsed("") == {}
