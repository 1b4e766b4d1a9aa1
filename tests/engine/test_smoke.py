"""The smoke run's parts, against a stack in memory and a fake Pulumi CLI.

Only the smoke run itself, in an account, shows that AWS archives, encrypts and refuses as expected.
"""

import json

import pytest

from components.branches import BRANCHES
from components.config import StackConfig
from handlers.errors import ImageTooLargeError
from handlers.imaging import Limits, convert
from ops.stack import DeployedStack
from tests.engine import smoke as module
from tests.engine.conftest import FakeCli
from tests.engine.smoke import (
    SmokeError,
    SmokeUpload,
    empty,
    faults,
    inaccessible_key,
    smoke,
    upload,
    upload_until_noticed,
    uploads,
    wait,
)
from tests.ops.conftest import BUCKET, Pipeline, pipeline

__all__ = ["pipeline"]

DEPLOYED = json.dumps({"deployment": {"resources": [{"urn": "a"}]}})
NEW = json.dumps({"deployment": {}})


def finished(pipeline: Pipeline) -> None:
    """Leave the outputs and rejections of the four masters."""
    for master in uploads("key"):
        path = f"smoke/{master.name}"
        etag = pipeline.upload(path)
        if master.outcome == "done":
            pipeline.finish(path, etag)
        else:
            for branch in BRANCHES:
                pipeline.reject(path, etag, branch.name)


def test_masters_are_stored_plain_archived_and_encrypted(pipeline: Pipeline) -> None:
    """One master is archived, one is encrypted with another key, and two have no storage options."""
    with inaccessible_key(pipeline.client("kms")) as key:
        upload(pipeline.stack, uploads(key))
        heads = {
            master.name: pipeline.client("s3").head_object(Bucket=BUCKET, Key=f"master/smoke/{master.name}")
            for master in uploads(key)
        }
        assert heads["archived.jpg"]["StorageClass"] == "GLACIER"
        assert key in heads["encrypted.jpg"]["SSEKMSKeyId"]
        for plain in ("good.jpg", "too-large.png"):
            assert not heads[plain].keys() & {"StorageClass", "SSEKMSKeyId"}


