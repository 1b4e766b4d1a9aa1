"""The call path of a picture stays short."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("task", "most"), [("copy", 32), ("resize", 41), ("metadata", 30)])
def test_a_picture_passes_through_few_files(task: str, most: int) -> None:
    """The worker's module comes first, then handlers/worker.py; raise the limit here to allow another module."""
    command = [sys.executable, "-m", "benchmarks", "trace", task]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.splitlines()
    *files, summary = lines
    assert files[1] == "handlers/worker.py"
    assert len(files) <= most
    assert summary.startswith(f"{task}: {len(files)} files")
