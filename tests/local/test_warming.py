"""Warm functions: what warms them changes nothing, and only the pipeline's own are called."""

import json
from typing import Any

import pytest

from components.branches import BRANCHES
from handlers.job import Job, masters_of
from local.warming import PUBLISHER, PUBLISHERS, Warming

LAYOUT = {"master": "originals/"}


class FakeLambda:
    """Remembers what was invoked."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def client(self, _service: str) -> "FakeLambda":
        """Return what invokes functions."""
        return self

    def invoke(self, *, FunctionName: str, Payload: str) -> None:  # noqa: N803 boto3's names
        """Take an event; one function fails."""
        self.events.append(json.loads(Payload))
        if FunctionName == "broken":
            raise RuntimeError


def warmed(handler: str, name: str = "function") -> list[dict[str, Any]]:
    """Return the events that warm a function."""
    variables = {"BUCKET": "images", "SETTINGS": json.dumps({"layout": LAYOUT})}
    emulator = FakeLambda()
    warming = Warming(emulator)  # type: ignore[arg-type]
    warming.start({"handler": handler, "name": name, "environment": {"variables": variables}})
    warming.wait()
    return emulator.events


def test_publishers_are_warmed_by_a_folder_marker() -> None:
    """They skip it, so that neither a record nor a job comes of it."""
    events = warmed(PUBLISHER)
    assert [list(masters_of(event)) for event in events] == [[]] * PUBLISHERS


@pytest.mark.parametrize("handler", [branch.handler for branch in BRANCHES])
def test_workers_are_warmed_by_a_job_for_none_of_them(handler: str) -> None:
    """It is for this stack, and for a branch that no stack has: a worker keeps it."""
    ((record,),) = (event["Records"] for event in warmed(handler))
    job = Job.from_json(record["body"])
    assert (job.bucket, job.key.startswith("originals/")) == ("images", True)
    assert job.branches
    assert not set(job.branches) & {branch.name for branch in BRANCHES}


def test_other_functions_are_left_alone() -> None:
    """Nobody knows which event would change nothing there."""
    assert warmed("billing.handler") == []


def test_a_function_that_fails_does_not_stop_the_deployment() -> None:
    """Its first event fails too, and that is shown."""
    assert len(warmed(BRANCHES[0].handler, "broken")) == 1
