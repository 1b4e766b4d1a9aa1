"""The package that the benchmarks run, unpacked once, and what a command printed."""

from collections.abc import Iterator

import pytest

from benchmarks.artefact import Artefact, unpacked
from components.config import StackConfig


@pytest.fixture(scope="session")
def artefact() -> Iterator[Artefact]:
    """Unpack the package of the default settings."""
    with unpacked(StackConfig()) as artefact:
        yield artefact


def words(output: str) -> str:
    """Return what a command printed in one line, without frames."""
    return " ".join(output.replace("│", " ").split())
