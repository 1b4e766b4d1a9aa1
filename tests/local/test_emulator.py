"""The emulator: the environment variables it ignores, and that it stops with the process that started it."""

import http.client
import io
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
import zipfile
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace

import pytest

from components import policies
from local import emulator, server
from local.emulator import Emulator, EmulatorError
from ops.logs import failure_of, last_failures, log_events
from tests.e2e.conftest import until


@pytest.mark.parametrize(
    "environment",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"},
        {"AWS_PROFILE": "nonsense", "AWS_DEFAULT_PROFILE": "nonsense"},
        {"AWS_CONFIG_FILE": "broken", "AWS_SHARED_CREDENTIALS_FILE": "broken"},
    ],
)
def test_proxies_and_profiles_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> None:
    """Clients connect to the emulator directly, with its own credentials."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "broken").write_text("no configuration")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(emulator, "START_TIMEOUT_S", 20)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with Emulator("us-east-1") as started:
        assert started.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert started.client("s3").list_buckets()["Buckets"] == []


def test_functions_use_no_aws_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings in a file in the home folder, such as an endpoint, would apply to the functions in the emulator."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nendpoint_url = http://127.0.0.1:9\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "nonsense")
    look = "import botocore.session as b; s = b.get_session(); print('found', s.profile, s.full_config['profiles'])"
    monkeypatch.setattr(emulator, "COMMAND", [sys.executable, "-c", look])
    with pytest.raises(EmulatorError, match=r"\nfound None \{\}"), Emulator("us-east-1", ready=False) as started:
        _use(started)


def test_functions_use_utf_8_whatever_the_users_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    """With LC_ALL=C, a function did not start if the path of the repository had other letters than ASCII's."""
    monkeypatch.setenv("LC_ALL", "C")
    look = "import locale; print('found', locale.getlocale()[1])"
    monkeypatch.setattr(emulator, "COMMAND", [sys.executable, "-c", look])
    with pytest.raises(EmulatorError, match=r"\nfound UTF-8"), Emulator("us-east-1", ready=False) as started:
        _use(started)


def test_a_port_in_use_is_refused() -> None:
    """The program is not deployed to another process on that port."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EmulatorError, match=f"expected a free port, got {port}"), Emulator("us-east-1", port):
            pytest.fail("it started")


def test_an_emulator_that_ends_by_itself_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of whatever command needed it would only say that nothing answers."""
    monkeypatch.setattr(emulator, "COMMAND", [sys.executable, "-c", "print('out of memory')"])
    message = r"MiniStack ended by itself: run the command again\.\n.*\nout of memory"
    with pytest.raises(EmulatorError, match=message), Emulator("us-east-1", ready=False) as started:
        _use(started)


def _use(ended: Emulator) -> None:
    """Wait for the emulator's end, and fail as a client does then."""
    until("the emulator ends", lambda: not ended.running)
    raise ConnectionError


