"""The command line of `python -m ops`."""

import dataclasses
import errno
import json
import os
import socket
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound
from click.testing import CliRunner, Result

from components.branches import BRANCHES as ROWS
from components.errors import NOT_AS_EXPECTED, USAGE
from handlers.reconcile import NAME_TAKEN, PublishError, Reconciler
from handlers.record import Outcome, Record
from ops import __main__ as command
from ops import changing, options, queues
from ops import connect as connecting
from tests.ops.conftest import BRANCHES, BUT_RESIZING, SIZES, Pipeline

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
OUTPUTS = {
    "bucket": "b",
    "table": "t",
    "topic": "arn:aws:sns:eu-central-1:1:x",
    "queues": {},
    "deadLetterQueues": {},
    "layout": {},
    "sizes": [],
}


MASTERS = ["master/a.png", "master/b.png"]


def run(*arguments: str) -> Result:
    """Run `python -m ops` in this process."""
    return CliRunner().invoke(command.main, arguments)


@pytest.fixture
def connected(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Connect the commands to the stack in memory."""
    for module in (options, changing):
        monkeypatch.setattr(module, "connect", lambda _stack, **_: pipeline.stack)
    monkeypatch.setitem(queues.RECEIVE, "WaitTimeSeconds", 0)
    return pipeline


@pytest.mark.parametrize("arguments", [[], ["--local", "--stack", "dev"]])
def test_exactly_one_stack_is_required(arguments: list[str]) -> None:
    """Naming no stack or two is a usage error."""
    result = run("audit", *arguments)
    assert result.exit_code == USAGE
    assert "name one stack" in result.output


def test_a_local_stack_that_is_not_running_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says how to start the local stack."""
    monkeypatch.setattr(connecting, "RUNNING", tmp_path / "nothing")
    result = run("audit", "--local")
    assert result.exit_code == USAGE
    assert "python -m local up" in result.output


@pytest.mark.parametrize("arguments", [("audit", "--local"), ("adopt", "images", "--local")])
def test_a_local_stack_that_was_killed_is_reported(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A killed `up` leaves its file behind, but nothing listens at the address in it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
    client = {"endpoint_url": endpoint, "region_name": "us-east-1", **CREDENTIALS}
    monkeypatch.setattr(connecting, "RUNNING", tmp_path / "local.json")
    connecting.RUNNING.write_text(json.dumps({"client": client, "outputs": OUTPUTS}))
    result = run(*arguments)
    assert result.exit_code == USAGE
    assert f"got none at {endpoint}" in " ".join(result.output.split())


def test_a_missing_pulumi_cli_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command needs the Pulumi CLI to find a stack on AWS."""
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("audit", "--stack", "dev")
    assert result.exit_code == USAGE
    assert "expected the Pulumi CLI" in result.output


def test_a_clean_audit_exits_0(connected: Pipeline) -> None:
    """The command exits 0 if every master is accounted for."""
    connected.finish("cat.png", connected.upload("cat.png"))
    result = run("audit", "--local")
    assert result.exit_code == 0
    assert result.output.startswith("OK: 1 master, all accounted for.")


def test_an_incomplete_audit_lists_what_is_missing(connected: Pipeline) -> None:
    """The master and its branches are listed, and the command exits 1."""
    connected.upload("cat.png")
    result = run("audit", "--local")
    assert result.exit_code == NOT_AS_EXPECTED
    assert "master/cat.png: format-conversion missing, resizing missing, metadata-extraction missing" in result.output


def test_an_audit_can_be_printed_as_json(connected: Pipeline) -> None:
    """With --json each line is an object, and the totals come last."""
    connected.finish("cat.png", connected.upload("cat.png"))
    master, totals = map(json.loads, run("audit", "--local", "--json", "--all").output.splitlines())
    assert master["accounted_for"]
    assert totals["totals"]["masters"] == 1


def test_a_full_disk_is_one_line(connected: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of a large stack are kept in a temporary file."""
    for number in range(50):
        connected.finish(f"{number}.png", connected.upload(f"{number}.png"))
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        database: sqlite3.Connection = connect(*arguments, **options)
        database.execute("PRAGMA max_page_count = 4")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    result = run("audit", "--local")
    assert result.exit_code == 1
    assert result.output.startswith("Error: expected free space for the output and temporary files, got none")


def test_a_dry_run_publishes_nothing(connected: Pipeline) -> None:
    """It prints the number of jobs."""
    connected.upload("cat.png")
    assert "1 master, about" in run("backfill", "--local", "--dry-run").output
    assert connected.published() == []


@pytest.mark.parametrize("other", [("--dry-run",), ("--missing",), ("--branch", "resizing"), ("--rate", "5")], ids=str)
def test_registering_takes_no_option_of_another_backfill(connected: Pipeline, other: tuple[str, ...]) -> None:
    """It would not follow the option: a dry run would record pictures."""
    connected.make_outputs("cat.png", connected.upload("cat.png"))
    result = run("backfill", "--local", "--register", *other)
    assert (result.exit_code, connected.record("cat.png")) == (USAGE, None)
    assert f"{other[0]}: expected it without --register, got both: remove one" in result.output


def test_a_dry_run_counts_each_job_once(connected: Pipeline) -> None:
    """One master is one message and one delivery per branch, however many branches have to run."""
    connected.upload("cat.png")
    lines = run("backfill", "--local", "--dry-run").output.splitlines()
    counts = {cells[1].strip(): cells[2].strip() for line in lines if len(cells := line.split("│")) > 2}
    assert (counts["SNS, message published"], counts["SNS, delivery to a queue"]) == ("1", str(len(BRANCHES)))
    assert counts["DynamoDB, read unit"] == "1"


@pytest.mark.parametrize(("other", "published"), [((), ["master/b.png"]), (("--missing",), MASTERS)], ids=str)
def test_an_interrupted_backfill_continues(
    connected: Pipeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    other: tuple[str, ...],
    published: list[str],
) -> None:
    """It continues after the key in the bookmark, which goes at the end; another selection begins at the start."""
    for key in MASTERS:
        connected.upload(key.removeprefix("master/"))
    command = ("backfill", "--local", "--resume", str(tmp_path / "bookmark"))
    publish = Reconciler.publish

    def fail_at_last(reconciler: Reconciler, record: Record) -> None:
        if record.key == MASTERS[-1]:
            raise PublishError("throttled")
        publish(reconciler, record)

    with monkeypatch.context() as patch:
        patch.setattr(Reconciler, "publish", fail_at_last)
        assert run(*command).exit_code == 1
    assert connected.published() == MASTERS[:-1]
    assert run(*command, *other).exit_code == 0
    assert connected.published() == published
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_queue_is_refused_with_the_known_ones(connected: Pipeline) -> None:
    """The error lists the known queues."""
    result = run("redrive", "--local", "--queue", "nowhere")
    assert result.exit_code == USAGE
    assert "--queue: expected one of format-conversion" in result.output
    assert connected.stack.dead_letter_queues


def test_a_redrive_prints_what_it_moved(connected: Pipeline) -> None:
    """The undelivered message returns to its queue."""
    url = connected.stack.dead_letter_queues["resizing-undelivered"]
    connected.client("sqs").send_message(QueueUrl=url, MessageBody="job")
    assert "resizing-undelivered" in run("redrive", "--local", "--queue", "resizing-undelivered").output
    assert connected.bodies(connected.stack.queues["resizing"]) == ["job"]


def test_rejections_are_listed_and_retried(connected: Pipeline) -> None:
    """The list has each rejection, and each master becomes one job."""
    etag = connected.upload("bad.png")
    connected.finish("bad.png", etag)
    for branch in ("resizing", "format-conversion"):
        connected.reject("bad.png", etag, branch)
    result = run("rejected", "--local", "--retry")
    assert result.output.count("NotAnImageError") == 2
    (job,) = connected.jobs()
    assert (job["key"], job["branches"]) == ("master/bad.png", ["format-conversion", "resizing"])


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (NoCredentialsError(), "Check credentials"),
        (ProfileNotFound(profile="nonsense"), "Check credentials"),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "GetObject"), "`backfill --rate`"),
    ],
)
def test_an_error_of_aws_is_one_line(error: Exception, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is one line without a traceback, with the cause and what to check."""

    def fail(_stack: str | None, **_: object) -> None:
        raise error

    monkeypatch.setattr(options, "connect", fail)
    result = run("audit", "--local")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert advice in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"outputs": {}}', '{"outputs": {}, "client": {}}'])
def test_a_malformed_state_file_is_reported(kept: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names the file to remove."""
    monkeypatch.setattr(connecting, "RUNNING", tmp_path / "local.json")
    connecting.RUNNING.write_text(kept)
    result = run("audit", "--local")
    assert result.exit_code == USAGE
    assert "local.json" in result.output


@pytest.mark.parametrize("outputs", ["{}", "[]", "no JSON", '{"topic": 1}', '{"topic": "x"}'])
def test_a_stack_that_is_not_deployed_is_reported(
    outputs: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pulumi knows the stack, but it has no outputs, or those of another project."""
    _pulumi(outputs, monkeypatch, tmp_path)
    result = run("audit", "--stack", "dev")
    assert result.exit_code == USAGE
    assert "outputs" in result.output or "JSON" in result.output


def test_clients_use_the_stacks_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The stack's region takes precedence over the environment."""
    _pulumi(json.dumps(OUTPUTS), monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert connecting.connect("dev", local=False).client("sns").meta.region_name == "eu-central-1"


def _pulumi(outputs: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Put a fake Pulumi CLI with these outputs on the PATH."""
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{outputs}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize("bookmark", ["nowhere/file", ".", "garbage"])
def test_an_invalid_bookmark_is_refused_before_any_job(bookmark: str, connected: Pipeline, tmp_path: Path) -> None:
    """A missing folder, a folder, and a file with other content are refused."""
    (tmp_path / "garbage").write_text("[]")
    connected.upload("cat.png")
    result = run("backfill", "--local", "--resume", str(tmp_path / bookmark))
    assert result.exit_code == USAGE
    assert "published" not in result.output


def test_a_bookmark_that_cannot_be_written_is_refused_before_any_job(
    connected: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is on a disk that is read-only."""

    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    connected.upload("cat.png")
    result = run("backfill", "--local", "--resume", str(tmp_path / "bookmark"))
    assert result.exit_code == USAGE
    assert "(Read-only file system): change the folder or its mode" in result.output


@pytest.mark.usefixtures("connected")
def test_a_rate_must_be_a_number() -> None:
    """NaN is refused."""
    assert run("backfill", "--local", "--rate", "nan").exit_code == USAGE


def test_a_name_too_long_for_one_branch_affects_only_that_branch(connected: Pipeline) -> None:
    """The outputs of the other branches are still found."""
    path = f"{'x' * 1000}.png"
    etag = connected.upload(path)
    connected.finish(path, etag, BUT_RESIZING)
    connected.reject(path, etag, "resizing", "NameTooLongError")
    assert run("audit", "--local").exit_code == 0


def test_the_local_stack_needs_no_profile_and_no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Clients use the local stack's own credentials and no proxy, and the environment is unchanged."""
    monkeypatch.setenv("AWS_PROFILE", "nonsense")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(connecting, "RUNNING", tmp_path / "local.json")
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        client = {"endpoint_url": endpoint, "region_name": "us-east-1", **CREDENTIALS}
        connecting.RUNNING.write_text(json.dumps({"client": client, "outputs": OUTPUTS}))
        config = connecting.connect(None, local=True).client("sns").meta.config
    assert config.proxies == {}
    assert os.environ["AWS_PROFILE"] == "nonsense"


def test_the_status_of_a_picture_is_its_record(connected: Pipeline) -> None:
    """The picture may be given by key, path or name; the command exits 0 if the picture is settled."""
    etag = connected.upload("2024/cat.png")
    connected.finish("2024/cat.png", etag, BUT_RESIZING)
    unsettled = run("status", "2024/cat", "--local", "--json")
    assert (unsettled.exit_code, json.loads(unsettled.stdout)["state"]) == (1, "received")
    assert (
        unsettled.stderr
        == "master/2024/cat.png is not settled; if it failed, `python -m ops letters --local` lists it.\n"
    )
    connected.reject("2024/cat.png", etag, "resizing")
    for picture in ("master/2024/cat.png", "2024/cat.png", "2024/cat"):
        result = run("status", picture, "--local")
        assert result.exit_code == 0
        assert "master/2024/cat.png: rejected" in result.output
        assert "resizing: rejected no picture" in result.output
    found = json.loads(run("status", "2024/cat", "--local", "--json").output)
    assert found["branches"]["format-conversion"] == {"state": "written", "recipe": "now"}


def test_a_master_whose_name_is_taken_has_its_own_status(connected: Pipeline) -> None:
    """Its key shows a rejection that names the owner; the name shows the owner's record."""
    connected.finish("cat.png", connected.upload("cat.png"))
    connected.write_reason("cat.jpg", connected.upload("cat.jpg", b"another"), NAME_TAKEN, "NameTakenError")
    found = json.loads(run("status", "master/cat.jpg", "--local", "--json").output)
    assert (found["key"], found["state"]) == ("master/cat.jpg", "rejected")
    assert found["branches"][NAME_TAKEN]["error"] == "NameTakenError"
    assert json.loads(run("status", "cat", "--local", "--json").output)["key"] == "master/cat.png"


def test_a_picture_without_a_record_is_reported(connected: Pipeline) -> None:
    """The command exits 1 and says that there is no record."""
    result = run("status", "master/nothing.png", "--local")
    assert (result.exit_code, "which is not there: check the key" in result.output) == (1, True)
    assert connected.published() == []


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("master/" + "a" * 3000, "expected a key of 1 to 1,024 bytes, got 3,007: check the key"),
        ("ä" * 513, "expected a key of 1 to 1,024 bytes, got 1,026: check the key"),
        ("", "expected a key of 1 to 1,024 bytes, got 0: check the key"),
        ("s3://images/master/cat.png", "expected a key such as master/cat.png, got 's3://images/master/cat.png'"),
    ],
    ids=["long", "long in UTF-8", "empty", "address"],
)
@pytest.mark.parametrize("command", [["status"], ["erase", "--yes"], ["presign"], ["events", "--replay"]], ids=" ".join)
@pytest.mark.usefixtures("connected")
def test_what_cannot_be_a_key_is_refused(command: list[str], key: str, message: str) -> None:
    """Every command that takes a key refuses it before AWS does."""
    result = run(*command, key, "--local")
    assert result.exit_code == USAGE
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("key", "advice"), [("cat.png", "write master/cat.png"), ("/a", "write master/a"), ("master/", "name a picture")]
)
@pytest.mark.parametrize("command", ["erase", "presign"])
@pytest.mark.usefixtures("connected")
def test_a_key_outside_the_master_prefix_is_refused(command: str, key: str, advice: str) -> None:
    """`erase` refuses it before it asks for confirmation."""
    result = run(command, key, "--local")
    assert result.exit_code == USAGE
    assert f"Error: expected a key below master/, got {key!r}: {advice}\n" in result.output
    assert "[y/N]" not in result.output


@pytest.mark.usefixtures("connected")
def test_a_key_that_s3_would_change_gets_no_form() -> None:
    """S3 puts the file's name into the form's key, and then refuses the upload."""
    result = run("presign", "master/${filename}.png", "--local")
    assert result.exit_code == USAGE
    assert "expected a key without ${filename}" in result.output
    assert "got 'master/${filename}.png': choose another key" in result.output


@pytest.mark.parametrize("bucket", ["nope", "no pe"])
@pytest.mark.usefixtures("connected")
def test_a_bucket_that_does_not_exist_is_named_as_the_cause(bucket: str) -> None:
    """The advice is about the bucket, because the credentials work, or were not used yet."""
    result = run("adopt", bucket, "--local", "--yes")
    assert (result.exit_code, "Check the bucket's name" in result.output) == (1, True)
    assert "credentials, profile, region" not in result.output


@pytest.mark.usefixtures("connected")
def test_a_prefix_longer_than_a_key_is_refused() -> None:
    """No key begins with it."""
    result = run("audit", "--local", "--prefix", "a" * 1025)
    assert (result.exit_code, "expected a key of 0 to 1,024 bytes, got 1,025" in result.output) == (USAGE, True)


def test_a_suggestion_has_no_control_characters(connected: Pipeline) -> None:
    """A key may contain any, so they are escaped in suggestions, too."""
    connected.upload("esc\x1b[31mred.jpg")
    result = run("status", "--local", "master/esc[31mred.png")
    assert r"did you mean master/esc\x1b[31mred.jpg?" in result.output


@pytest.mark.parametrize(
    "arguments", [("status", "\udcff"), ("audit", "--prefix", "\udcff"), ("presign", "master/\udcff")]
)
def test_a_text_that_is_not_utf_8_is_refused(connected: Pipeline, arguments: tuple[str, ...]) -> None:
    """A terminal can pass any bytes, but S3's keys are UTF-8."""
    connected.upload("cat.png")
    result = run(*arguments, "--local")
    assert (result.exit_code, "expected text in UTF-8, got " in result.output) == (USAGE, True)


def test_orphans_are_swept(connected: Pipeline) -> None:
    """Outputs of a deleted master are removed, other outputs stay; a dry run removes nothing."""
    connected.finish("cat.png", connected.upload("cat.png"))
    connected.make_outputs("gone.png", "e")
    for arguments, left in ((("--dry-run",), True), ((), False)):
        result = run("sweep", "--local", *arguments)
        assert "converted/gone.jpg" in result.output
        keys = [entry["Key"] for entry in connected.client("s3").list_objects_v2(Bucket="images")["Contents"]]
        assert ("converted/gone.jpg" in keys, "converted/cat.jpg" in keys) == (left, True)


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_objects_of_others_are_not_swept(connected: Pipeline, arguments: tuple[str, ...]) -> None:
    """Objects without the pipeline's metadata are not swept, even under its prefixes."""
    connected.client("s3").put_object(Bucket="images", Key="converted/theirs.jpg", Body=b"not ours")
    result = run("sweep", "--local", *arguments)
    assert "theirs" not in result.output
    assert "; 1 object of others left alone." in result.output
    assert connected.client("s3").get_object(Bucket="images", Key="converted/theirs.jpg")["Body"].read() == b"not ours"


@pytest.mark.parametrize("versioning", [(), ("Enabled",), (None, "Enabled"), ("Enabled", "Suspended")], ids=str)
def test_a_picture_is_erased_with_all_its_versions(connected: Pipeline, versioning: tuple[str | None, ...]) -> None:
    """Master, outputs, rejections, item and record go in all versions, also from before versioning; others stay."""
    s3 = connected.client("s3")
    for status in versioning:
        if status:
            s3.put_bucket_versioning(Bucket="images", VersioningConfiguration={"Status": status})
        connected.finish("cat.png", connected.upload("cat.png", b"an older state"))
    connected.finish("cat.png", connected.upload("cat.png"))
    connected.write_reason("cat.png", "e", "resizing")
    connected.finish("catalogue.png", connected.upload("catalogue.png"))
    result = run("erase", "master/cat.png", "--local", "--yes")
    assert result.exit_code == 0, result.output
    versions = s3.list_object_versions(Bucket="images")
    left = {entry["Key"] for entry in (*versions.get("Versions", ()), *versions.get("DeleteMarkers", ()))}
    assert {key for key in left if "catalogue" not in key} == set()
    assert (connected.record("cat.png"), connected.record("catalogue.png") is not None) == (None, True)
    assert "remains in the functions' logs" in " ".join(result.output.split())


@pytest.mark.parametrize("versioning", [False, True])
@pytest.mark.parametrize("owner", ["cat.png", "cat.jpg"])
def test_nothing_of_a_picture_is_left_for_the_next_owner_of_its_name(
    connected: Pipeline, owner: str, *, versioning: bool
) -> None:
    """Whether the other master has the name already or gets it now, what was made from the erased one goes."""
    s3 = connected.client("s3")
    if versioning:
        s3.put_bucket_versioning(Bucket="images", VersioningConfiguration={"Status": "Enabled"})
    connected.finish("cat.png", connected.upload("cat.png", b"erased"))
    other = connected.upload("cat.jpg", b"kept")
    if owner == "cat.jpg":
        connected.finish("cat.jpg", other, ("format-conversion",))
        others = [branch for branch in BRANCHES if branch != "format-conversion"]
        connected.settle("cat.jpg", other, dict.fromkeys(others, Outcome(state="rejected")))
    assert run("erase", "master/cat.png", "--local", "--yes").exit_code == 0
    left = [
        s3.head_object(Bucket="images", Key=entry["Key"], **({"VersionId": entry["VersionId"]} if versioning else {}))[
            "Metadata"
        ].get("key")
        for entry in s3.list_object_versions(Bucket="images")["Versions"]
    ]
    assert left == (["master/cat.jpg", None] if owner == "cat.jpg" else [None])
    assert connected.client("dynamodb").scan(TableName=connected.stack.table)["Items"] == []
    record = connected.record("cat.jpg")
    assert record is not None
    assert record.key == "master/cat.jpg"


def test_an_older_version_is_not_processed_while_a_picture_is_erased(
    connected: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each removal of a version is an event of S3: job-publisher then looks at what is current."""
    s3 = connected.client("s3")
    s3.put_bucket_versioning(Bucket="images", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second", b"third"):
        etag = connected.upload("cat.png", body)
    connected.finish("cat.png", etag)
    remove = s3.delete_object

    def removed(**options: Any) -> None:
        remove(**options)
        connected.stack.reconciler.reconcile("master/cat.png")

    monkeypatch.setattr(s3, "delete_object", removed)
    assert run("erase", "master/cat.png", "--local", "--yes").exit_code == 0
    assert connected.jobs() == []


def test_what_was_made_under_another_naming_is_erased(connected: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outputs of a master keep their names if the stack's `naming` is changed; those of other masters stay."""
    connected.finish("cat.png", connected.upload("cat.png"))
    connected.finish("dog.png", connected.upload("dog.png"))
    layout = dataclasses.replace(connected.stack.layout, full_names=True)
    stack = dataclasses.replace(connected.stack, layout=layout)
    monkeypatch.setattr(options, "connect", lambda _stack, **_: stack)
    for path in ("cat.png", "dog.gif"):
        assert run("erase", f"master/{path}", "--local", "--yes").exit_code == 0
    left = [entry["Key"] for entry in connected.client("s3").list_objects_v2(Bucket="images")["Contents"]]
    made = [key for row in ROWS for key in row.keys(connected.stack.layout, "master/dog.png", SIZES)]
    assert sorted(left) == sorted(["master/dog.png", *made])
    assert (connected.record("cat.png"), connected.record("dog.png") is not None) == (None, True)


def test_reasons_of_a_path_that_was_cut_are_erased(connected: Pipeline) -> None:
    """A reason's key is longer than its master's, so the longest paths are cut, and end in a hash."""
    name = "a" * 1010 + ".png"
    connected.write_reason(name, connected.upload(name), "resizing")
    assert run("erase", f"master/{name}", "--local", "--yes").exit_code == 0
    assert "Contents" not in connected.client("s3").list_objects_v2(Bucket="images")


def test_a_misspelt_key_erases_nothing(connected: Pipeline) -> None:
    """The output says that nothing was removed, and suggests a key."""
    connected.finish("cat.png", connected.upload("cat.png"))
    result = run("erase", "master/cta.png", "--local", "--yes")
    assert (
        result.output
        == "Nothing was removed: the stack has nothing for master/cta.png (did you mean master/cat.png?).\n"
    )


def test_a_picture_in_progress_is_not_erased(connected: Pipeline) -> None:
    """A worker could write the outputs again after the removal."""
    connected.finish("cat.png", connected.upload("cat.png"), ("resizing",))
    result = run("erase", "master/cat.png", "--local", "--yes")
    assert (result.exit_code, "--watch" in result.output) == (1, True)


def test_a_command_for_a_key_with_shell_characters_can_be_pasted(connected: Pipeline) -> None:
    """A key may contain any."""
    connected.finish("$(id) \x1b.png", connected.upload("$(id) \x1b.png"), ("resizing",))
    result = run("erase", "master/$(id) \x1b.png", "--local", "--yes")
    assert r"`python -m ops status 'master/$(id) \x1b.png' --watch --local`" in result.output


def test_an_error_has_no_control_characters(connected: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that goes over all masters may fail at a key that contains some."""
    connected.upload("esc\x1b[31mred.png")
    monkeypatch.setattr(Reconciler, "publish", _refused)
    result = run("backfill", "--local")
    assert (result.exit_code, r"esc\x1b[31mred.png" in result.output) == (1, True)


def _refused(_reconciler: Reconciler, record: Record) -> None:
    raise PublishError(f"SNS refused the job of {record.key}: InternalError")


def test_events_can_be_sent_again(connected: Pipeline) -> None:
    """Events of named pictures, or of all that settled since a time, are sent again with the same ids."""
    connected.finish("cat.png", connected.upload("cat.png"))
    connected.finish("dog.png", connected.upload("dog.png"))
    named, _ = run("events", "--local", "--json", "--replay", "master/cat.png").stdout.splitlines()
    *since, totals = run("events", "--local", "--json", "--since", "2020-01-01T00:00:00Z").stdout.splitlines()
    assert json.loads(named)["id"] == "images/master/cat.png/1/complete"
    assert json.loads(named)["id"] in {json.loads(line)["id"] for line in since}
    assert (
        json.loads(totals)
        == {"totals": {"sent": len(since), "not_settled": 0}}
        == {"totals": {"sent": 2, "not_settled": 0}}
    )
    said = run("events", "--local", "--replay", "cat")
    assert said.stdout == "images/master/cat.png/1/complete\n1 event sent, 0 pictures not settled.\n"
    assert said.stderr == ""
    nothing = run("events", "--local", "--since", "2999-01-01T00:00:00Z").stdout
    assert nothing == "0 events sent, 0 pictures not settled.\n"


def test_the_event_of_a_master_whose_name_is_taken_is_sent_again(connected: Pipeline) -> None:
    """Its own event, not that of the name's owner."""
    connected.finish("cat.png", connected.upload("cat.png"))
    connected.upload("cat.gif")
    connected.stack.reconciler.reconcile("master/cat.gif")
    sent, _ = map(json.loads, run("events", "--local", "--json", "--replay", "cat.gif").stdout.splitlines())
    assert (sent["id"], sent["error"]) == ("images/master/cat.gif/1/rejected", "NameTakenError")
    assert sent["message"].startswith("expected one master per name, got master/cat.gif")


def test_a_time_may_lack_fractions_and_zone(connected: Pipeline) -> None:
    """Pictures settled within that second are included, and a time without an offset is UTC."""
    connected.finish("cat.png", connected.upload("cat.png"))
    record = connected.record("cat.png")
    second = record.settled_at.partition(".")[0] if record else ""
    for zone in ("", "Z"):
        assert "1 event sent" in run("events", "--local", "--since", second + zone).stdout


@pytest.mark.usefixtures("connected")
def test_events_need_a_picture_or_a_time() -> None:
    """Giving neither is a usage error, and so is an invalid time."""
    assert run("events", "--local").exit_code == USAGE
    result = run("events", "--local", "--since", "yesterday")
    assert (result.exit_code, "got 'yesterday'" in result.output) == (USAGE, True)


class FakeNotifications:
    """A fake notification configuration; moto does not keep the EventBridge part."""

    def __init__(self, **configuration: Any) -> None:
        self.configuration: dict[str, Any] = configuration

    def get_bucket_notification_configuration(self, **_: str) -> dict[str, Any]:
        """Return the configuration with response metadata."""
        return {**self.configuration, "ResponseMetadata": {"HTTPStatusCode": 200}}

    def put_bucket_notification_configuration(self, **request: Any) -> None:
        """Replace the whole configuration; refuse one with destinations that S3 checks, as one of them is gone."""
        assert request.get("SkipDestinationValidation"), "Unable to validate the following destination configurations"
        self.configuration = request["NotificationConfiguration"]


def test_an_adopted_bucket_keeps_its_notifications(connected: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """EventBridge is added next to the existing destination; a second run changes nothing."""
    theirs = [{"Id": "theirs", "QueueArn": "arn:aws:sqs:::theirs", "Events": ["s3:ObjectCreated:*"]}]
    s3 = FakeNotifications(QueueConfigurations=theirs)
    stack = dataclasses.replace(connected.stack, client=lambda _: s3)
    monkeypatch.setattr(changing, "connect", lambda *_, **__: stack)
    assert "EventBridge was added" in run("adopt", "images", "--local", "--yes").output
    assert s3.configuration == {"QueueConfigurations": theirs, "EventBridgeConfiguration": {}}
    assert "nothing was changed" in run("adopt", "images", "--local", "--yes").output


def test_a_bucket_is_adopted_only_after_a_yes(connected: Pipeline) -> None:
    """The command shows the configuration and asks; a no changes nothing."""
    result = CliRunner().invoke(command.main, ["adopt", "images", "--local"], input="n\n")
    assert result.exit_code == 1
    assert "EventBridgeConfiguration" not in connected.client("s3").get_bucket_notification_configuration(
        Bucket="images"
    )


@pytest.mark.parametrize("arguments", [("audit",), ("backfill", "--dry-run"), ("rejected",)], ids=" ".join)
def test_a_prefix_without_masters_is_an_error(connected: Pipeline, arguments: tuple[str, ...]) -> None:
    """The prefix is probably misspelt, and an empty result would look like success."""
    connected.upload("summer/cat.png")
    for prefix, hint in (
        ("sumer", "did you mean summer/?): check it"),
        ("master/summer", "leave out master/"),
        ("zzz", "got 'zzz': check it"),
    ):
        result = run(*arguments, "--local", "--prefix", prefix)
        assert result.exit_code == USAGE
        assert hint in result.output
    assert run(*arguments, "--local", "--prefix", "summer/c").exit_code in {0, NOT_AS_EXPECTED}


def test_an_empty_bucket_is_not_an_error(connected: Pipeline) -> None:
    """Without a prefix, an empty bucket is a valid result."""
    assert connected.published() == []
    assert run("audit", "--local").output.startswith("OK: 0 masters")


def test_a_misspelt_word_gets_the_nearest_suggestion(connected: Pipeline) -> None:
    """The error suggests the nearest match."""
    connected.finish("2024/holiday.png", connected.upload("2024/holiday.png"))
    assert "did you mean master/2024/holiday.png?" in run("status", "master/2024/holliday.png", "--local").output
    assert "did you mean resizing" in run("redrive", "--local", "--queue", "resising").output
    assert "'audti' (did you mean audit" in run("audti").output


def test_every_summary_fits_into_the_list_of_commands() -> None:
    """Each command's summary fits on one line."""
    assert "..." not in run("--help").output.partition("Commands:")[2]


def test_the_verdict_comes_first(connected: Pipeline) -> None:
    """The first line is the verdict, and the details follow."""
    connected.finish("a.png", connected.upload("a.png"))
    connected.upload("b.png")
    first, second, *_ = run("audit", "--local", "--all").output.splitlines()
    assert first.startswith("NOT OK: 1 of 2 masters unaccounted for")
    assert second.startswith("master/a.png: format-conversion done")
    assert run("letters", "--local").output == "OK: the failure queues are empty.\n"


def test_messages_in_the_queues_are_part_of_the_verdict(connected: Pipeline) -> None:
    """A master that is being processed is not a fault, so the advice is to wait first."""
    connected.upload("b.png")
    connected.client("sqs").send_message(QueueUrl=connected.stack.queues["resizing"], MessageBody="{}")
    verdict = run("audit", "--local").output.splitlines()[0]
    assert "1 of 1 master unaccounted for: wait for the 1 message in the queues and audit again, then see" in verdict
    assert json.loads(run("audit", "--local", "--json").output.splitlines()[-1])["totals"]["in_queues"] == 1


def test_watching_begins_before_the_record(connected: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload's event may take seconds, in a new bucket minutes; a picture that nobody uploaded is an error."""
    etag = connected.upload("a.png")
    monkeypatch.setattr(time, "sleep", lambda _seconds: connected.finish("a.png", etag))
    result = run("status", "a.png", "--local", "--watch", "--json")
    assert (result.exit_code, json.loads(result.stdout)["state"]) == (0, "complete")
    assert result.stderr.startswith("a.png was uploaded and has no record yet")
    assert run("status", "b.png", "--local", "--watch").exit_code == NOT_AS_EXPECTED


def test_an_uploaded_picture_without_a_record_is_not_called_misspelt(connected: Pipeline) -> None:
    """The publisher failed on it, so the error says where that is explained."""
    connected.upload("a.png")
    output = run("status", "master/a.png", "--local").output
    assert "which was uploaded but has none: see `python -m ops letters --local`" in output


@pytest.mark.parametrize("key", ["/master/a.png", "master/A.png"])
def test_a_key_is_never_suggested_to_itself(connected: Pipeline, key: str) -> None:
    """A leading slash is not part of a key."""
    connected.upload("a.png")
    expected = f"got '{key}', which is not there (did you mean master/a.png?): check the key"
    assert expected in run("status", key, "--local").output


@pytest.mark.parametrize("stack", [("--local",), ("--stack", "dev")], ids=" ".join)
def test_the_next_command_names_the_stack(connected: Pipeline, stack: tuple[str, ...]) -> None:
    """Without it, a command that is pasted would be refused."""
    connected.upload("a.png")
    verdict = run("audit", *stack).output.splitlines()[0]
    assert verdict.endswith(f"`python -m ops backfill --missing {' '.join(stack)}`.")


def test_what_a_deep_audit_finds_can_be_repaired(connected: Pipeline) -> None:
    """The records say that everything is there, so the command that the verdict names must look as deeply."""
    connected.finish("a.png", connected.upload("a.png"))
    connected.client("dynamodb").delete_item(TableName="records", Key={"name": {"S": "a"}})
    assert run("audit", "--local").output.startswith("OK")
    verdict = run("audit", "--local", "--deep").output.splitlines()[0]
    assert verdict.endswith("`python -m ops backfill --missing --deep --local`.")
    assert run("backfill", "--missing", "--local").output == "0 jobs published.\n"
    assert run("backfill", "--missing", "--deep", "--local").output == "1 job published.\n"


@pytest.mark.parametrize("option", ["--deep", "--branch=resizing"])
@pytest.mark.usefixtures("connected")
def test_an_option_of_a_selection_needs_one(option: str) -> None:
    """Without --missing or --outdated it would be ignored."""
    result = run("backfill", option, "--local")
    assert (result.exit_code, "expected --missing or --outdated with it" in result.output) == (USAGE, True)


def test_messages_that_are_not_shown_are_counted(connected: Pipeline) -> None:
    """Ten are shown; a message that another reader has received cannot be."""
    url = connected.stack.dead_letter_queues["resizing"]
    for _ in range(2):
        connected.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"key": "master/a.png"}))
    connected.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=60)
    assert run("letters", "--local").output.splitlines()[-1] == "        1 not shown"


def test_a_rejected_master_has_one_line_per_reason(connected: Pipeline) -> None:
    """Branches with the same reason share a line with the full key; errors are counted."""
    path = "a/very/long/folder/" * 10 + "bad\n.png"
    etag = connected.upload(path)
    for branch in BRANCHES:
        connected.reject(path, etag, branch)
    verdict, count, line = run("rejected", "--local").output.splitlines()
    assert verdict == "1 master rejected."
    assert count.split() == ["1", "NotAnImageError"]
    key = f"master/{path}".replace("\n", "\\n")
    assert line == f"{key}: NotAnImageError in {', '.join(sorted(BRANCHES))}: no picture"


def test_failed_messages_are_shown_with_their_pictures(connected: Pipeline) -> None:
    """Messages are listed by queue with the total, or as JSON."""
    url = connected.stack.dead_letter_queues["resizing"]
    connected.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"bucket": "b", "key": "master/a.png"}))
    result = run("letters", "--local")
    assert result.exit_code == NOT_AS_EXPECTED
    assert result.output.startswith("NOT OK: 1 message failed")
    assert "master/a.png: the function logged no error" in result.output
    found = json.loads(run("letters", "--local", "--json", "--queue", "resizing").output)
    assert (found["queue"], found["count"], found["letters"][0]["what"]) == ("resizing", 1, "master/a.png")


PRINTING_JSON = [
    ("backfill", "--dry-run"),
    ("backfill",),
    ("sweep",),
    ("redrive", "--dry-run"),
    ("redrive",),
    ("rejected",),
    ("erase", "master/a.png", "--yes"),
]


@pytest.mark.parametrize("arguments", PRINTING_JSON, ids=" ".join)
def test_every_command_prints_json(connected: Pipeline, arguments: tuple[str, ...]) -> None:
    """With --json standard output has one JSON object per line."""
    connected.finish("a.png", connected.upload("a.png"))
    result = run(*arguments, "--local", "--json")
    assert result.exit_code == 0, result.output
    assert all(isinstance(json.loads(line), dict) for line in result.stdout.splitlines())
