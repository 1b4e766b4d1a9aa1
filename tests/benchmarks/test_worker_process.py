"""A function in its own process: the outcome of each message, and how the process ends."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.artefact import Artefact
from benchmarks.photos import drawn
from benchmarks.worker_process import WorkerArgs, WorkerProcess, loopback
from components.config import StackConfig

KEYS = ["good.jpg", "empty.png", "text.gif"]


@pytest.fixture
def port() -> Iterator[int]:
    """Yield the port of a fake S3 with a good picture, an empty file and a text."""
    with loopback(dict(zip(KEYS, (drawn((320, 240)), b"", b"no picture"), strict=True)), 0, 0) as served:
        yield served


@pytest.fixture
def arguments(artefact: Artefact, port: int) -> WorkerArgs:
    """Return the arguments of a worker with one core and the default settings."""
    return WorkerArgs(
        artefact=artefact, module="pixel_resizer", port=port, cores=[0], memory_mb=512, config=StackConfig()
    )


@pytest.mark.parametrize("module", ["pixel_resizer", "format_converter", "metadata_extractor"])
def test_each_message_gets_its_outcome(module: str, arguments: WorkerArgs) -> None:
    """The good picture is written and the others are rejected; a second batch gives the same results."""
    with WorkerProcess(replace(arguments, module=module)) as worker:
        for _ in range(2):
            figures = worker.invoke(KEYS)
            found = {image.key: (image.outcome, image.error) for image in figures.images}
            assert found == {
                "good.jpg": ("written", ""),
                "empty.png": ("rejected", "NotAnImageError"),
                "text.gif": ("rejected", "NotAnImageError"),
            }
            assert figures.failed == 0
            assert figures.wall_s > 0
            assert figures.peak_mb > 10
    assert worker.init_s > 0


def test_a_terminal_that_is_set_up_for_aws_changes_nothing(
    arguments: WorkerArgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that does not exist would be an error, and a proxy could not connect to the fake S3."""
    for name, value in {"AWS_PROFILE": "nonsense", "http_proxy": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with WorkerProcess(arguments) as worker:
        assert worker.invoke(KEYS[:1]).failed == 0


def test_a_missing_module_is_reported_with_its_error(arguments: WorkerArgs) -> None:
    """The error includes the process's own message."""
    with pytest.raises(match=r"handlers\.nothing"):
        WorkerProcess(replace(arguments, module="nothing"))


def test_a_control_group_that_cannot_be_joined_prevents_the_start(arguments: WorkerArgs, tmp_path: Path) -> None:
    """No function runs outside of its limits."""
    with pytest.raises(match="missing"):
        WorkerProcess(replace(arguments, joins=(tmp_path / "missing" / "cgroup.procs",)))


def test_an_interrupt_leaves_no_process_and_no_timer(arguments: WorkerArgs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control group with a process in it cannot be removed, and Python waits for running timers at exit."""
    found: list[WorkerProcess] = []

    def interrupted(worker: WorkerProcess, _wait_s: float) -> str:
        found.append(worker)
        raise KeyboardInterrupt

    with monkeypatch.context() as changed:
        changed.setattr(WorkerProcess, "_answer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            WorkerProcess(arguments)
    assert found[0]._process.returncode is not None
    with WorkerProcess(arguments) as worker:
        stdout = worker._process.stdout
        assert stdout is not None
        monkeypatch.setattr(stdout, "readline", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            worker._answer(60)
        monkeypatch.undo()
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(5)
            assert not thread.is_alive()
