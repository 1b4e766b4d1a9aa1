"""The command line: its errors, its exit codes, and that it leaves no process running."""

import contextlib
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
import yaml
from botocore.exceptions import ReadTimeoutError
from click.testing import CliRunner, Result

from components import stack_file
from local import emulator
from local.__main__ import main
from local.commands.up import describe
from tests.e2e.conftest import picture, until

ROOT = Path(__file__).parent.parent.parent
USAGE, FAILED = 2, 1
# A shell's background job starts with SIGINT ignored; this sets the handler of a foreground command.
HANDLE_SIGINT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
# `python -m local up` with its own state file, because the developer's stack may be running.
UP = """
import pathlib, sys
from local import __main__, announcement
announcement.RUNNING = pathlib.Path(sys.argv[1])
__main__.main(["up"])
"""


@pytest.fixture
def no_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a command starts the emulator."""

    def start(_self: object) -> None:
        raise AssertionError("the emulator was started")

    monkeypatch.setattr(emulator.Emulator, "__enter__", start)


def run(*arguments: str | Path) -> Result:
    """Run `python -m local` in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def with_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder from which the command reads stack files."""
    for file in ROOT.glob("Pulumi*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    monkeypatch.setattr(stack_file, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (
            "jpegQualitty",
            90,
            ["pixelcascade:jpegQualitty: expected a key of docs/configuration.md", "(did you mean jpegQuality?)"],
        ),
        ("jpegQuality", "good", ["pixelcascade:jpegQuality: expected a whole number from 1 to 100", "got 'good'"]),
        ("jpegQuality", 101, ["pixelcascade:jpegQuality", "got '101'", "from 1 to 100", "pulumi config set"]),
        ("resizedPrefix", "master/", ["resizedPrefix", "masterPrefix", "would start the pipeline again"]),
        ("sizes", ["a=100", "a=200"], ["pixelcascade:sizes", "'a' is given twice"]),
    ],
)
def test_a_wrong_setting_is_refused(with_config: Path, key: str, value: object, expected: list[str]) -> None:
    """Each error gives the key, the expected value, the actual value and the fix."""
    (with_config / "Pulumi.bad.yaml").write_text(yaml.safe_dump({"config": {f"pixelcascade:{key}": value}}))
    result = run("run", "--stack", "bad")
    assert result.exit_code == USAGE
    assert all(word in result.output for word in expected)


def test_a_stack_without_a_file_is_refused() -> None:
    """The error lists the stacks that exist, and suggests the nearest."""
    result = run("run", "--stack", "loca")
    assert result.exit_code == USAGE
    expected = (
        "expected one of the stacks dev, local, prod, got 'loca', which has no Pulumi.loca.yaml (did you mean local?)"
    )
    assert expected in result.output


@pytest.mark.parametrize("path", ["gone", ""])
def test_a_missing_path_is_refused(path: str) -> None:
    """A missing or empty path ends the command before anything is started."""
    result = run("run", path)
    assert result.exit_code == USAGE
    assert f"Path '{path}' does not exist" in result.output


@pytest.mark.usefixtures("no_emulator")
def test_a_path_without_files_is_refused(tmp_path: Path) -> None:
    """A folder with nothing to upload ends the command before anything is started."""
    result = run("run", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == USAGE
    assert "without any file" in result.output


@pytest.mark.usefixtures("no_emulator")
def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    """Results are never written among or over other files."""
    (tmp_path / "a.jpg").write_bytes(b"")
    precious = tmp_path / "mine" / "converted" / "precious.jpg"
    precious.parent.mkdir(parents=True)
    precious.write_bytes(b"mine")
    (tmp_path / "mine" / "summary.json").write_text("{}")
    result = run("run", tmp_path / "a.jpg", "--out", tmp_path / "mine")
    assert result.exit_code == USAGE
    assert "expected a new or empty folder" in result.output
    assert precious.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("out", "expected"),
    [("file", "is a file"), ("file/below", "Not a directory): name another"), ("/proc/out", "name another")],
)
@pytest.mark.usefixtures("no_emulator")
def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path, out: str, expected: str) -> None:
    """The command ends before anything is started."""
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "a.jpg").write_bytes(b"")
    result = run("run", tmp_path / "a.jpg", "--out", tmp_path / out)
    assert result.exit_code == USAGE
    assert expected in result.output
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_failed_start_of_the_emulator_shows_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error includes the end of the emulator's log."""
    monkeypatch.setattr(emulator, "COMMAND", [sys.executable, "-c", "raise SystemExit('no room at the inn')"])
    (tmp_path / "a.jpg").write_bytes(b"")
    for _ in range(2):  # A failed run does not block the next one.
        result = run("run", tmp_path / "a.jpg", "--out", tmp_path / "out")
        assert result.exit_code == FAILED
    assert "MiniStack ended with 1 instead of starting" in result.output
    assert "no room at the inn" in result.output


