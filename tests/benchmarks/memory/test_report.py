"""The report: all formats hold the same figures, and other tools can read them."""

import base64
import csv
import io
import json
import struct
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.memory.page import page
from benchmarks.memory.report import POWER_TUNING, MemoryReport, as_csv, power_tuning_url
from benchmarks.memory.request import FUNCTIONS

from .conftest import report_of, row

MARKS = {"5": 100.0, "25": 200.0, "50": 300.0, "75": 400.0, "95": 500.0}
FIGURES = {"invocation_ms": 1010.5, "cost_low": 1.9, "cost_high": 2.1, "image_ms_percentiles": MARKS}
HELD = {"largest_megapixels": {"camera": 23.2, "png": 20.0}}
ROWS = [
    row(512, **FIGURES, **HELD, invocation_cost=2e-5),
    row(256, verdict="too small", why="it was killed: out of memory", cost_per_million=None, batch_p50_ms=None),
    row(10_240, how="modelled", **FIGURES, invocation_cost=4e-5, cost_per_million=4.0, batch_p50_ms=300.0),
]


@pytest.fixture
def report() -> MemoryReport:
    """Return the report of one function with three sizes."""
    return report_of(ROWS)


def test_the_table_has_every_size_and_why_some_are_too_small(
    report: MemoryReport, capsys: pytest.CaptureFixture[str]
) -> None:
    """Modelled rows are marked as modelled."""
    page(report).show({}, None, None)
    printed = capsys.readouterr().out
    for text in (
        "too small",
        "256 MB is too small: it was killed: out of memory.",
        "modelled",
        "10240",
        "a note",
        "23.2",
        f"resize as aws-lambda-power-tuning shows it: {POWER_TUNING}",
    ):
        assert text in printed


def test_the_json_has_rows_and_recommendations(report: MemoryReport, tmp_path: Path) -> None:
    """It holds rows, recommendations, machine and architecture."""
    file = tmp_path / "found.json"
    page(report).show(report.plain(), file, None)
    found = json.loads(file.read_text())
    assert {"title", "question", "rows", "recommendations", "machine", "architecture"} <= found.keys()
    assert found["recommendations"]["resize"]["cheapest"]["memory_mb"] == 512
    assert [line["memory_mb"] for line in found["rows"]] == [512, 256, 10_240]
    assert found["rows"][1]["cost_per_million"] is None
    assert MemoryReport.read(found) == report


def test_the_measured_file_covers_every_function() -> None:
    """The run shown in docs/tuning.md covers all functions, each with a safe size."""
    file = Path(__file__).parents[3] / "benchmarks" / "measured" / "memory.json"
    found = MemoryReport.read(json.loads(file.read_text()))
    command = "python -m benchmarks memory --json benchmarks/measured/memory.json"
    assert found.advice.keys() == FUNCTIONS.keys(), f"run `{command}`"
    assert all(found.advice.values())
    assert all(one.holds for one in found.boundaries.values())


def test_the_csv_has_a_line_for_each_size(report: MemoryReport) -> None:
    """It has a header line, and unknown values are empty."""
    lines = list(csv.DictReader(io.StringIO(as_csv(report.rows))))
    assert [line["memory_mb"] for line in lines] == ["512", "256", "10240"]
    assert [line["cost_per_million"] for line in lines] == ["2.0", "", "4.0"]


def test_the_page_needs_no_other_file(report: MemoryReport, tmp_path: Path) -> None:
    """The plot is embedded and also written beside the page as PNG; text is escaped."""
    file = tmp_path / "found.html"
    page(report).show({}, None, file)
    text = file.read_text()
    plot = (tmp_path / "found.png").read_bytes()
    assert base64.b64encode(plot).decode() in text
    assert "is it &lt;right&gt;?" in text
    assert 'src="http' not in text
    with Image.open(io.BytesIO(plot)) as image:
        assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 20


def test_a_page_is_written_without_a_safe_size(tmp_path: Path) -> None:
    """The page says that no size is safe."""
    found = report_of(ROWS[1:2])
    page(found).show({}, None, tmp_path / "found.html")
    assert "none of these sizes is safe" in (tmp_path / "found.html").read_text()
    assert found.links() == {}


def test_the_link_is_encoded_for_aws_lambda_power_tuning() -> None:
    """By size: int16 and two float32 arrays, little-endian, in base64; sizes without times are left out."""
    address, _, part = power_tuning_url([ROWS[2], ROWS[0], ROWS[1]]).partition("#")
    assert address == POWER_TUNING
    sizes, times, costs = (base64.b64decode(text) for text in part.split(";"))
    assert struct.unpack("<2h", sizes) == (512, 10_240)
    assert struct.unpack("<2f", times) == (1010.5, 1010.5)
    assert struct.unpack("<2f", costs) == pytest.approx((2e-5, 4e-5))
