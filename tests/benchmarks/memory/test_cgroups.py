"""Control groups: each version's files are written as the kernel's documentation describes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory.cgroups import NoGroupsError, group, usable

NEEDED = pytest.mark.skipif(bool(usable()), reason=f"no control groups here: {usable()}")


def version_1(root: Path) -> Path:
    """Make a tree in the layout of version 1, and return the file that names this process's group."""
    for controller in ("cpu", "memory"):
        (root / controller / "ours").mkdir(parents=True)
    own = root / "own"
    own.write_text("3:memory:/ours\n2:cpu,cpuacct:/ours\n0::/\n")
    return own


def version_2(root: Path, controllers: str = "cpuset cpu memory pids") -> Path:
    """Make a version 2 tree with a slice that may limit its children; return the file naming this process's group."""
    (root / "user.slice" / "shell.scope").mkdir(parents=True)
    (root / "user.slice" / "cgroup.subtree_control").write_text(controllers)
    (root / "user.slice" / "shell.scope" / "cgroup.subtree_control").write_text("")
    own = root / "own"
    own.write_text("0::/user.slice/shell.scope\n")
    return own


def empty(folder: Path) -> None:
    """Remove a group's files, as the kernel does when a group is removed."""
    for file in folder.iterdir():
        file.unlink()


def test_version_1_sets_a_cpu_quota_and_a_memory_limit(tmp_path: Path) -> None:
    """Half a core is 10 of 20 ms; swap is limited together with memory if the kernel counts swap."""
    with group("tried", tmp_path, version_1(tmp_path)) as made:
        assert made.folders == [tmp_path / "cpu/ours/tried", tmp_path / "memory/ours/tried"]
        (made.memory / "memory.memsw.limit_in_bytes").touch()
        (made.memory / "memory.max_usage_in_bytes").write_text(str(3 * 1024 * 1024))
        made.limit_cpu(0.5)
        made.limit_memory(128)
        assert (made.cpu / "cpu.cfs_period_us").read_text() == "20000"
        assert (made.cpu / "cpu.cfs_quota_us").read_text() == "10000"
        assert (made.memory / "memory.limit_in_bytes").read_text() == str(128 * 1024 * 1024)
        assert (made.memory / "memory.memsw.limit_in_bytes").read_text() == str(128 * 1024 * 1024)
        assert made.peak_mb() == 3
        for folder in made.folders:
            empty(folder)
    assert not made.cpu.exists()
    assert not made.memory.exists()


def test_version_2_creates_a_child_of_the_nearest_group(tmp_path: Path) -> None:
    """The new group is a child of the nearest group that may limit its children, and swap is off."""
    with group("tried", tmp_path, version_2(tmp_path)) as made:
        assert made.folders == [tmp_path / "user.slice/tried"]
        assert made.joins == [tmp_path / "user.slice/tried/cgroup.procs"]
        (made.memory / "memory.swap.max").touch()
        made.limit_cpu(1.7)
        made.limit_memory(256)
        assert (made.cpu / "cpu.max").read_text() == "34000 20000"
        assert (made.memory / "memory.max").read_text() == str(256 * 1024 * 1024)
        assert (made.memory / "memory.swap.max").read_text() == "0"
        assert made.peak_mb() is None
        empty(made.cpu)
    assert not made.cpu.exists()


def test_missing_controllers_are_reported_with_the_fix(tmp_path: Path) -> None:
    """The error names the missing controllers and how to get them."""
    reason = usable(tmp_path, version_2(tmp_path, "pids"))
    assert "cgroup.subtree_control names cpu and memory" in reason
    assert "systemd-run" in reason


def test_other_systems_have_no_control_groups(tmp_path: Path) -> None:
    """A machine without the kernel's file has no control groups."""
    with pytest.raises(NoGroupsError, match="only Linux"), group("tried", tmp_path, tmp_path / "missing"):
        pass


@NEEDED
def test_the_kernel_enforces_the_limits() -> None:
    """The kernel limits the process, counts its memory, and kills it when it exceeds the limit."""
    hold = "import sys; held = bytearray(int(sys.argv[1]) << 20); print(len(held))"
    with group(f"pixelcascade-test-{os.getpid()}") as made:
        made.limit_memory(64)
        made.limit_cpu(0.9)

        def run(megabytes: int) -> int:
            join = f'echo $$ > "{made.joins[0]}" && echo $$ > "{made.joins[-1]}" && exec "$@"'
            command = ["/bin/sh", "-c", join, "sh", sys.executable, "-c", hold, str(megabytes)]
            return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode

        assert run(30) == 0
        assert 30 <= (made.peak_mb() or 30) <= 64
        assert run(200) == -9
    assert not any(folder.exists() for folder in made.folders)
