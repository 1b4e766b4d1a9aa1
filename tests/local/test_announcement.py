"""The state file of `python -m local up`, and its lock, which allows one process at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from local import announcement
from local.__main__ import main
from local.announcement import alone, announced
from local.emulator import Emulator

FAILED = 1


@pytest.fixture(autouse=True)
def state_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the path of the state file in these tests."""
    state_file = tmp_path / "cache" / "local.json"
    monkeypatch.setattr(announcement, "RUNNING", state_file)
    return state_file


def test_a_second_local_stack_is_refused() -> None:
    """The error names the running process, and nothing is started."""
    with alone():
        result = CliRunner().invoke(main, ["up"])
    assert result.exit_code == FAILED
    assert f"one `python -m local up` at a time, got a second while process {os.getpid()} runs one" in result.output


def test_a_folder_that_cannot_be_written_is_reported(state_file: Path) -> None:
    """A read-only checkout gives one line."""
    state_file.with_suffix(".lock").mkdir(parents=True)
    result = CliRunner().invoke(main, ["up"])
    assert result.exit_code == FAILED
    got = f"expected a folder that can be written, got {state_file.parent} (Is a directory)"
    assert result.output == f"Error: {got}: change its mode, or use a checkout of your own\n"


def test_the_lock_of_a_killed_process_is_ignored(state_file: Path) -> None:
    """The lock file of a killed process does not block the next one."""
    state_file.parent.mkdir()
    code = "import os, pathlib, sys; from local import announcement; announcement.RUNNING = pathlib.Path(sys.argv[1]); "
    killed = f"{code}lock = announcement.alone(); lock.__enter__(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", killed, str(state_file)], check=False)
    assert state_file.with_suffix(".lock").is_file()
    with alone():
        assert state_file.with_suffix(".lock").read_text() == str(os.getpid())


def test_a_process_removes_only_its_own_state_file(state_file: Path) -> None:
    """The file is kept if another process has written it in the meantime."""
    emulator = Emulator("us-east-1")
    with announced(emulator, {"bucket": "mine"}, {}):
        assert state_file.is_file()
    assert not state_file.exists()
    with announced(emulator, {"bucket": "mine"}, {}):
        state_file.write_text("another's")
    assert state_file.read_text() == "another's"
    emulator.stop()
