"""Jobs for what is in the bucket already."""

import time
from pathlib import Path

import pytest

from handlers.job import Job
from ops.backfill import Bookmark, Requests, backfill, jobs
from tests.ops.conftest import BUCKET, Pipeline


def run(pipeline: Pipeline, *, missing: bool = False, prefix: str = "", after: str | None = None) -> int:
    """Backfill without a limit."""
    work = jobs(pipeline.stack, prefix, missing=missing, after=after)
    return backfill(pipeline.stack, work, per_second=0, published=lambda _: None)


def test_every_master_becomes_a_job(pipeline: Pipeline) -> None:
    """In the order of their keys, more than one batch of them."""
    paths = [f"{number:02}.png" for number in range(23)]
    for path in paths:
        pipeline.upload(path)
    assert run(pipeline) == 23
    assert sorted(pipeline.published()) == [f"master/{path}" for path in paths]


def test_only_what_is_missing_becomes_a_job(pipeline: Pipeline) -> None:
    """Done and rejected masters are left alone, stale ones are not."""
    pipeline.finish("done.png", pipeline.upload("done.png"))
    pipeline.finish("stale.png", pipeline.upload("stale.png"))
    pipeline.upload("stale.png", b"another picture")
    pipeline.upload("missing.png")
    assert run(pipeline, missing=True) == 2
    assert sorted(pipeline.published()) == ["master/missing.png", "master/stale.png"]


def test_a_job_has_no_sequencer(pipeline: Pipeline) -> None:
    """It is no event of S3's: the worker asks whether what it has read is still the newest."""
    etag = pipeline.upload("cat.png")
    assert list(jobs(pipeline.stack, "", missing=False)) == [Job(bucket=BUCKET, key="master/cat.png", etag=etag)]


def test_it_goes_on_after_a_key(pipeline: Pipeline) -> None:
    """What was published before is not published again."""
    for path in ("a.png", "b.png", "c.png"):
        pipeline.upload(path)
    assert run(pipeline, after="master/a.png") == 2


def test_the_rate_is_kept(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each batch it waits as long as that batch may take."""
    for number in range(20):
        pipeline.upload(f"{number}.png")
    clock, waits = iter([0.0, 0.0, 0.5]), list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", waits.append)
    backfill(pipeline.stack, jobs(pipeline.stack, "", missing=False), per_second=10, published=lambda _: None)
    assert waits == [1.0, 1.5]


def test_a_bookmark_is_where_it_was_put(tmp_path: Path) -> None:
    """The last key is kept, for its own bucket, until it is removed."""
    bookmark = Bookmark(tmp_path / "bookmark")
    assert bookmark.read(BUCKET) is None
    bookmark.write(Job(bucket=BUCKET, key="master/b.png"))
    assert bookmark.read(BUCKET) == "master/b.png"
    assert bookmark.read("another") is None
    bookmark.remove()
    assert bookmark.read(BUCKET) is None


def test_the_estimate_counts_requests() -> None:
    """Each branch reads the master; its outputs and the record are written; ten messages are one batch."""
    assert Requests(jobs=1000, sizes=3).counts == {
        "SNS, message published": 1000,
        "SNS, delivery to a queue": 3000,
        "SQS, request": 3600,
        "Lambda, invocation": 300,
        "S3, GET or HEAD": 3250,
        "S3, PUT": 4000,
        "DynamoDB, write unit": 1500,
    }


def test_the_estimate_grows_with_the_jobs() -> None:
    """A million jobs cost a thousand times a thousand's."""
    thousand, million = (Requests(jobs=jobs, sizes=3).dollars for jobs in (1000, 1_000_000))
    assert million == pytest.approx(1000 * thousand)
