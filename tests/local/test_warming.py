"""Warm-up of functions: it has no side effects, and invokes only the pipeline's own functions."""

import json
from typing import Any

import pytest

from components.branches import BRANCHES
from handlers.job import Job, masters_of
from local.warming import PUBLISHER, PUBLISHERS, Warming

LAYOUT = {"master": "originals/"}


class FakeLambda:
    """A fake client that records the events it was invoked with."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def client(self, _service: str) -> "FakeLambda":
        """Return this object as a Lambda client."""
        return self

    def invoke(self, *, FunctionName: str, Payload: str) -> None:  # noqa: N803 boto3's names
        """Record an event; fail for one function."""
        self.events.append(json.loads(Payload))
        if FunctionName == "broken":
            raise RuntimeError


def warmed(handler: str, name: str = "function") -> list[dict[str, Any]]:
    """Return the warm-up events of a function."""
    variables = {"BUCKET": "images", "SETTINGS": json.dumps({"layout": LAYOUT})}
    emulator = FakeLambda()
    warming = Warming(emulator)  # type: ignore[arg-type]
    warming.start({"handler": handler, "name": name, "environment": {"variables": variables}})
    warming.wait()
    return emulator.events


def test_publishers_are_warmed_by_a_folder_marker() -> None:
    """The publisher skips folder markers, so that it creates neither a record nor a job."""
    events = warmed(PUBLISHER)
    assert [list(masters_of(event)) for event in events] == [[]] * PUBLISHERS


@pytest.mark.parametrize("handler", [branch.handler for branch in BRANCHES])
def test_workers_are_warmed_by_a_job_for_an_unknown_branch(handler: str) -> None:
    """The job names this stack but an unknown branch, so the worker ignores it."""
    ((record,),) = (event["Records"] for event in warmed(handler))
    job = Job.from_json(record["body"])
    assert (job.bucket, job.key.startswith("originals/")) == ("images", True)
    assert job.branches
    assert not set(job.branches) & {branch.name for branch in BRANCHES}


def test_other_functions_are_not_invoked() -> None:
    """No event is known to be without side effects there."""
    assert warmed("billing.handler") == []


def test_a_failed_warm_up_does_not_stop_the_deployment() -> None:
    """The failure will show up on its first real event."""
    assert len(warmed(BRANCHES[0].handler, "broken")) == 1
