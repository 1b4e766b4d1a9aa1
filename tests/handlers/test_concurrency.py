"""Concurrent records: how many, in which order, and how they share the memory."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from handlers import budget, worker
from handlers.imaging.limits import capacity_bytes
from handlers.marks import Mark
from handlers.master import Master
from handlers.record import Outcome
from handlers.settings import Settings
from handlers.work import SHORT_BYTES, Result
from tests.handlers.conftest import MEMORY_MB, Context, FakeOutput, Run, Stack, failures, job, sqs_event, work_with

pytestmark = pytest.mark.usefixtures("masters_not_opened")

KEYS = [f"master/{number}.png" for number in range(6)]
WAIT_S = 10


@pytest.fixture
def six_masters(stack: Stack) -> Stack:
    """Put six masters into the stack."""
    for key in KEYS:
        stack.upload(key)
    return stack


def process(work: Run, deliveries: int | list[int] = 1, need_bytes: int = 0) -> list[str]:
    return failures(
        worker.process(sqs_event(*map(job, KEYS), deliveries=deliveries), Context(), work_with(work, need_bytes))
    )


@pytest.mark.usefixtures("six_masters")
def test_records_run_concurrently() -> None:
    """All six records run at once, else none would pass the barrier."""
    together = threading.Barrier(len(KEYS))

    def work(_master: Master, _settings: Settings) -> FakeOutput:
        together.wait(WAIT_S)
        return FakeOutput()

    assert process(work) == []


@pytest.mark.usefixtures("six_masters")
def test_failures_are_returned_in_the_order_of_the_batch() -> None:
    """The response keeps the batch's order, whichever record ends first."""
    others = threading.Barrier(len(KEYS))

    def work(master: Master, _settings: Settings) -> FakeOutput:
        others.wait(WAIT_S)
        if master.key == KEYS[0]:
            threading.Event().wait(0.05)
        raise ZeroDivisionError

    assert process(work) == [f"m{number}" for number in range(6)]


@pytest.mark.usefixtures("six_masters")
def test_redelivered_records_are_forked_before_any_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread runs at a fork: the child would inherit a lock that another thread holds, and deadlock."""
    running: list[list[str]] = []

    def isolated(work: Callable[[], Result], **_: Any) -> Result:
        running.append(
            [thread.name for thread in threading.enumerate() if thread.name.startswith(("record", "upload"))]
        )
        return work()

    monkeypatch.setattr("handlers.work.run_isolated", isolated)
    assert process(lambda *_: FakeOutput(), [1, 1, 2, 1, 2, 1]) == []
    assert running == [[], []]


@pytest.mark.usefixtures("six_masters")
def test_no_thread_outlives_its_batch() -> None:
    """No record thread is left when a batch ends, so that the next batch may fork."""
    assert process(lambda *_: FakeOutput()) == []
    assert [thread for thread in threading.enumerate() if thread.name.startswith("record")] == []


def alone() -> Run:
    """Return work that fails if it runs for two pictures at once."""
    inside = threading.Semaphore(1)

    def work(_master: Master, _settings: Settings) -> FakeOutput:
        assert inside.acquire(blocking=False)
        threading.Event().wait(0.005)
        inside.release()
        return FakeOutput()

    return work


@pytest.mark.usefixtures("six_masters")
def test_pictures_that_fill_the_memory_run_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that each take more than half of the function's memory never run concurrently."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    assert process(alone(), need_bytes=capacity_bytes(512) // 2 + 1) == []
    with budget.of_function(capacity_bytes(512)).room(capacity_bytes(512)):
        pass


def test_long_files_share_the_memory_even_if_they_are_only_read(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PNG is read to its end to find EXIF after its pixels: ten long ones at once would not fit."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
    for key in KEYS:
        stack.upload(key, bytes(SHORT_BYTES + 1))
    assert process(alone()) == []


@pytest.mark.usefixtures("six_masters")
def test_memory_is_released_before_the_outputs_are_written() -> None:
    """A picture's memory is free while its outputs are written, so that another picture can be decoded."""
    room = budget.of_function(capacity_bytes(MEMORY_MB))
    free: list[int] = []

    class RecordingOutput(FakeOutput):
        def write(self, mark: Mark, settings: Settings) -> Outcome | None:
            free.append(room.free_bytes)
            return super().write(mark, settings)

    event = sqs_event(job(KEYS[0]))
    assert failures(worker.process(event, Context(), work_with(lambda *_: RecordingOutput(), 1_000))) == []
    assert free == [room.size_bytes]


def test_the_number_of_threads_grows_with_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of threads grows with the number of cores."""
    monkeypatch.setattr(worker, "cores", lambda: 3)
    assert worker.threads() == 3 * worker.THREADS_PER_CORE
