"""The times of outputs and the workers' warnings, read from a run's files."""

import json
from datetime import datetime
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from handlers.layout import Layout
from local.timeline import Timeline, write_times
from ops.stack import DeployedStack

KEY = "master/a.jpg"


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    """Return the timeline of a run with one picture."""
    times = {KEY: "2026-01-02T03:04:05.000+00:00", "converted/a.jpg": "2026-01-02T03:04:06.500+00:00"}
    (tmp_path / "times.json").write_text(json.dumps(times))
    warning = ["the ICC profile was ignored"]
    log(tmp_path, "format-converter", message="written", warnings=[*warning, "it never ends"])
    log(tmp_path, "pixel-resizer", message="written", warnings=warning)
    log(tmp_path, "metadata-extractor", message="written")
    return Timeline.read(tmp_path / "times.json", tmp_path)


def log(folder: Path, function: str, **fields: object) -> None:
    line = json.dumps({"timestamp": "2026-01-02 03:04:05,250+0000", "key": KEY, **fields})
    (folder / f"{function}.log").write_text(f'START RequestId\n{line}\n{{"message": "written" cut off')


def test_outputs_and_record_have_their_time_since_the_upload(timeline: Timeline) -> None:
    """Objects have S3's times, and the record has that of its worker's log; missing outputs have none."""
    keys = {"converted": "converted/a.jpg", "large": "resized/a/large.jpg"}
    assert timeline.seconds(KEY, keys) == {"converted": 1.5, "record": 0.25}


def test_an_unknown_master_has_no_times(timeline: Timeline) -> None:
    """Without the upload's time there is nothing to measure from."""
    assert timeline.seconds("master/other.jpg", {"converted": "converted/a.jpg"}) == {}


def test_a_warning_of_several_workers_is_listed_once(timeline: Timeline) -> None:
    """A warning is listed once per picture, in order."""
    assert timeline.warnings == {KEY: ["the ICC profile was ignored", "it never ends"]}


@mock_aws
def test_the_times_of_all_objects_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are stored by key, with a time zone."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    s3 = boto3.client("s3", region_name="us-east-1")
    nowhere: dict[str, str] = {}
    stack = DeployedStack(
        client=lambda _: s3,
        bucket="images",
        table="records",
        topic="topic",
        queues=nowhere,
        dead_letter_queues=nowhere,
        layout=Layout(),
        sizes=(),
    )
    s3.create_bucket(Bucket=stack.bucket)
    s3.put_object(Bucket=stack.bucket, Key=KEY, Body=b"x")
    write_times(stack, tmp_path / "times.json")
    assert datetime.fromisoformat(json.loads((tmp_path / "times.json").read_text())[KEY]).tzinfo