def test_masters_wait_until_s3_sends_events(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new bucket sends its events only after a while, and none for what was uploaded before."""
    probe, *_ = uploads("key")
    tries: list[str] = []

    def noticed_at_the_third(stack: DeployedStack, masters: list[SmokeUpload]) -> None:
        upload(stack, masters)
        tries.extend(master.name for master in masters)
        if len(tries) == 3:
            pipeline.finish("smoke/good.jpg", pipeline.upload("smoke/good.jpg"))

    monkeypatch.setattr(module, "upload", noticed_at_the_third)
    upload_until_noticed(pipeline.stack, probe, poll_s=0)
    assert tries == ["good.jpg"] * 3


def test_a_master_that_is_never_noticed_is_reported(pipeline: Pipeline) -> None:
    """The error says where to look."""
    probe, *_ = uploads("key")
    with pytest.raises(
        SmokeError, match=r"expected a record of good\.jpg within 0 s, got none: see job-publisher's log"
    ):
        upload_until_noticed(pipeline.stack, probe, timeout_s=0, poll_s=0)


def test_the_oversized_master_does_not_fit_the_functions_memory() -> None:
    """The picture has too many pixels for the functions' default memory."""
    (oversized,) = [master.body() for master in uploads("key") if master.name == "too-large.png"]
    config = StackConfig()
    with pytest.raises(ImageTooLargeError):
        convert(oversized, limits=Limits.for_memory(config.format_conversion_memory_mb, max_pixels=config.max_pixels))


def test_the_key_is_deleted_after_an_error(pipeline: Pipeline) -> None:
    """A key that is not deleted costs a dollar a month."""
    kms = pipeline.client("kms")
    with pytest.raises(ZeroDivisionError), inaccessible_key(kms) as key:
        assert 1 / 0
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_wait_accepts_four_masters_with_the_expected_outcome(pipeline: Pipeline) -> None:
    """The good master is done, and the others are rejected with a reason."""
    finished(pipeline)
    wait(pipeline.stack, uploads("key"), timeout_s=0)


def test_an_unexpected_outcome_is_reported(pipeline: Pipeline) -> None:
    """The error gives the master's state in each branch."""
    finished(pipeline)
    etag = pipeline.upload("smoke/too-large.png", b"accepted")
    pipeline.finish("smoke/too-large.png", etag)
    with pytest.raises(
        SmokeError, match=r"^too-large\.png: expected rejected, got format-conversion done, resizing done"
    ):
        wait(pipeline.stack, uploads("key"), timeout_s=0)


def test_a_master_missing_from_the_audit_is_reported() -> None:
    """An audit without masters is not a success."""
    assert [fault.partition(":")[0] for fault in faults(uploads("key"), [])] == [
        master.name for master in uploads("key")
    ]


def test_a_bucket_is_emptied_of_all_its_versions(pipeline: Pipeline) -> None:
    """S3 refuses to delete a bucket with objects or versions in it."""
    s3 = pipeline.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    pipeline.upload("a.jpg", b"one")
    pipeline.upload("a.jpg", b"two")
    s3.delete_object(Bucket=BUCKET, Key="master/a.jpg")
    empty(pipeline.stack)
    assert not s3.list_object_versions(Bucket=BUCKET).keys() & {"Versions", "DeleteMarkers"}


def test_a_stack_with_resources_is_refused(pipeline: Pipeline, cli: FakeCli) -> None:
    """The run ends by destroying the stack, so it must not run on one that is in use."""
    cli.answer({"stack export": (0, DEPLOYED)})
    with pytest.raises(SmokeError, match="expected a stack without resources, got dev with 1"):
        smoke(cli.stack(), lambda: pipeline.stack)
    assert len(cli.calls()) == 1


@pytest.mark.parametrize("error", [None, SmokeError("it was not rejected")])
def test_the_stack_is_destroyed_on_success_and_on_failure(
    pipeline: Pipeline, cli: FakeCli, monkeypatch: pytest.MonkeyPatch, error: SmokeError | None
) -> None:
    """The stack is deployed, emptied and destroyed in this order, and the error is still raised."""
    found: list[str] = []

    def waited(*_: object) -> None:
        if error:
            raise error

    monkeypatch.setattr(module, "upload_until_noticed", lambda *_: None)
    monkeypatch.setattr(module, "wait", waited)
    cli.answer({"stack export": (0, NEW)})
    try:
        smoke(cli.stack(), lambda: pipeline.stack)
    except SmokeError as raised:
        found.append(str(raised))
    assert found == ([str(error)] if error else [])
    assert [call.partition(" --")[0] for call in cli.calls()] == ["stack export", "up", "destroy"]
    assert "Contents" not in pipeline.client("s3").list_objects_v2(Bucket=BUCKET)


def test_the_good_master_is_replaced_by_another(
    pipeline: Pipeline, cli: FakeCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outputs of two states are waited for, because replacing an output takes other requests than writing one."""
    states: list[str] = []

    def waited(stack: DeployedStack, _: list[SmokeUpload]) -> None:
        states.append(stack.client("s3").head_object(Bucket=BUCKET, Key="master/smoke/good.jpg")["ETag"])

    monkeypatch.setattr(module, "upload_until_noticed", lambda *_: None)
    monkeypatch.setattr(module, "wait", waited)
    cli.answer({"stack export": (0, NEW)})
    smoke(cli.stack(), lambda: pipeline.stack)
    assert len(set(states)) == 2


def test_an_unknown_stack_is_reported(
    cli: FakeCli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error includes Pulumi's message."""
    cli.answer({"stack export": (255, "no stack named 'dev' found")})
    monkeypatch.setattr(module, "ROOT", cli.folder)
    assert module.main(["--stack", "dev"]) == 1
    assert "no stack named 'dev' found" in capsys.readouterr().err


def test_a_missing_cli_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints one line and exits 1."""
    monkeypatch.setenv("PATH", "")
    assert module.main(["--stack", "dev"]) == 1
    assert capsys.readouterr().err.startswith("expected the Pulumi CLI on the PATH, got none")
