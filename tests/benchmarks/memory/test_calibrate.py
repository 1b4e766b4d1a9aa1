"""Lambda's own figures compared with the benchmark's."""

import click
import pytest

from benchmarks.memory.calibrate import LambdaReport, compare, parse, sentence

from .conftest import row

LOG = """2025-01-01T00:00:00.000Z START RequestId: 1 Version: $LATEST
REPORT RequestId: 1-a\tDuration: 1500.50 ms\tBilled Duration: 1901 ms\tMemory Size: 885 MB\tMax Memory Used: 180 MB\t\
Init Duration: 400.25 ms\t
REPORT RequestId: 2-b Duration: 1100.00 ms Billed Duration: 1100 ms Memory Size: 885 MB Max Memory Used: 210 MB
REPORT RequestId: 3-c	Duration: 1300.00 ms	Billed Duration: 1300 ms	Memory Size: 885 MB	Max Memory Used: 200 MB
XRAY TraceId: 1-2-3	SegmentId: 4	Sampled: true
{"level":"INFO","message":"written"}
REPORT RequestId: 4-d	Duration: 90.00 ms	Billed Duration: 90 ms	Memory Size: 1769 MB	Max Memory Used: 99 MB
"""


def test_report_lines_are_found_among_other_lines() -> None:
    """The parser takes tabs or spaces and cold or warm starts, and skips other lines."""
    found = parse(LOG)
    assert found[0] == LambdaReport(memory_mb=885, duration_ms=1500.5, used_mb=180, init_ms=400.25)
    assert [report.init_ms for report in found[1:]] == [None, None, None]
    assert [report.memory_mb for report in found] == [885, 885, 885, 1769]


def test_a_log_without_report_lines_is_refused() -> None:
    """The error shows the expected format."""
    with pytest.raises(click.BadParameter, match="Billed Duration"):
        parse("START RequestId: 1\n")


def test_each_size_is_compared_with_its_row() -> None:
    """Durations and cold starts are compared by their medians, memory by its peak."""
    rows = [row(885, batch_p50_ms=1000.0, init_ms=250.0, peak_mb=190.0)]
    known, unknown = compare(parse(LOG), rows)
    assert (known.memory_mb, known.invocations) == (885, 3)
    assert known.duration_ms == (1200.0, 1000.0)
    assert known.factor == pytest.approx(1.2)
    assert known.init_ms == (400.25, 250.0)
    assert known.peak_mb == (210.0, 190.0)
    assert (unknown.memory_mb, unknown.factor) == (1769, None)


def test_the_sentence_gives_the_difference() -> None:
    """The sentence gives the factor, the sizes without a row, and how to measure them."""
    text = sentence(compare(parse(LOG), [row(885)]))
    assert "1.20 times as long" in text
    assert "1,769 MB: name these by --sizes" in text


def test_a_line_with_malformed_numbers_is_skipped() -> None:
    """A REPORT line with malformed numbers is ignored, like any other line."""
    with pytest.raises(click.BadParameter, match="without REPORT lines"):
        parse("REPORT RequestId: 1 Duration: 1.2.3 ms Billed Duration: 1 ms Memory Size: 885 MB Max Memory Used: 9 MB")
