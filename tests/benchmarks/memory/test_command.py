"""The command: its options, and its results on a machine without control groups."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.memory.advice import advise
from benchmarks.memory.command import memory
from benchmarks.memory.request import FUNCTIONS

from .conftest import pictures, report_of, row

WRONG_MIXES = ("camera", "camera=", "camera=-1", "=1", "camera=0", "camera=nan", "camera=inf", "a=1,a=2", "a=1e308")
REPORT = (
    "REPORT RequestId: 1 Duration: 1500.00 ms Billed Duration: 1500 ms Memory Size: 512 MB Max Memory Used: 180 MB\n"
)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Return the JSON of a run that recommends 512 MB (cheapest) or 1,769 MB (fastest) for the resizer."""
    file = tmp_path / "earlier.json"
    rows = [row(512), row(1769, cost_per_million=4.0, batch_p50_ms=100.0)]
    advice = {"resize": advise(rows, 60), "convert": None}
    file.write_text(json.dumps(report_of(rows, advice=advice).plain()))
    return file


def test_sizes_are_modelled_without_control_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All functions run; each size gets modelled figures, and the stack file gets the three memory settings."""
    monkeypatch.setattr("benchmarks.memory.answer.usable", lambda: "not on this machine")
    for module in ("answer", "command"):
        monkeypatch.setattr(f"benchmarks.memory.{module}.FEWEST_BATCHES", 2)
    stack, found = tmp_path / "Pulumi.dev.yaml", tmp_path / "found.json"
    stack.touch()
    options = ["--images", str(pictures(tmp_path / "in")), "--sizes", "128,512,10240", "--delay", "0"]
    result = CliRunner().invoke(memory, [*options, "--json", str(found), "--write", str(stack)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    rows = {(row["function"], row["memory_mb"]): row for row in json.loads(found.read_text())["rows"]}
    assert {row["how"] for row in rows.values()} == {"modelled"}
    assert [rows[name, 512]["verdict"] for name in FUNCTIONS] == ["ok"] * len(FUNCTIONS)
    assert rows["resize", 128]["verdict"] == "too small"
    assert rows["resize", 512]["batch_p50_ms"] > rows["resize", 10_240]["batch_p50_ms"] > 0
    assert "No size is measured within its limits: not on this machine." in result.output
    assert set(re.findall(r"pixelcascade:(\w+MemoryMb): ", stack.read_text())) == {
        *("formatConversionMemoryMb", "resizingMemoryMb", "metadataExtractionMemoryMb")
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *((["--mix", mix], "expected a mix such as camera=0.8,png=0.2") for mix in WRONG_MIXES),
        (["--mix", "camera=1"], "expected --images with it, got none"),
        (["--write", "dev.yaml"], "expected Pulumi.<stack>.yaml, got dev.yaml: name the file of a stack"),
        (["--write", "Pulumi.yaml"], "expected Pulumi.<stack>.yaml, got Pulumi.yaml: name the file of a stack"),
        (
            ["--write", "Pulumi.devv.yaml"],
            "which does not exist (did you mean Pulumi.dev.yaml?): name another, or create",
        ),
        (["--write", "Pulumi.v1.2.yaml"], "create it with `pulumi stack init v1.2`"),
        (["--function", "publish"], "resize"),
        (["--calibrate", os.devnull], "the one function"),
        (["--calibrate", os.devnull, "--function", "resize"], "without REPORT lines"),
        (["--against", os.devnull], "of this version"),
    ],
)
def test_a_wrong_option_is_refused(options: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command exits before it builds the package, which takes seconds."""

    def build(_config: object) -> None:
        raise AssertionError("the package was built")

    monkeypatch.setattr("benchmarks.memory.answer.unpacked", build)
    result = CliRunner().invoke(memory, options)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_an_earlier_run_is_written_to_a_stack_file(earlier: Path, tmp_path: Path) -> None:
    """`--choose` selects the size, the diff is printed, and a function without a safe size keeps its setting."""
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.write_text("config:\n  pixelcascade:resizingMemoryMb: 256 # a guess\n")
    options = ["--against", str(earlier), "--write", str(stack)]
    result = CliRunner().invoke(memory, [*options, "--choose", "fastest"], catch_exceptions=False)
    assert "+  pixelcascade:resizingMemoryMb: 1769 # a guess" in result.output
    assert stack.read_text() == "config:\n  pixelcascade:resizingMemoryMb: 1769 # a guess\n"
    CliRunner().invoke(memory, options, catch_exceptions=False)
    assert "MemoryMb: 512" in stack.read_text()


