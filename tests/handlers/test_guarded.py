"""Pictures in a guarded format: decoded in a child process, even on their first delivery."""

import faulthandler
import functools
import importlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers import format_converter, worker
from handlers.errors import PixelCascadeError
from handlers.imaging import Picture
from handlers.imaging.formats.webp import WebpPicture
from handlers.master import Master
from handlers.settings import Settings
from handlers.work import Result, Work
from tests.handlers.conftest import Context, FakeOutput, Stack, failures, job, sqs_event
from tests.handlers.imaging.heic import heic, needs_decoder
from tests.handlers.pictures import opened, picture

JPEG, WEBP = "master/a.jpg", "master/b.webp"


@pytest.fixture
def two_masters(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Put a JPEG and a WebP into a stack that accepts both."""
    settings = json.loads(os.environ["SETTINGS"])
    monkeypatch.setenv("SETTINGS", json.dumps({**settings, "input_formats": ["jpeg", "webp"]}))
    stack.upload(JPEG, picture())
    stack.upload(WEBP, picture(kind="WEBP"))
    return stack


def process(work: Work, left_s: float = 60.0, deliveries: int = 1) -> list[str]:
    event = sqs_event(job(WEBP), job(JPEG), deliveries=deliveries)
    return failures(worker.process(event, Context(left_s), work))


def decoding(run: Callable[[Picture, Master, Settings], FakeOutput]) -> Work:
    return Work(run=run, bytes_needed=lambda found, _: found.bytes_needed())


def _leave_pid(folder: Path, _picture: Picture, master: Master, _settings: Settings) -> FakeOutput:
    (folder / Path(master.key).name).write_text(str(os.getpid()))
    return FakeOutput()


@pytest.mark.usefixtures("two_masters")
def test_a_guarded_picture_is_decoded_in_a_child(tmp_path: Path) -> None:
    """A guarded picture is decoded in a child even on its first delivery; the batch's other picture is not."""
    assert process(decoding(functools.partial(_leave_pid, tmp_path))) == []
    pids = {file.name: int(file.read_text()) for file in tmp_path.iterdir()}
    assert pids.keys() == {"a.jpg", "b.webp"}
    assert pids["a.jpg"] == os.getpid()
    assert pids["b.webp"] != os.getpid()


@pytest.mark.usefixtures("two_masters")
def test_no_thread_runs_when_a_guarded_picture_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread runs at the fork, because the child would inherit its locks; the child gets all the remaining time."""
    seen: list[tuple[list[str], bool]] = []

    def isolated(work: Callable[[], Result], *, wall_s: float, memory_mb: int) -> Result:
        assert memory_mb
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith(("record", "upload"))]
        seen.append((names, wall_s > 50))
        return work()

    monkeypatch.setattr("handlers.work.run_isolated", isolated)
    assert process(decoding(lambda *_: FakeOutput())) == []
    assert seen == [([], True)]


@pytest.mark.usefixtures("two_masters")
def test_a_crashing_decoder_fails_only_its_own_picture(tmp_path: Path) -> None:
    """A crashing decoder ends only its child, and only its message stays in the queue."""

    def run(found: Picture, master: Master, settings: Settings) -> FakeOutput:
        if isinstance(found, WebpPicture):
            faulthandler.disable()
            os.abort()
        return _leave_pid(tmp_path, found, master, settings)

    assert process(decoding(run)) == ["m0"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.jpg"]


@needs_decoder
def test_a_crash_in_the_heic_decoder_fails_only_its_own_picture(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A crash in the HEIC decoder ends only its child: the batch's other picture is done."""
    settings = json.loads(os.environ["SETTINGS"])
    monkeypatch.setenv("SETTINGS", json.dumps({**settings, "input_formats": ["jpeg", "heic"]}))
    stack.upload(JPEG, picture())
    stack.upload(WEBP, heic())

    def crash(_payload: bytes) -> None:
        faulthandler.disable()
        os.abort()

    monkeypatch.setattr(importlib.import_module("pi_heif"), "open_heif", crash)

    def run(found: Picture, master: Master, settings: Settings) -> FakeOutput:
        found.read()
        found.decode(salvage=False)
        return _leave_pid(tmp_path, found, master, settings)

    assert process(decoding(run)) == ["m0"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.jpg"]


@pytest.mark.usefixtures("two_masters")
def test_work_that_decodes_nothing_forks_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that decodes nothing reads headers with our own code, and forks no child."""

    def isolated(*_: Any, **__: Any) -> Result:
        raise PixelCascadeError("a child was forked")

    monkeypatch.setattr("handlers.work.run_isolated", isolated)
    assert process(Work(run=lambda *_: FakeOutput(), bytes_needed=lambda *_: 0)) == []


def test_a_webp_is_converted_where_it_is_accepted(two_masters: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebP is converted end to end, here without a fork, because moto's state is in this process."""
    monkeypatch.setattr("handlers.work.run_isolated", lambda work, **_: work())
    assert process(format_converter.WORK) == []
    assert {key: opened(two_masters.read(key)).size for key in two_masters.keys("converted/")} == {
        "converted/a.jpg": (400, 300),
        "converted/b.jpg": (400, 300),
    }


def test_a_webp_is_rejected_by_default(stack: Stack) -> None:
    """The reason names the setting that allows WebP."""
    stack.upload(JPEG, picture())
    stack.upload(WEBP, picture(kind="WEBP"))
    assert process(format_converter.WORK) == []
    assert "add webp to inputFormats" in stack.rejection("rejected/b.webp/resizing.json")["message"]
