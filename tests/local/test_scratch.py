"""The emulator's temporary folder: what earlier runs left is removed, and what runs is kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import scratch


def test_folders_of_killed_runs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start deletes the folders of dead processes, and keeps those of running ones."""
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, alive = tmp_path / f"pixelcascade-{ended.pid}-x", tmp_path / f"pixelcascade-{os.getpid()}-x"
    dead.mkdir()
    alive.mkdir()
    scratch.sweep()
    assert (dead.exists(), alive.exists()) == (False, True)


def test_a_folder_is_on_disk_without_enough_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in memory is used only if there is enough space."""
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    with scratch.folder() as found:
        assert Path(found).parent == tmp_path
    monkeypatch.setattr(scratch, "NEEDED_BYTES", sys.maxsize)
    with scratch.folder() as found:
        assert Path(found).parent != tmp_path
