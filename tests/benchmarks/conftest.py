"""The unpacked package that the benchmarks run, and the output of a command without its frames."""

from collections.abc import Iterator

import pytest

from benchmarks.artefact import Artefact, unpacked
from components.config import StackConfig


@pytest.fixture(scope="session")
def artefact() -> Iterator[Artefact]:
    """Unpack the package built with the default settings."""
    with unpacked(StackConfig()) as artefact:
        yield artefact


def one_line(output: str) -> str:
    """Return a command's output on one line, without frames."""
    return " ".join(output.replace("│", " ").split())
