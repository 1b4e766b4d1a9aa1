"""The Python interpreters of this machine: how they are found and verified."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.packaging.interpreters import interpreter

ABSENT = "3.99"


@pytest.fixture(autouse=True)
def clear_cache() -> Iterator[None]:
    """Clear the cache around each test."""
    interpreter.cache_clear()
    yield
    interpreter.cache_clear()


def fake(folder: Path, answer: str, status: int = 0, executable: str = "") -> str:
    """Write a fake Python that always prints the same version, and its own path or another one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"python{ABSENT}"
    path.write_text(f"#!/bin/sh\necho '{answer} {executable or path}'\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


def test_the_running_python_is_found() -> None:
    """The running Python needs no search."""
    assert interpreter(f"{sys.version_info.major}.{sys.version_info.minor}") == sys.executable


def test_a_python_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search begins with the PATH."""
    path = fake(tmp_path, ABSENT)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert interpreter(ABSENT) == path


@pytest.mark.parametrize(("answer", "status"), [("3.10", 0), (ABSENT, 127)])
def test_a_failing_or_different_python_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    """The search goes on to pyenv's versions if a shim fails or runs another version."""
    fake(tmp_path / "shims", answer, status)
    real = fake(tmp_path / "versions" / f"{ABSENT}.1" / "bin", ABSENT)
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter(ABSENT) == real


def test_a_shim_is_replaced_by_the_python_that_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shim needs PYENV_VERSION, which a build does not pass on."""
    real = fake(tmp_path / "bin", ABSENT)
    fake(tmp_path / "shims", ABSENT, executable=real)
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}{os.pathsep}{os.environ['PATH']}")
    assert interpreter(ABSENT) == real


def test_a_missing_python_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is None."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter(ABSENT) is None
