"""A bug in a function's code is reported at its first call, with its file and line."""

import contextlib
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import image_worker
from components.packaging.build import code_archive
from components.packaging.target import Target
from local import cascade
from local.deployment import Deployment
from local.journal import FailureWatch
from ops.logs import fields_of
from tests.e2e.conftest import Live, deployed, picture

LATE_S = 900
"""When the message is delivered again: after the test."""

WORKER_BUG = f"""
worker.retries.FIRST_S = ({LATE_S}, {LATE_S})


def failing(picture, master, settings):
    return settings.sizes["none of these"]


WORK = worker.Work(run=failing, bytes_needed=bytes_needed)
"""
PUBLISHER_BUG = """

def handler(event, context):
    return event["none of these"]
"""


class SeenError(Exception):
    """A failure was found."""


@contextlib.contextmanager
def buggy(function: str, module: str, bug: str) -> Iterator[Live]:
    """Deploy the program with a bug in one function."""
    with deployed({}) as live:
        name = live.deployment.resource("Function", function)["name"]
        live.client("lambda").update_function_code(FunctionName=name, ZipFile=with_bug(live.deployment, module, bug))
        yield live


def with_bug(deployment: Deployment, module: str, bug: str) -> bytes:
    """Return the functions' code with a bug at the end of one module, and without that module's bytecode."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(code_archive(Target.of(deployment.config))) as code,
        zipfile.ZipFile(written, "w") as changed,
    ):
        for name in code.namelist():
            source = code.read(name) + (bug.encode() if name == f"handlers/{module}.py" else b"")
            if f"{module}.cpython" not in name:
                changed.writestr(name, source)
    return written.getvalue()


@pytest.mark.parametrize(
    ("function", "module", "bug"),
    [("pixel-resizer", "pixel_resizer", WORKER_BUG), ("job-publisher", "job_publisher", PUBLISHER_BUG)],
)
def test_a_bug_is_reported_at_the_first_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, function: str, module: str, bug: str
) -> None:
    """A worker's is found without a second delivery, the publisher's while the next upload waits for it.

    `-s` prints the seconds that it took.
    """
    monkeypatch.setattr(image_worker, "LOCAL_RETRY_S", LATE_S)
    (tmp_path / "cat.png").write_bytes(picture())
    masters = {f"master/{name}.png": tmp_path / "cat.png" for name in ("cat", "dog")}
    with buggy(function, module, bug) as live:
        watch = FailureWatch(live.deployment.emulator, live.deployment.log_groups())

        def look() -> None:
            for failure in watch.news():
                raise SeenError(failure)

        def run() -> None:
            cascade.upload(live.deployment, masters, lambda: None, look)
            cascade.wait(live.deployment, list(masters), lambda _: None, look)

        started = time.monotonic()
        with pytest.raises(SeenError) as found:
            run()
        print(f"from the upload to the line: {time.monotonic() - started:.2f} s")  # noqa: T201 a figure to look at
        deliveries = [fields_of(entry)["deliveries"] for entry in live.log(function) if '"retry"' in entry]
    source = Path("handlers", f"{module}.py").read_text() + bug
    line = source[: source.index('["none of these"]')].count("\n") + 1
    assert str(found.value) == f"{function}: KeyError: 'none of these' ({module}.py:{line})"
    assert set(deliveries) == ({1} if bug == WORKER_BUG else set())
