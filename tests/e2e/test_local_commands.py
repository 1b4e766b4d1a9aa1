"""The output of `python -m local env`, `outputs`, `logs` and `status` for a running stack."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from local import announcement
from local.__main__ import main
from local.announcement import announced
from ops import connect
from tests.e2e.conftest import Live, picture, until

USAGE = 2


@pytest.fixture(autouse=True)
def announced_stack(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Announce the stack as `python -m local up` does, but in another file."""
    for module in (announcement, connect):
        monkeypatch.setattr(module, "RUNNING", tmp_path / "local.json")
    with announced(live.deployment.emulator, live.deployment.outputs, live.deployment.log_groups()):
        yield


def printed(*arguments: str, exit_code: int = 0) -> str:
    """Return what a command prints."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == exit_code, result.output
    return result.output


def test_a_shell_can_evaluate_the_output_of_env(live: Live) -> None:
    """A shell gets the emulator's address, the region and credentials."""
    shell = ["sh", "-c", f"{printed('env')}\nenv"]
    lines = subprocess.run(shell, env={"PATH": os.environ["PATH"]}, check=True, capture_output=True, text=True).stdout
    found = dict(line.partition("=")[::2] for line in lines.splitlines())
    assert found["AWS_ENDPOINT_URL"] == live.deployment.emulator.endpoint
    assert found["AWS_DEFAULT_REGION"] == "us-east-1"
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("test", "test")


def test_a_terminal_that_is_set_up_for_aws_uses_the_local_stack(live: Live) -> None:
    """A profile, a session, another region and a proxy would each lead away from it."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_PROFILE": "nonsense",
        "AWS_SESSION_TOKEN": "expired",
        "AWS_REGION": "eu-central-1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "no_proxy": "example.com",
    }
    look = "import boto3, os; print(os.environ['AWS_REGION'], boto3.client('sqs').list_queues()['QueueUrls'])"
    shell = ["sh", "-c", f'{printed("env")}\nprintenv no_proxy\n"{sys.executable}" -c "{look}"']
    proxies, answer = subprocess.run(
        shell, env=environment, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert proxies == "127.0.0.1,example.com"
    assert answer.startswith("us-east-1 ")
    assert live.stack.queues["resizing"].rpartition("/")[2] in answer


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z"),
        ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9"),
        ("AWS_ENDPOINT_URL_ONE;exit", "http://127.0.0.1:9"),
    ],
)
def test_a_variable_that_is_stronger_than_the_stacks_is_unset(
    live: Live, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The end of other credentials, and the address of one service; a name that a shell cannot have does no harm."""
    monkeypatch.setenv(name, value)
    look = "import boto3; print(boto3.client('sqs').list_queues()['QueueUrls'])"
    shell = ["sh", "-c", f'{printed("env")}\n"{sys.executable}" -c "{look}"']
    answer = subprocess.run(shell, check=True, capture_output=True, text=True).stdout
    assert live.stack.queues["resizing"].rpartition("/")[2] in answer


def test_outputs_are_printed_as_one_json_object(live: Live) -> None:
    """The outputs are printed as one JSON object."""
    assert json.loads(printed("outputs")) == live.deployment.outputs


def test_status_counts_the_messages_of_each_queue(live: Live) -> None:
    """Each queue and each dead-letter queue has a count."""
    found = json.loads(printed("status", "--json"))
    assert set(found["waiting"]) == set(live.stack.queues)
    assert set(found["failed"]) == set(live.stack.dead_letter_queues)
    assert len(printed("status").splitlines()) == len(live.stack.queues) + len(live.stack.dead_letter_queues)


def test_logs_can_be_limited_to_one_function(live: Live) -> None:
    """A processed picture is in the log of its worker, and with the worker's name in the log of all functions."""
    live.client("s3").put_object(Bucket=live.stack.bucket, Key="master/logged.png", Body=picture())
    until("the picture is complete", live.settled, "master/logged.png")
    line = until(
        "it is logged", lambda: [one for one in printed("logs", "pixel-resizer").splitlines() if "logged" in one]
    )
    assert json.loads(line[-1])["key"] == "master/logged.png"
    assert f"pixel-resizer: {line[-1]}" in printed("logs").splitlines()


def test_an_unknown_function_is_a_usage_error() -> None:
    """The error lists the functions, and names the nearest."""
    error = printed("logs", "pixel-resizr", exit_code=USAGE)
    assert "expected one of " in error
    assert "did you mean pixel-resizer?" in error
