"""A picture's status: what it says about branches without an outcome, and about masters without a record."""

import dataclasses
import json
from typing import Any

import pytest

from handlers.reconcile import NAME_TAKEN
from handlers.record import Record
from ops.status import UnknownPictureError, status
from tests.ops.conftest import BUCKET, BUT_RESIZING, PICTURES, Pipeline

KEY = "master/cat.png"


def put(pipeline: Pipeline, **changes: Any) -> Record:
    """Change the record of a picture whose sizes are not made yet."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"), BUT_RESIZING)
    before = pipeline.record("cat.png")
    assert before
    record = dataclasses.replace(before, **changes)
    pipeline.client("dynamodb").put_item(TableName=PICTURES, Item=record.as_item())
    return record


@pytest.mark.parametrize(("state", "expected"), [("received", "waiting"), ("complete", "missing")])
def test_a_branch_without_an_outcome_waits_only_if_the_picture_does(
    pipeline: Pipeline, state: str, expected: str
) -> None:
    """A branch that was added after the picture was settled is missing: nothing will come of waiting for it."""
    put(pipeline, state=state)
    assert status(pipeline.stack, KEY).branches["resizing"] == {"state": expected}


def test_a_deleted_picture_has_no_outcomes(pipeline: Pipeline) -> None:
    """The outcomes in the record are those of the master that is gone."""
    put(pipeline, state="deleted")
    found = status(pipeline.stack, KEY)
    assert (found.state, found.settled, found.branches) == ("deleted", True, {})


def test_a_rejected_name_has_the_time_of_its_reason(pipeline: Pipeline) -> None:
    """The owner's record has the owner's times, so those of the other master are its reason's."""
    put(pipeline)
    reason = {"error": "NameTakenError", "message": "taken", "time": "2026-01-02T03:04:05Z"}
    key = pipeline.stack.layout.rejected_key("master/cat.gif", NAME_TAKEN)
    pipeline.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(reason))
    found = status(pipeline.stack, "master/cat.gif")
    assert (found.received_at, found.settled_at) == (reason["time"], reason["time"])


def test_a_folder_is_not_a_picture_that_was_uploaded(pipeline: Pipeline) -> None:
    """A folder marker is an object without a record, but no failure explains that."""
    pipeline.client("s3").put_object(Bucket=BUCKET, Key="master/2024/")
    with pytest.raises(UnknownPictureError, match="got 'master/2024/', which is not there"):
        status(pipeline.stack, "master/2024/")