def test_a_misspelt_command_gets_the_nearest_suggestion() -> None:
    """It is suggested without importing the other commands."""
    result = run("outpts")
    assert (result.exit_code, "'outpts' (did you mean outputs?)" in result.output) == (USAGE, True)


def test_every_summary_fits_into_the_list_of_commands() -> None:
    """Each command's summary fits on one line."""
    assert "..." not in run("--help").output.partition("Commands:")[2]


def test_the_printed_commands_work_in_any_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The lines change to the project's folder first, and the picture to upload exists."""
    fake = SimpleNamespace(endpoint="http://127.0.0.1:1", region="us-east-1", folder=tmp_path)
    describe(fake, {"bucket": "images", "layout": {"master": "master/"}}, "http://127.0.0.1:2/")  # type: ignore[arg-type]
    lines = capsys.readouterr().out.partition("Ready.")[2].splitlines()[2:]
    assert shlex.split(lines[0]) == ["cd", str(ROOT)]
    assert "-m local env" in lines[1]
    assert Path(shlex.split(lines[2])[3]).is_file()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="what runs is read from /proc, which this machine lacks")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_no_process_behind(end: signal.Signals, tmp_path: Path) -> None:
    """SIGINT and SIGTERM stop the emulator and the process of every function."""
    command = [sys.executable, "-c", HANDLE_SIGINT + UP, str(tmp_path / "local.json")]
    process, port = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True), ""
    try:
        assert process.stdout
        printed = "".join(itertools.takewhile(lambda line: not line.startswith("Ctrl-C"), process.stdout))
        port = re.findall(r"listens on http://127\.0\.0\.1:(\d+)", printed)[0]
        upload_one(port, re.findall(r"s3://([^/]+)/", printed)[0])
        emulator_and_functions = 4
        until("functions run", lambda: len(processes_of(port)) >= emulator_and_functions)
        process.send_signal(end)
        assert process.wait(timeout=30) == 0
        assert processes_of(port) == []
    finally:
        kill(process, port)


def kill(process: subprocess.Popen[str], port: str) -> None:
    """Kill a command and its children; otherwise `with Popen(...)` never returns after a time-out."""
    process.kill()
    process.communicate()
    for survivor in processes_of(port) if port else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(survivor), signal.SIGKILL)


def upload_one(port: str, bucket: str) -> None:
    """Upload a picture as the printed commands do."""
    key, secret = emulator.CREDENTIALS.values()
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret)
    client = session.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key="master/one.png", Body=picture())


def processes_of(port: str) -> list[str]:
    """Return the emulator's and the functions' processes, found by the port in their environment."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"GATEWAY_PORT={port}\0".encode() in environment.read_bytes():
                found.append(environment.parent.name)
    return found


def test_an_emulator_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process still runs: it is stopped, or the machine is too busy."""

    def wait(_self: object) -> None:
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(emulator.Emulator, "wait", wait)
    result = run("up")
    assert result.exit_code == FAILED
    assert result.output.startswith("Error: Read timeout on endpoint URL: ")
