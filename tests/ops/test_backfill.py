"""Jobs for masters that are already in the bucket."""

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops import backfill as backfilling
from ops.audit import audit
from ops.backfill import ArchivedMastersError, BackfillPlan, Bookmark, Task, backfill, every, in_state, register
from ops.stack import NoRecordsError
from tests.ops.conftest import BRANCHES, BUCKET, Pipeline


def run(pipeline: Pipeline, work: Iterable[Task] | None = None) -> int:
    """Backfill without a rate limit."""
    return backfill(pipeline.stack, every(pipeline.stack, "") if work is None else work, per_second=0)


def test_every_master_without_a_record_becomes_a_job(pipeline: Pipeline) -> None:
    """The master is processed as if it were new."""
    paths = [f"{number:02}.png" for number in range(23)]
    for path in paths:
        pipeline.upload(path)
    assert run(pipeline) == 23
    assert sorted(pipeline.published()) == [f"master/{path}" for path in paths]


def test_a_current_picture_gets_no_job(pipeline: Pipeline) -> None:
    """A settled, current picture gets no job."""
    pipeline.finish("done.png", pipeline.upload("done.png"))
    before = pipeline.record("done.png")
    assert (run(pipeline), pipeline.published(), pipeline.record("done.png")) == (0, [], before)


def test_only_missing_and_stale_outputs_get_a_job(pipeline: Pipeline) -> None:
    """Done masters get no job, stale ones do, and a missing output gets a job for its branch only."""
    pipeline.finish("done.png", pipeline.upload("done.png"))
    pipeline.finish("stale.png", pipeline.upload("stale.png"))
    pipeline.upload("stale.png", b"another picture")
    pipeline.finish("part.png", pipeline.upload("part.png"))
    pipeline.client("s3").delete_object(Bucket=BUCKET, Key="converted/part.jpg")
    pipeline.upload("missing.png")
    assert run(pipeline, in_state(pipeline.stack, "", {"missing", "stale"})) == 3
    jobs = {job["key"]: job.get("branches") for job in pipeline.jobs()}
    assert jobs == {
        "master/missing.png": None,
        "master/part.png": ["format-conversion"],
        "master/stale.png": None,
    }


def test_only_the_branch_with_changed_settings_runs_again(pipeline: Pipeline) -> None:
    """The new generation keeps the other branches' outcomes, and does not write their outputs again."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    changed = dataclasses.replace(pipeline.stack, recipes={**pipeline.stack.recipes, "resizing": "new"})
    before = pipeline.record("cat.png")
    assert backfill(changed, in_state(changed, "", {"outdated"}), per_second=0) == 1
    (job,), after = pipeline.jobs(), pipeline.record("cat.png")
    assert before
    assert after
    assert (job["branches"], job["generation"]) == (["resizing"], after.generation)
    assert after.state == "received"
    assert set(after.branches) == set(BRANCHES) - {"resizing"}
    assert after.generation > before.generation


def test_an_archived_master_is_left_alone_until_it_is_restored(pipeline: Pipeline) -> None:
    """Workers cannot read it: they would reject the picture and, with `follow`, remove its outputs."""
    s3 = pipeline.client("s3")
    for path, storage in (("cold.png", "GLACIER"), ("cool.png", "GLACIER_IR"), ("tiered.png", "INTELLIGENT_TIERING")):
        etag = s3.put_object(Bucket=BUCKET, Key=f"master/{path}", Body=b"a picture", StorageClass=storage)["ETag"]
        pipeline.finish(path, etag.strip('"'))
    before = pipeline.record("cold.png")
    work = [Task(key=f"master/{path}", branches=["resizing"]) for path in ("cold.png", "cool.png", "tiered.png")]
    with pytest.raises(
        ArchivedMastersError, match=r"got 1 in an archived storage class, .* master/cold\.png: .* 2 jobs"
    ):
        run(pipeline, work)
    assert pipeline.record("cold.png") == before
    s3.restore_object(Bucket=BUCKET, Key="master/cold.png", RestoreRequest={"Days": 1})
    assert run(pipeline, work[:1]) == 1


def test_one_branch_can_be_chosen(pipeline: Pipeline) -> None:
    """The outdated outputs of other branches stay."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"), recipe="before")
    (work,) = in_state(pipeline.stack, "", {"outdated"}, "metadata-extraction")
    assert work == Task(key="master/cat.png", branches=["metadata-extraction"])


def test_a_backfill_continues_after_a_key(pipeline: Pipeline) -> None:
    """Masters up to that key are skipped."""
    for path in ("a.png", "b.png", "c.png"):
        pipeline.upload(path)
    assert run(pipeline, every(pipeline.stack, "", "master/a.png")) == 2


