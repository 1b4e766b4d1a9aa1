"""Pythons of this machine: found where they are, and tried before they are believed in."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.packaging.interpreters import interpreter

ABSENT = "3.99"


@pytest.fixture(autouse=True)
def nothing_found_before() -> Iterator[None]:
    """Let each test look anew."""
    interpreter.cache_clear()
    yield
    interpreter.cache_clear()


def fake(folder: Path, answer: str, status: int = 0) -> str:
    """Write a Python that answers every question alike."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"python{ABSENT}"
    path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


def test_this_very_python_is_found() -> None:
    """Nobody looks for what runs already."""
    assert interpreter(f"{sys.version_info.major}.{sys.version_info.minor}") == sys.executable


def test_a_python_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The PATH comes first."""
    path = fake(tmp_path, ABSENT)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert interpreter(ABSENT) == path


@pytest.mark.parametrize(("answer", "status"), [("3.10", 0), (ABSENT, 127)])
def test_a_python_that_is_none_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    """What does not run, as a shim that is not switched on, or is another version, leads on to pyenv's."""
    fake(tmp_path / "shims", answer, status)
    real = fake(tmp_path / "versions" / f"{ABSENT}.1" / "bin", ABSENT)
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter(ABSENT) == real


def test_a_python_that_is_not_here_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any, the answer is None."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter(ABSENT) is None
