"""The program with Pulumi's own engine and provider, against an emulator; `make test-engine` runs it."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.stack_file import ROOT
from local.emulator import Emulator
from local.samples import write_samples
from tests.e2e.conftest import until
from tests.engine.cli import PulumiFailedError, PulumiStack, missing
from tests.engine.project import link_project, stack_like

pytestmark = [pytest.mark.engine, pytest.mark.skipif(bool(missing()), reason=missing())]

SAMPLES = ("animated.gif", "chart.png", "landscape.jpg", "no-picture.jpg", "rotated.jpg")
CHANGED = {
    "jpegQuality": "90",
    "gps": "true",
    "maxPixels": "20000000",
    "resizingMemoryMb": "1024",
    "batchSize": "5",
    "maxConcurrency": "3",
    "logRetentionDays": "30",
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Start an emulator for all tests of this module."""
    with Emulator("us-east-1") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def stack(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> PulumiStack:
    """Deploy the local stack."""
    folder = tmp_path_factory.mktemp("project")
    link_project(folder)
    stack = stack_like("local", folder, emulator)
    created = stack.up()["created"]
    # The summary does not count the default provider.
    assert created == len([urn for urn in stack.resources() if "::pulumi:providers:" not in urn])
    return stack


def audit(stack: PulumiStack) -> dict[str, Any] | None:
    """Return the audit's totals if it accounts for every master, else None."""
    command = [sys.executable, "-m", "ops", "audit", "--stack", stack.name, "--json"]
    done = subprocess.run(
        command, cwd=stack.folder, env=dict(stack.environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    totals: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["totals"]
    return totals


def account_resources(emulator: Emulator) -> list[str]:
    """Return the buckets, tables, topics, queues and functions that an account holds."""
    buckets = [bucket["Name"] for bucket in emulator.client("s3").list_buckets()["Buckets"]]
    topics = [topic["TopicArn"] for topic in emulator.client("sns").list_topics()["Topics"]]
    functions = [found["FunctionName"] for found in emulator.client("lambda").list_functions()["Functions"]]
    tables: list[str] = emulator.client("dynamodb").list_tables()["TableNames"]
    queues: list[str] = emulator.client("sqs").list_queues().get("QueueUrls", [])
    return [*buckets, *tables, *topics, *queues, *functions]


def test_a_preview_after_a_deployment_shows_no_changes(stack: PulumiStack) -> None:
    """The state that the provider reads back matches the program."""
    stack.expect_no_changes()


def test_the_policy_pack_refuses_only_plain_http(stack: PulumiStack, tmp_path: Path) -> None:
    """The CLI installs and runs the pack, and the stack keeps each rule but one, because the emulator has no TLS."""
    pack = shutil.copytree(ROOT / "policy", tmp_path / "policy", ignore=shutil.ignore_patterns("venv"))
    with pytest.raises(PulumiFailedError) as failure:
        stack.check(pack)
    assert set(re.findall(r"\[mandatory\] +([\w-]+)", str(failure.value))) == {"plain-http-is-denied"}


def test_five_samples_are_accounted_for(stack: PulumiStack, emulator: Emulator, tmp_path: Path) -> None:
    """Pictures pass through the policies, subscriptions and mappings that the engine created."""
    write_samples(tmp_path)
    for name in SAMPLES:
        body = (tmp_path / name).read_bytes()
        emulator.client("s3").put_object(Bucket=stack.outputs()["bucket"], Key=f"master/{name}", Body=body)
    totals = until("five masters are accounted for", audit, stack)
    assert totals["masters"] == len(SAMPLES)


def test_a_refresh_restores_a_policy_that_was_changed_outside_of_pulumi(stack: PulumiStack, emulator: Emulator) -> None:
    """An update alone does not see the change, as docs/operations.md says."""
    sqs, queue = emulator.client("sqs"), stack.outputs()["queues"]["resizing"]

    def policy() -> Any:
        return json.loads(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"])

    before, changed = policy(), {"Version": "2012-10-17", "Statement": []}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(changed)})
    stack.up()
    assert policy() == changed
    stack.up(refresh=True)
    assert policy() == before


def test_seven_settings_change_without_a_replacement(stack: PulumiStack) -> None:
    """The update keeps every queue, bucket and function."""
    before = stack.resources()
    stack.set(CHANGED)
    found = stack.up()
    assert found["updated"] > 0
    assert found["created"] == found["deleted"] == found["replaced"] == 0
    assert stack.resources() == before


def test_destroying_leaves_no_resources(emulator: Emulator, tmp_path: Path) -> None:
    """No resource is left in the state or in the account."""
    before = account_resources(emulator)
    link_project(tmp_path)
    stack = stack_like("dev", tmp_path, emulator)
    stack.up()
    assert len(account_resources(emulator)) > len(before)
    stack.destroy()
    assert stack.resources() == []
    assert sorted(account_resources(emulator)) == sorted(before)


def test_destroying_prod_is_refused_and_deletes_nothing(emulator: Emulator, tmp_path: Path) -> None:
    """Protected resources stop the deletion before it begins."""
    link_project(tmp_path)
    stack = stack_like("prod", tmp_path, emulator)
    stack.up()
    before, in_account = stack.resources(), sorted(account_resources(emulator))
    with pytest.raises(PulumiFailedError, match="protected"):
        stack.destroy()
    assert stack.resources() == before
    assert sorted(account_resources(emulator)) == in_account