def test_the_rate_is_limited(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each master it waits for the rest of that master's time."""
    for number in range(2):
        pipeline.upload(f"{number}.png")
    work, clock, waits = list(every(pipeline.stack, "")), iter([0.0, 0.0, 0.05]), list[float]()
    monkeypatch.setattr(backfilling, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=waits.append))
    backfill(pipeline.stack, work, per_second=10)
    assert waits == [pytest.approx(0.1), pytest.approx(0.15)]


def test_outputs_without_records_are_registered(pipeline: Pipeline) -> None:
    """Complete and rejected pictures get records and count as outdated; no job and no event is sent."""
    pipeline.make_outputs("good.png", pipeline.upload("good.png"))
    etag = pipeline.upload("bad.png", b"bad")
    for branch in BRANCHES:
        pipeline.write_reason("bad.png", etag, branch)
    pipeline.make_outputs("part.png", pipeline.upload("part.png"), ("resizing",))
    pipeline.make_outputs("stale.png", "an older state")
    pipeline.upload("stale.png")
    assert register(pipeline.stack, "") == 2
    records = [pipeline.record(path) for path in ("good.png", "bad.png", "part.png", "stale.png")]
    assert [record and (record.state, record.generation) for record in records] == [
        ("complete", 0),
        ("rejected", 0),
        None,
        None,
    ]
    assert pipeline.published() == []
    states = {found.key: set(found.states.values()) for found in audit(pipeline.stack)}
    assert (states["master/good.png"], states["master/bad.png"]) == ({"outdated"}, {"rejected"})


def test_registering_does_not_change_records(pipeline: Pipeline) -> None:
    """A picture with a record is not registered again."""
    pipeline.finish("cat.png", pipeline.upload("cat.png"))
    before = pipeline.record("cat.png")
    assert (register(pipeline.stack, ""), pipeline.record("cat.png")) == (0, before)


def test_a_stack_without_records_is_refused(pipeline: Pipeline) -> None:
    """The outputs of a stack from an earlier version do not name a table for records."""
    before = dataclasses.replace(pipeline.stack, pictures="")
    with pytest.raises(NoRecordsError, match="run `pulumi up` first"):
        register(before, "")


def test_a_bookmark_keeps_the_last_key(tmp_path: Path) -> None:
    """It keeps the key of the last task that was done, for its selection, until all are done."""
    selection = {"bucket": BUCKET, "missing": True}
    bookmark = Bookmark(tmp_path / "bookmark")
    assert bookmark.read(selection) is None
    work = bookmark.kept(selection, [Task(key="master/a.png"), Task(key="master/b.png")])
    next(work)
    assert bookmark.read(selection) is None
    next(work)
    assert bookmark.read(selection) == "master/a.png"
    assert bookmark.read({**selection, "missing": False}) is None
    assert list(work) == []
    assert bookmark.read(selection) is None


def plan(pipeline: Pipeline, jobs: int, **changes: Any) -> BackfillPlan:
    """Return the plan of processing some masters again in one branch, by a stack of three sizes."""
    stack = dataclasses.replace(pipeline.stack, **{"sizes": ["small", "medium", "large"], **changes})
    return BackfillPlan.of(stack, [Task(key="master/cat.png", branches=("resizing",))] * jobs)


def test_the_estimate_counts_only_the_branches_that_run_again(pipeline: Pipeline) -> None:
    """The record is read and started; the branch reads, writes and settles; each queue gets the message."""
    queues, last = len(BRANCHES), math.ceil(1000 / len(BRANCHES))
    assert plan(pipeline, 1000).requests == {
        "SNS, message published": 1000,
        "SNS, delivery to a queue": 1000 * queues,
        "SQS, request": 1200 * queues,
        "Lambda, invocation": 100 * queues,
        "S3, GET or HEAD": 5000,
        "S3, PUT": 3000,
        "DynamoDB, read unit": 1000,
        "DynamoDB, write unit": 2000 + last,
        "EventBridge, event": last,
    }


def test_the_estimate_is_proportional_to_the_jobs(pipeline: Pipeline) -> None:
    """The estimate is proportional to the number of jobs."""
    assert plan(pipeline, 1000).dollars == pytest.approx(1000 * plan(pipeline, 1).dollars)


def test_the_estimate_counts_the_files_of_each_format(pipeline: Pipeline) -> None:
    """Each size is counted once per format."""
    found = plan(pipeline, 1, sizes=["small", "large"], output_formats=["jpeg", "webp", "avif"])
    assert found.requests["S3, PUT"] == 6
