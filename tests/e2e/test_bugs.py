"""A bug in a worker's code is reported at the first delivery, with its file and line."""

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
from ops.logs import Failure, fields_of
from tests.e2e.conftest import Live, deployed, picture

FUNCTION, MODULE = "pixel-resizer", "handlers/pixel_resizer"
LATE_S = 900
"""When the message is delivered again: after the test."""

BUG = f"""
worker.retries.FIRST_S = ({LATE_S}, {LATE_S})


def failing(picture, master, settings):
    return settings.sizes["none of these"]


WORK = worker.Work(run=failing, bytes_needed=bytes_needed)
"""


class SeenError(Exception):
    """A failure was printed."""


@pytest.fixture
def buggy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """Deploy the program with a bug in one worker, whose first delivery is the only one."""
    monkeypatch.setattr(image_worker, "LOCAL_RETRY_S", LATE_S)
    with deployed({}) as live:
        name = live.deployment.resource("Function", FUNCTION)["name"]
        live.client("lambda").update_function_code(FunctionName=name, ZipFile=with_bug(live.deployment))
        yield live


def with_bug(deployment: Deployment) -> bytes:
    """Return the functions' code with a bug in one worker, and without that worker's bytecode."""
    written = io.BytesIO()
    with (
        zipfile.ZipFile(code_archive(Target.of(deployment.config))) as code,
        zipfile.ZipFile(written, "w") as changed,
    ):
        for name in code.namelist():
            source = code.read(name) + (BUG.encode() if name == f"{MODULE}.py" else b"")
            if "pixel_resizer.cpython" not in name:
                changed.writestr(name, source)
    return written.getvalue()


def test_a_bug_in_a_worker_is_reported_on_the_first_delivery(buggy: Live, tmp_path: Path) -> None:
    """The failure is reported without a second delivery. `-s` prints the seconds that it took."""
    (tmp_path / "cat.png").write_bytes(picture())
    masters = {"master/cat.png": tmp_path / "cat.png"}

    def seen(failure: Failure) -> None:
        raise SeenError(str(failure))

    started = time.monotonic()
    cascade.upload(buggy.deployment, masters, lambda: None)
    with pytest.raises(SeenError) as found:
        cascade.wait(buggy.deployment, list(masters), lambda _: None, seen)
    print(f"from the upload to the line: {time.monotonic() - started:.2f} s")  # noqa: T201 a figure to look at
    source = Path(f"{MODULE}.py").read_text() + BUG
    line = source[: source.index('settings.sizes["none')].count("\n") + 1
    assert str(found.value) == f"{FUNCTION}: KeyError: 'none of these' (pixel_resizer.py:{line})"
    assert [fields_of(entry)["deliveries"] for entry in buggy.log(FUNCTION) if '"retry"' in entry] == [1]
