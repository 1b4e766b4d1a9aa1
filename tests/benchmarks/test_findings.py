"""A benchmark's findings in each output format."""

import dataclasses
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks.findings import Findings, Row, findings_command
from benchmarks.measuring import Samples


@pytest.fixture
def findings() -> Findings:
    """Return two rows, one of which has an extra column."""
    return Findings(
        title="Speed",
        question="is it <fast>?",
        rows=[
            Row(name="ours", samples=Samples([1.0, 2.0, 3.0]), facts={"times": 2.5}),
            Row(name="theirs", samples=Samples([4.0])),
        ],
        notes=["a note"],
    )


def test_the_page_needs_no_other_file(findings: Findings, tmp_path: Path) -> None:
    """The chart is embedded and also written beside the page; the table has every column, and text is escaped."""
    findings.show(None, tmp_path / "found.html")
    text = (tmp_path / "found.html").read_text()
    assert "is it &lt;fast&gt;?" in text
    assert "<td>2.50</td>" in text
    assert "<td>theirs</td>" in text
    assert "<li>a note</li>" in text
    assert 'src="data:image/png;base64,' in text
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


def test_a_benchmarks_command_writes_both_files(findings: Findings, tmp_path: Path) -> None:
    """Its own options reach the function, and the two files its findings."""

    @findings_command
    @click.option("--runs", type=int)
    def measure(runs: int) -> Findings:
        return dataclasses.replace(findings, title=f"{runs} runs")

    options = ["--runs", "3", "--json", str(tmp_path / "found.json"), "--html", str(tmp_path / "found.html")]
    done = CliRunner().invoke(measure, options, catch_exceptions=False)
    assert done.output.startswith("3 runs: is it <fast>?\n")
    assert json.loads((tmp_path / "found.json").read_text())["title"] == "3 runs"
    assert "<h1>3 runs</h1>" in (tmp_path / "found.html").read_text()


def test_the_json_holds_every_run(findings: Findings, tmp_path: Path) -> None:
    """Readers can compute the spread by their own rule."""
    findings.show(tmp_path / "found.json", None)
    rows = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert rows[0]["values"] == [1.0, 2.0, 3.0]
    assert rows[0]["times"] == 2.5
