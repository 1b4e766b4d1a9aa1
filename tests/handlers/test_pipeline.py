"""Records side by side: how many, in which order, and what of them shares the memory."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from handlers import budget, pipeline, worker
from handlers.imaging.memory import capacity_bytes
from handlers.master import Master
from handlers.settings import Settings
from tests.handlers.conftest import Context, Stack, failures, job, sqs_event

KEYS = [f"master/{number}.png" for number in range(6)]
WAIT_S = 10


@pytest.fixture
def six(stack: Stack) -> Stack:
    """Put six masters into the stack."""
    for key in KEYS:
        stack.upload(key)
    return stack


def process(work: Callable[[Master, Settings], Any], deliveries: int | list[int] = 1) -> list[str]:
    return failures(worker.process(sqs_event(*map(job, KEYS), deliveries=deliveries), Context(), work))


@pytest.mark.usefixtures("six")
def test_records_run_side_by_side() -> None:
    """All six are under way at once, else none would pass the barrier."""
    together = threading.Barrier(len(KEYS))

    def work(_master: Master, _settings: Settings) -> Mapping[str, Any]:
        together.wait(WAIT_S)
        return {"written": True}

    assert process(work) == []


@pytest.mark.usefixtures("six")
def test_failures_are_named_in_the_batchs_order() -> None:
    """Whichever ends first, the response reads as the batch does."""
    others = threading.Barrier(len(KEYS))

    def work(master: Master, _settings: Settings) -> Mapping[str, Any]:
        others.wait(WAIT_S)
        if master.claim.key == KEYS[0]:
            threading.Event().wait(0.05)
        raise ZeroDivisionError

    assert process(work) == [f"m{number}" for number in range(6)]


@pytest.mark.usefixtures("six")
def test_what_was_delivered_before_is_forked_before_any_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child would inherit a lock that another thread holds, and wait for it for ever."""
    alive: list[list[str]] = []

    def isolated(work: Callable[[], worker.Outcome], **_: Any) -> worker.Outcome:
        alive.append([thread.name for thread in threading.enumerate() if thread.name.startswith(("record", "upload"))])
        return work()

    monkeypatch.setattr(worker, "run_isolated", isolated)
    assert process(lambda *_: {"written": True}, [1, 1, 2, 1, 2, 1]) == []
    assert alive == [[], []]


@pytest.mark.usefixtures("six")
def test_no_thread_outlives_its_batch() -> None:
    """The next batch may fork."""
    assert process(lambda *_: {"written": True}) == []
    assert [thread for thread in threading.enumerate() if thread.name.startswith("record")] == []


@pytest.mark.usefixtures("six")
def test_pictures_that_fill_the_memory_run_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes more than half of the function's memory: no two are worked on at once."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    inside = threading.Semaphore(1)

    def work(master: Master, settings: Settings) -> Mapping[str, Any]:
        master.admit(capacity_bytes(settings.memory_mb) // 2 + 1)
        assert inside.acquire(blocking=False)
        threading.Event().wait(0.005)
        inside.release()
        return {"written": True}

    assert process(work) == []
    with budget.of_function(capacity_bytes(512)).picture() as place:
        place.take(capacity_bytes(512))


def test_every_core_has_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function with more memory has more cores, and uses them."""
    monkeypatch.setattr(pipeline, "cores", lambda: 3)
    assert pipeline.threads() == 3 * pipeline.THREADS_PER_CORE
