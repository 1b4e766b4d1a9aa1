"""The cost and savings of formats, compared with manual calculations on round figures."""

from pathlib import Path
from typing import Any

import pytest

from components import prices
from costs.durations import DurationsError, measured
from costs.encodings import COMMAND, MEASURED, Encodings
from costs.formats import FormatPrice, format_prices
from tests.costs.measured import ENCODINGS, estimate, full_batches

SIZES = {"one": 1000}
"""0.8 megapixels: a picture is 0.8 times as high as wide."""


def prices_of(**settings: Any) -> dict[str, FormatPrice]:
    """Return the prices of formats for a million pictures, with one vCPU for the resizer."""
    found = estimate(full_batches(images=1e6), sizes=SIZES, **{"resizing_memory_mb": 1769, **settings})
    return {one.name: one for one in format_prices(found)}


def test_a_further_format_costs_time_puts_and_bytes() -> None:
    """It takes 70 ms per megapixel and one PUT, and sends 0.1 bytes per pixel instead of 0.9."""
    found = prices_of(output_formats={"webp": 80})["webp=80"]
    assert found.made
    assert (found.ms, found.kb) == pytest.approx((56, 80))
    assert found.compute == pytest.approx(1e6 * 0.056 * 1769 / 1024 * prices.LAMBDA_GB_SECOND["x86_64"])
    assert found.requests == pytest.approx(5)
    assert found.keeping == pytest.approx(80e9 / 2**30 * 0.023)
    assert found.view == pytest.approx(-(720 - 80) * 1e9 / 2**30 * 0.09)
    spent = found.compute + found.requests + found.keeping
    assert found.break_even_views == pytest.approx(spent / (57.6e9 / 2**30))


def test_another_jpeg_quality_replaces_the_stacks() -> None:
    """A stack with quality 100 is shown the savings of 82, and one with 82 the cost of 100."""
    down, up = prices_of()["jpeg=82"], prices_of(jpeg_quality=82)["jpeg=100"]
    assert down.keeping == pytest.approx(-560e9 / 2**30 * 0.023)
    assert (up.keeping, up.compute, up.view) == pytest.approx((-down.keeping, -down.compute, -down.view))


def test_two_formats_are_priced_for_a_stack_without_any() -> None:
    """They are marked as not made."""
    assert {name: one.made for name, one in prices_of().items()} == {
        "webp=80": False,
        "avif=60": False,
        "jpeg=82": False,
    }


def test_formats_are_on_the_bill() -> None:
    """Encoding adds to the resizer's time, in inverse proportion to its CPU share."""
    plain, further = (estimate(sizes=SIZES, output_formats=found) for found in ({}, {"webp": 80}))
    more_ms = further.billed_ms("resizing") - plain.billed_ms("resizing")
    assert more_ms == pytest.approx(56 * 1769 / 1024)


def test_the_nearest_measured_quality_is_used() -> None:
    """The nearest measured quality is used, and a format without measurements is an error."""
    assert ENCODINGS.of("jpeg", 85).quality == 82
    with pytest.raises(DurationsError, match="without heic"):
        ENCODINGS.of("heic", 50)


def test_the_benchmarks_results_are_read(tmp_path: Path) -> None:
    """The repository's file has every format; for another file the error names the command that writes one."""
    assert {row.format for row in measured(MEASURED, Encodings, COMMAND).rows if row.format} == {"jpeg", "webp", "avif"}
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(DurationsError, match="python -m benchmarks formats"):
        measured(tmp_path / "other.json", Encodings, COMMAND)