def test_an_error_while_the_emulator_runs_is_raised_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an emulator that has ended is named as the cause."""
    monkeypatch.setattr(emulator, "COMMAND", [sys.executable, "-c", "import time; time.sleep(600)"])
    with pytest.raises(ConnectionError), Emulator("us-east-1", ready=False):
        raise ConnectionError


START = """
import sys, time
from local.emulator import Emulator
with Emulator("us-east-1") as emulator:
    print(emulator.process_id, emulator.folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc, which this machine lacks")
def test_the_emulator_ends_with_its_parent_process() -> None:
    """If the starting process is killed, neither the emulator nor its folder is left."""
    process = subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        number, folder = process.stdout.readline().split()
        process.kill()
        until("the emulator has ended", lambda: not Path("/proc", number).exists() or _is_zombie(number))
        until("its folder is gone", lambda: not Path(folder).exists())
    finally:
        process.kill()
        process.communicate()


def _is_zombie(process: str) -> bool:
    try:
        return ") Z " in Path("/proc", process, "stat").read_text()
    except FileNotFoundError:
        return True


class Worker:
    """A function's process with its log in a pipe, as MiniStack has it; a reader thread can be started late."""

    def __init__(self, log: str, *, ended: bool = False) -> None:
        reading, writing = os.pipe()
        os.write(writing, log.encode())
        if ended:
            os.close(writing)
        self._proc: SimpleNamespace | None = SimpleNamespace(stderr=os.fdopen(reading))
        self._stderr_queue: queue.Queue[str] = queue.Queue()
        self._stderr_thread = threading.Thread(target=server.read_log, args=[self], daemon=True)

    def _drain_stderr(self) -> str:
        return "\n".join(self._stderr_queue.get_nowait() for _ in range(self._stderr_queue.qsize()))


def test_a_line_that_the_emulator_reads_late_is_not_held_back() -> None:
    """On a busy machine, the emulator reads a line after the function's result; it must not wait for the next call."""
    worker = Worker("one\ntwo\n")
    late = threading.Timer(0.3, worker._stderr_thread.start)
    late.start()
    assert server.whole_log(worker) == "one\ntwo"
    assert server.whole_log(worker) == ""


def test_a_process_that_ended_has_its_last_line_logged() -> None:
    """A process that is killed may not end its last line."""
    worker = Worker("one\nFatal Python error", ended=True)
    worker._stderr_thread.start()
    worker._proc = None
    assert server.whole_log(worker) == "one\nFatal Python error"


RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
BOOTSTRAP = """#!/bin/sh
exec "{python}" -c '
import os, sys, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    print("a line of the log", flush=True)
    urllib.request.urlopen(api + request + "/response", data=b"\\"done\\"")
'"""
MODULE = """
def handler(event, context):
    print("a line of the log")
    return "done"
"""


@pytest.mark.parametrize(
    ("runtime", "file", "text"),
    [
        (RUNTIME, "main.py", MODULE),
        ("provided.al2023", "bootstrap", BOOTSTRAP.format(python=sys.executable)),
    ],
)
def test_a_functions_log_is_complete_after_its_call(runtime: str, file: str, text: str) -> None:
    """Functions with a runtime of their own work too: their log is in their output."""
    with Emulator("us-east-1") as started:
        answers, lines = _called_twice(started, runtime, file, text)
    assert answers == [b'"done"', b'"done"']
    assert [line.strip() for line in lines].count("a line of the log") == 2


def _called_twice(started: Emulator, runtime: str, file: str, text: str) -> tuple[list[bytes], list[str]]:
    """Create a function of one file and call it twice; return its answers and the lines of its log."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        entry = zipfile.ZipInfo(file)
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, text)
    trust = policies.document([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "*"}])
    functions = started.client("lambda")
    role = started.client("iam").create_role(RoleName="f", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    package = {"ZipFile": code.getvalue()}
    functions.create_function(FunctionName="f", Runtime=runtime, Role=role, Handler="main.handler", Code=package)
    answers = [functions.invoke(FunctionName="f")["Payload"].read() for _ in range(2)]
    return answers, [event["message"] for event in log_events(started.client("logs"), "/aws/lambda/f")]


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("raise LookupError('one:\\n two')", r"f: LookupError: one:\n two (main.py:2)"),
        ("raise ValueError", "f: ValueError (main.py:2)"),
        ("raise RuntimeError('Worker process 3 failed')", "f: RuntimeError: Worker process 3 failed (main.py:2)"),
        ("\n try: {}['a']\n except KeyError: raise ValueError('b')", "f: ValueError: b (main.py:4)"),
        ("compile('(', 'x', 'exec')", "f: SyntaxError: '(' was never closed (x, line 1) (x:1)"),
        ("os._exit(3)", "f: Runtime.ExitError: the function's process ended with exit code 3"),
        ("os.abort()", "f: Runtime.ExitError: the function's process was killed by SIGABRT"),
        ("return\nsys.exit(4)", "f: Runtime.ExitError: the function's process ended with exit code 4"),
        ("return\nsys.exit('bye')", "f: Runtime.ExitError: the function's process ended with exit code 1: bye"),
        (
            "return\nos.close(1), os.close(2)\nos.read(0, 1)",
            "f: Runtime.ExitError: the function's process closed its output",
        ),
        ("return\nraise TypeError('bye')", "f: Runtime.ExitError: Worker init failed: bye"),
    ],
)
def test_a_failed_call_is_logged_as_by_lambda(text: str, failure: str) -> None:
    """An exception, a process that ends, and one that does not start: the log says why each time."""
    code = f"import os, sys\ndef handler(event, context): {text}\n"
    with Emulator("us-east-1") as started:
        _, lines = _called_twice(started, RUNTIME, "main.py", code)
    failures = [str(found) for line in lines if (found := failure_of("f", line))]
    assert failures == [failure, failure]


@pytest.mark.parametrize("log", ["", 'print(\'{"level": "ERROR"}\'); '])
def test_messages_that_fail_without_a_reason_are_a_warning(log: str) -> None:
    """They are delivered until they are dead letters, and no log says why."""
    code = f"def handler(event, context): {log}return {{'batchItemFailures': [{{'itemIdentifier': '1'}}]}}\n"
    with Emulator("us-east-1") as started:
        _called_twice(started, RUNTIME, "main.py", code)
        warning = (
            "f: expected a line in JSON with the level ERROR for each message that failed, got none: log why, as the "
            "Logger of powertools does"
        )
        assert started.warnings() == ([] if log else [warning, warning])


def test_a_delivery_that_a_queue_denies_is_a_warning() -> None:
    """The topic accepts the message, and no function runs, so that no other log has it."""
    with Emulator("us-east-1") as started:
        queue_url = started.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        arn = started.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        topic = started.client("sns").create_topic(Name="t")["TopicArn"]
        started.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
        started.client("sns").publish(TopicArn=topic, Message="m")
        assert started.warnings() == [f"SNS fanout: queue policy denies delivery from {topic} to q"]


def test_the_failures_of_several_messages_are_found() -> None:
    """The emulator reads `?"a" ?"b"` as a text that holds both; `python -m ops letters` must not ask like that."""
    with Emulator("us-east-1") as started:
        logs = started.client("logs")
        logs.create_log_group(logGroupName="/f")
        logs.create_log_stream(logGroupName="/f", logStreamName="s")
        lines = [json.dumps({"level": "ERROR", "message": "retry", "message_id": name, "error": "E"}) for name in "ab"]
        now_ms = round(1000 * time.time())
        events = [{"timestamp": now_ms, "message": line} for line in lines]
        logs.put_log_events(logGroupName="/f", logStreamName="s", logEvents=events)
        found = last_failures(started, "/f", ["a", "b", "c"], now_ms)  # type: ignore[arg-type]
    assert found.keys() == {"a", "b"}


OTHER_SITE = {"Origin": "https://other.example", "Content-Type": "text/plain"}
"""What a browser sends without asking first: the query has the signature, which the emulator does not verify."""

SIGNED = "X-Amz-Credential=test%2F20260101%2Fus-east-1%2Flambda%2Faws4_request&X-Amz-Signature=any"


@pytest.mark.parametrize(
    "headers", [OTHER_SITE, {"Sec-Fetch-Site": "cross-site"}, {"Host": "other.example"}], ids=["CORS", "link", "DNS"]
)
def test_another_site_in_the_same_browser_is_refused(headers: dict[str, str]) -> None:
    """It could create a function, whose code runs on this machine."""
    with Emulator("us-east-1") as started:
        assert _status(started, "POST", f"/2015-03-31/functions?{SIGNED}", headers) == HTTPStatus.FORBIDDEN
        assert _status(started, "GET", "/_ministack/health", headers) == HTTPStatus.FORBIDDEN
        assert _status(started, "GET", "/_ministack/health", {}) == HTTPStatus.OK


def test_another_site_can_use_a_bucket_as_on_aws() -> None:
    """An app's page shows and uploads pictures with links and forms that its server has signed."""
    with Emulator("us-east-1") as started:
        s3 = started.client("s3")
        s3.create_bucket(Bucket="pictures")
        s3.put_object(Bucket="pictures", Key="cat.jpg", Body=b"cat")
        link = s3.generate_presigned_url("get_object", {"Bucket": "pictures", "Key": "cat.jpg"})
        path = link.removeprefix(started.endpoint)
        assert _status(started, "GET", path, {"Sec-Fetch-Site": "cross-site"}) == HTTPStatus.OK
        assert _status(started, "GET", path, OTHER_SITE) == HTTPStatus.OK
        assert _status(started, "POST", "/pictures?Action=CreateRole", OTHER_SITE | SCOPED) == HTTPStatus.FORBIDDEN


SCOPED = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, Signature=any"}


def _status(started: Emulator, method: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(emulator.HOST, started.port, timeout=10)
    try:
        connection.request(method, path, b"" if method == "POST" else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()
