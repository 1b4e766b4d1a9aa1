"""`benchmarks publisher`: a row per memory size, from which `costs` reads the billed time per upload."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner, Result

from benchmarks.artefact import Artefact
from benchmarks.batch_worker import Figures
from benchmarks.line_process import ChildDiedError
from benchmarks.memory.cgroups import ROOT, usable
from benchmarks.publisher import CALLS, WARM_UPS, publisher
from benchmarks.worker_process import WorkerArgs
from costs.durations import COMMAND, Durations, measured

from .conftest import one_line

needs_groups = pytest.mark.skipif(bool(usable()), reason=f"no control groups here: {usable()}")


class FakeGroup:
    """A control group that limits nothing."""

    joins = ()

    def __init__(self) -> None:
        self.limits: list[float] = []

    def limit_memory(self, memory_mb: int) -> None:
        """Record the limit."""
        self.limits.append(memory_mb)

    def limit_cpu(self, vcpus: float) -> None:
        """Record the limit."""
        self.limits.append(vcpus)


class Worker:
    """A publisher that takes 400 ms per upload, and 9 s while it warms up."""

    init_s = 0.25

    def __init__(self, _args: WorkerArgs) -> None:
        self.keys: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def invoke(self, keys: Sequence[str]) -> Figures:
        """Process one upload."""
        assert not set(keys) & set(self.keys), "each upload has a new name"
        self.keys += keys
        wall_s = 9.0 if len(self.keys) <= WARM_UPS else 0.4
        return Figures(wall_s=wall_s, cpu_s=0.1, peak_mb=60, failed=0, images=())


@pytest.fixture(autouse=True)
def _unpacked_once(artefact: Artefact, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the package that is already unpacked."""
    monkeypatch.setattr("benchmarks.publisher.unpacked", lambda _: contextlib.nullcontext(artefact))


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[FakeGroup]:
    """Replace control groups and the worker process by fakes that take no time; return the groups."""
    found: list[FakeGroup] = []

    @contextlib.contextmanager
    def group(_name: str) -> Iterator[FakeGroup]:
        found.append(FakeGroup())
        yield found[-1]

    monkeypatch.setattr("benchmarks.publisher.usable", lambda: "")
    monkeypatch.setattr("benchmarks.memory.trial.group", group)
    monkeypatch.setattr("benchmarks.memory.trial.WorkerProcess", Worker)
    return found


def run(*options: str) -> Result:
    """Run the command with two runs and no delay."""
    return CliRunner().invoke(publisher, ["--runs", "2", "--delay", "0", *options])


def test_without_control_groups_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark depends on the CPU share; the error says why control groups are unavailable."""
    monkeypatch.setattr("benchmarks.publisher.usable", lambda: "not on this machine")
    done = run()
    assert done.exit_code == 1
    message = "expected control groups, which give a function its share of CPU: not on this machine"
    assert message in one_line(done.output)


def test_each_size_has_its_share_and_a_row(groups: list[FakeGroup], tmp_path: Path) -> None:
    """Warm-up uploads do not count; the publisher's own time is the billed time minus the wait for calls."""
    found = tmp_path / "found.json"
    done = run("--sizes", "1769,128", "--delay", "10", "--json", str(found))
    assert done.exit_code == 0, done.output
    assert [group.limits for group in groups] == [[128, pytest.approx(128 / 1769)], [1769, 1]]
    assert measured(found, Durations, COMMAND).of("publish", 128).fixed_ms == 400 - 10 * CALLS
    output = one_line(done.output)
    assert "10 ms until a call is answered, 2 runs" in output
    assert "128 MB" in output
    assert "1,769 MB" in output
    assert "400.00 ms" in output
    assert f"without waiting for {CALLS:g} calls" in output


def test_a_wait_beyond_the_billed_time_leaves_zero(groups: list[FakeGroup], tmp_path: Path) -> None:
    """Its own time is 0, never negative."""
    assert run("--sizes", "256", "--delay", "10000", "--json", str(tmp_path / "found.json")).exit_code == 0
    assert len(groups) == 1
    assert measured(tmp_path / "found.json", Durations, COMMAND).of("publish", 256).fixed_ms == 0


def test_a_crash_is_reported_with_the_memory_size(groups: list[FakeGroup], monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the size, which may be too small."""

    def killed(*_: Any) -> Figures:
        raise ChildDiedError("it was killed: out of memory")

    monkeypatch.setattr(Worker, "invoke", killed)
    done = run("--sizes", "128,256")
    assert done.exit_code == 1
    message = (
        "expected a publisher that answers at 128 MB, got none (it was killed: out of memory): leave this size out"
    )
    assert message in one_line(done.output)
    assert len(groups) == 1


@needs_groups
def test_the_packaged_publisher_runs(tmp_path: Path) -> None:
    """It runs within its limits, and no control group is left."""
    done = run("--sizes", "512", "--json", str(tmp_path / "found.json"))
    assert done.exit_code == 0, done.output
    found = measured(tmp_path / "found.json", Durations, COMMAND).of("publish", 512)
    assert found.fixed_ms > 0
    assert found.init_ms > 0
    assert not list(ROOT.rglob(f"pixelcascade-{os.getpid()}-*"))