def test_memory_fixed_in_the_table_is_not_written(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--write` skips the function among others, and refuses it alone."""
    monkeypatch.setitem(FUNCTIONS, "resize", replace(FUNCTIONS["resize"], memory=512))
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.touch()
    options = ["--against", str(earlier), "--write", str(stack)]
    alone = CliRunner().invoke(memory, [*options, "--function", "resize"])
    assert alone.exit_code == 2
    assert "expected a function whose memory is a setting, got resize" in " ".join(alone.output.split())
    CliRunner().invoke(memory, options, catch_exceptions=False)
    assert stack.read_text() == ""


def test_too_few_batches_write_no_setting(tmp_path: Path) -> None:
    """The file is unchanged, and the error says how many batches a choice needs."""
    rows = [row(512), row(1769, images=70)]
    (tmp_path / "earlier.json").write_text(json.dumps(report_of(rows).plain()))
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.write_text("config: {}\n")
    result = CliRunner().invoke(memory, ["--against", str(tmp_path / "earlier.json"), "--write", str(stack)])
    assert result.exit_code == 1
    assert "expected at least 8 batches of each size to choose by, got 7" in " ".join(result.output.split())
    assert stack.read_text() == "config: {}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config: {pixelcascade:resizingMemoryMb: many}\n", "correct it by hand"),
        ("confg: {}\n", "did you mean config?"),
        ("- a\n", "expected a mapping"),
        ("config:\n  a: [1\n", "expected YAML"),
        ("config:\n" + 2 * "  pixelcascade:resizingMemoryMb: 1\n", "expected pixelcascade:resizingMemoryMb once"),
    ],
)
def test_an_uneditable_stack_file_is_refused_before_the_run(tmp_path: Path, text: str, expected: str) -> None:
    """The command fails at once instead of after minutes of measuring."""
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.write_text(text)
    result = CliRunner().invoke(memory, ["--write", str(stack)])
    assert result.exit_code != 0
    assert expected in " ".join(result.output.split())
    assert stack.read_text() == text


def test_an_earlier_run_is_compared_with_lambdas_reports(earlier: Path, tmp_path: Path) -> None:
    """Only sizes that appear in both are compared."""
    log = tmp_path / "report.log"
    log.write_text(REPORT)
    options = ["--function", "resize", "--calibrate", str(log), "--against", str(earlier)]
    result = CliRunner().invoke(memory, options, catch_exceptions=False)
    assert "1.50 times as long" in result.output


def test_a_folder_of_only_broken_files_is_refused(tmp_path: Path) -> None:
    """The cost of rejecting broken files says nothing about pictures."""
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    result = CliRunner().invoke(memory, ["--images", str(tmp_path)])
    assert result.exit_code == 2
    assert "none of 1 files can be read as one" in " ".join(result.output.split())


@pytest.mark.parametrize(
    "change",
    [{"machine": []}, {"notes": "a"}, {"rows": [{"memory_mb": "x"}]}, {"rows": [{"vcpus": "1"}]},
     {"rows": [{"cost_low": []}]}],
)  # fmt: skip
def test_a_malformed_earlier_file_is_refused(earlier: Path, change: dict[str, Any]) -> None:
    """A field of the wrong type is a usage error."""
    plain = json.loads(earlier.read_text())
    if "rows" in change:
        change = {"rows": [{**plain["rows"][0], **change["rows"][0]}]}
    earlier.write_text(json.dumps({**plain, **change}))
    result = CliRunner().invoke(memory, ["--against", str(earlier)])
    assert result.exit_code == 2
    assert "of this version" in " ".join(result.output.split())


def test_an_earlier_run_without_the_function_is_refused(earlier: Path) -> None:
    """The error lists the functions that the run has."""
    result = CliRunner().invoke(memory, ["--against", str(earlier), "--function", "metadata"])
    assert result.exit_code == 2
    assert "resize, convert" in " ".join(result.output.split())
