"""Limit a process's CPU and memory by Linux control groups, version 1 or 2.

Source: the kernel's documentation, admin-guide/cgroup-v1 and admin-guide/cgroup-v2.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
PERIOD_US = 20_000
"""Short, for fine slices: the kernel's default of 100 ms is longer than many images take."""
MEGABYTE = 1024 * 1024
NEEDED = {"cpu", "memory"}
SETTLE_S = 5.0


class NoGroupsError(Exception):
    """Control groups cannot be used here; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """What the files of one version are called; `{quota}` microseconds of `{period}` are the CPU's share."""

    quota: Mapping[str, str]
    memory: str
    swap: str
    peak: str
    swap_counts_memory: bool


V1 = Version(
    quota={"cpu.cfs_period_us": "{period}", "cpu.cfs_quota_us": "{quota}"},
    memory="memory.limit_in_bytes",
    swap="memory.memsw.limit_in_bytes",
    peak="memory.max_usage_in_bytes",
    swap_counts_memory=True,
)
V2 = Version(
    quota={"cpu.max": "{quota} {period}"},
    memory="memory.max",
    swap="memory.swap.max",
    peak="memory.peak",
    swap_counts_memory=False,
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """One control group: in version 1 a folder for each controller, in version 2 one for both."""

    version: Version
    cpu: Path
    memory: Path

    @property
    def folders(self) -> Sequence[Path]:
        """Return its folders, each once."""
        return list(dict.fromkeys((self.cpu, self.memory)))

    @property
    def joins(self) -> Sequence[Path]:
        """Return the files that take the id of a process that joins."""
        return [folder / "cgroup.procs" for folder in self.folders]

    def limit_cpu(self, vcpus: float) -> None:
        """Limit its processes to the CPU time of `vcpus` cores."""
        for name, text in self.version.quota.items():
            (self.cpu / name).write_text(text.format(period=PERIOD_US, quota=round(vcpus * PERIOD_US)))

    def limit_memory(self, memory_mb: int) -> None:
        """Limit the memory of its processes, without swap."""
        size = memory_mb * MEGABYTE
        (self.memory / self.version.memory).write_text(str(size))
        swap = self.memory / self.version.swap
        if swap.exists():  # Not every kernel counts swap.
            swap.write_text(str(size if self.version.swap_counts_memory else 0))

    def peak_mb(self) -> float | None:
        """Return the peak memory of its processes; None if the kernel does not report it (before 5.19)."""
        peak = self.memory / self.version.peak
        return int(peak.read_text()) / MEGABYTE if peak.exists() else None

    def remove(self) -> None:
        """Remove it; its processes have ended, but the kernel may take a moment to see it."""
        deadline = time.monotonic() + SETTLE_S
        for folder in self.folders:
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)


@contextlib.contextmanager
def group(name: str, root: Path = ROOT, own: Path = OWN) -> Iterator[Group]:
    """Make a control group below this process's own, or the nearest that may have children; remove it at the end.

    Raises: NoGroupsError.
    """
    parents, version = _parents(root, own)
    found = Group(version=version, cpu=parents["cpu"] / name, memory=parents["memory"] / name)
    try:
        for folder in found.folders:
            folder.mkdir()
    except OSError as error:
        found.remove()
        raise NoGroupsError(f"control groups cannot be made ({error}); run as root or in a delegated group") from error
    try:
        yield found
    finally:
        found.remove()


def usable(root: Path = ROOT, own: Path = OWN) -> str:
    """Return why control groups cannot be used, and nothing if they can, by making, limiting and removing one."""
    try:
        with group(f"pixelcascade-try-{os.getpid()}", root, own) as tried:
            tried.limit_cpu(0.5)
            tried.limit_memory(128)
    except (NoGroupsError, OSError) as error:
        return str(error)
    return ""


def _parents(root: Path, own: Path) -> tuple[Mapping[str, Path], Version]:
    """Return each controller's folder in which a group can be made, and the version."""
    if not own.exists():
        raise NoGroupsError(f"there is no {own}: only Linux has control groups")
    lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    paths = {name: path for _, names, path in lines for name in names.split(",")}
    if paths.keys() >= NEEDED and all((root / name).is_dir() for name in NEEDED):
        # In a container, the path may be the host's, which is not visible here.
        folders = {name: root / name / paths[name].lstrip("/") for name in NEEDED}
        return {name: folder if folder.is_dir() else root / name for name, folder in folders.items()}, V1
    folder = root / paths.get("", "/").lstrip("/")
    # A group with processes, as this one, cannot have children with limits: use the nearest parent that can.
    for candidate in (folder, *folder.parents):
        control = candidate / "cgroup.subtree_control"
        if control.exists() and set(control.read_text().split()) >= NEEDED:
            return dict.fromkeys(NEEDED, candidate), V2
        if candidate == root:
            break
    raise NoGroupsError(
        f"got no group at or above {folder} whose cgroup.subtree_control names cpu and memory; run as root, or by "
        "systemd-run --user --scope"
    )
