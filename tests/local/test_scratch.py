"""The emulator's temporary folder: what earlier runs left is removed, and what runs is kept."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from local import scratch

HOLDING = """
import sys, tempfile
from pathlib import Path
from local import scratch
tempfile.tempdir, scratch.MEMORY = sys.argv[1], Path(sys.argv[1])
folder = scratch.Folder()
print(folder.name, flush=True)
sys.stdin.read()
"""


def test_folders_of_killed_runs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start deletes the folders of dead processes, and keeps those of running ones and of other programs."""
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    command, pipe = [sys.executable, "-c", HOLDING, str(tmp_path)], subprocess.PIPE
    other = tmp_path / "pixelcascade-other"
    other.mkdir()
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        try:
            assert running.stdout
            found = Path(running.stdout.readline().strip())
            assert found.parent == tmp_path
            scratch.sweep()
            assert found.exists()
        finally:
            running.kill()
    assert found.exists()
    scratch.sweep()
    assert list(tmp_path.iterdir()) == [other]


def test_a_folder_is_kept_while_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run that starts at the same time sweeps before this one holds its lock."""
    lock = fcntl.flock

    def late(file: int, how: int) -> None:
        if how == fcntl.LOCK_EX:
            scratch.sweep()
        lock(file, how)

    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(fcntl, "flock", late)
    with scratch.Folder() as found:
        assert Path(found).is_dir()


def test_a_folder_is_on_disk_without_enough_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in memory is used only if there is enough space."""
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    with scratch.Folder() as found:
        assert Path(found).parent == tmp_path
    monkeypatch.setattr(scratch, "NEEDED_BYTES", sys.maxsize)
    with scratch.Folder() as found:
        assert Path(found).parent != tmp_path
