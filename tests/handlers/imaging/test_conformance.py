"""The conformance command: its verdicts, its exit code, and what a killer does to its neighbours."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import conformance as module
from benchmarks.__main__ import main
from benchmarks.guarded import run_guarded

from .pictures import jpeg, photo, saved


def _run(folder: Path, *options: str) -> tuple[int, str, list[dict[str, Any]]]:
    result = CliRunner().invoke(main, ["conformance", str(folder), "--json", str(folder / "out.txt"), *options])
    return result.exit_code, result.output, json.loads((folder / "out.txt").read_text(encoding="utf-8"))


def test_good_and_refused_files_pass(tmp_path: Path) -> None:
    """Each file has its verdict; a refusal with a reason is no failure."""
    (tmp_path / "good.jpg").write_bytes(jpeg())
    (tmp_path / "cut.png").write_bytes(saved(photo(), "PNG")[:-500])
    (tmp_path / "text.gif").write_bytes(b"no picture")
    code, output, findings = _run(tmp_path)
    assert code == 0
    verdicts = {Path(finding["file"]).name: finding["verdict"] for finding in findings}
    assert verdicts == {"good.jpg": "ok", "cut.png": "rejected", "text.gif": "rejected"}
    assert "NotAnImageError" in next(f["reason"] for f in findings if "text" in f["file"])
    assert all(finding["peak_mb"] > 0 for finding in findings)
    assert "3 files: 1 ok, 2 rejected" in output


@pytest.mark.parametrize(
    ("harm", "verdict"),
    [
        (lambda *_: os.kill(os.getpid(), signal.SIGSEGV), "crash"),
        (lambda *_: [bytes(10**9) for _ in range(9)], "crash"),
        (lambda *_: 1 / 0, "crash"),
        (lambda *_: time.sleep(30), "time-out"),
    ],
    ids=["signal", "memory", "exception", "stall"],
)
def test_a_killer_is_found_out_and_kills_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Any, verdict: str
) -> None:
    """A crash, a memory hog, an exception and a stall fail the run, and the run goes on."""
    monkeypatch.setattr(module, "_three_calls", harm)
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    code, _, findings = _run(tmp_path, "--timeout", "0.5", "--memory", "512", "--no-peer")
    assert code == 1
    assert [finding["verdict"] for finding in findings] == [verdict, verdict]


def test_an_output_that_breaks_a_promise_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata in an output is a finding of its own."""
    monkeypatch.setattr(module, "convert", lambda *_, **__: jpeg(icc_profile=b"left in"))
    (tmp_path / "a.jpg").write_bytes(jpeg())
    code, _, findings = _run(tmp_path, "--no-peer")
    assert code == 1
    assert findings[0]["verdict"] == "wrong"


def test_a_guarded_value_comes_back() -> None:
    """What the child returns, the parent gets, with its time and memory."""
    outcome = run_guarded(sum, [1, 2, 3], timeout_s=10, memory_mb=100)
    assert outcome.value == 6
    assert outcome.crash is None
    assert outcome.seconds > 0
