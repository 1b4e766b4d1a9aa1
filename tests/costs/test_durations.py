"""The functions' times, read from the memory benchmark's results."""

import json
from pathlib import Path

import pytest

from costs.durations import COMMAND, Durations, DurationsError, measured
from tests.costs.measured import benchmark_file, durations, row


def billed_ms(*, wait_ms: float = 60, per_batch: float = 10, megapixels: float = 12) -> float:
    """Return the billed time of a picture at 100 ms plus 10 ms per megapixel."""
    found = durations(row("resize")).of("resize", 1024)
    return found.billed_ms(megapixels, wait_ms=wait_ms, per_batch=per_batch)


def test_a_picture_is_billed_by_its_pixels() -> None:
    """With the measured batch size, the time is the benchmark's line."""
    assert billed_ms() == pytest.approx(220)


def test_a_picture_alone_in_its_batch_waits_longer() -> None:
    """In batches of ten, nine tenths of a picture's wait overlapped with the work on the others."""
    assert billed_ms(per_batch=1) == pytest.approx(220 + 0.9 * 60)


def test_a_batch_larger_than_measured_is_no_faster() -> None:
    """The estimate does not extrapolate to larger batches."""
    assert billed_ms(per_batch=100) == pytest.approx(220)


@pytest.mark.parametrize(("memory_mb", "nearest"), [(1024, 1024), (900, 1024), (2000, 1769), (10_240, 1769)])
def test_the_nearest_measured_size_is_used(memory_mb: int, nearest: int) -> None:
    """The nearest size is by ratio, because the CPU share is proportional to memory."""
    found = durations(*(row("resize", size) for size in (512, 1024, 1769)))
    assert found.of("resize", memory_mb).memory_mb == nearest


@pytest.mark.parametrize(
    ("memory_mb", "measured_mb", "longer"),
    [(1024, 1024, 1), (512, 885, 885 / 512), (1200, 885, 885 / 1200), (3000, 1769, 1)],
)
def test_time_follows_the_cpu_share_up_to_one_vcpu(memory_mb: int, measured_mb: int, longer: float) -> None:
    """Half the memory halves the CPU share and doubles the time; more than one vCPU brings no speed-up."""
    found = durations(row("resize", measured_mb)).of("resize", memory_mb)
    assert found.billed_ms(12, wait_ms=0, per_batch=10) == pytest.approx(220 * longer)


def test_a_size_that_is_too_small_is_refused_with_those_that_fit() -> None:
    """There is no estimate for a function that would fail; the error lists the sizes that fit."""
    small = row("resize", 128, verdict="too small", fixed_ms=None, ms_per_megapixel=None)
    found = durations(small, row("resize", 512), row("resize", 1024))
    with pytest.raises(DurationsError, match=r"got 130 MB.* too small at 128 MB.* that fit, 512 MB, 1024 MB"):
        found.of("resize", 130)


def test_a_size_without_times_is_skipped() -> None:
    """If the size could not be timed, the next nearest size is used."""
    found = durations(row("resize", 1024, fixed_ms=None, ms_per_megapixel=None), row("resize", 512))
    assert found.of("resize", 1024).memory_mb == 512


def test_a_function_that_was_not_measured_is_refused() -> None:
    """The error says how to measure it."""
    with pytest.raises(DurationsError, match=r"without convert.*benchmarks memory"):
        durations(row("resize")).of("convert", 1024)


def test_the_benchmarks_results_are_read(tmp_path: Path) -> None:
    """Reading a written file gives the same rows and architecture."""
    assert measured(benchmark_file(tmp_path), Durations, COMMAND) == durations()


@pytest.mark.parametrize(
    "text",
    [None, "no JSON", "[]", "{}", '{"rows": []}', '{"rows": 5}', '{"rows": [1]}', '{"rows": [{"function": "resize"}]}'],
)
def test_a_file_from_elsewhere_is_refused(tmp_path: Path, text: str | None) -> None:
    """If the file is missing or malformed, the error names the command that writes one."""
    file = tmp_path / "memory.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DurationsError, match="python -m benchmarks memory --json FILE"):
        measured(file, Durations, COMMAND)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_mb": 0}, r">= 1 - at `\$\.rows\[0\]\.memory_mb"),
        ({"batch_size": "10"}, r"got `str` - at `\$\.rows\[0\]\.batch_size"),
        ({"fixed_ms": None}, "expected both of `fixed_ms` and `ms_per_megapixel` or neither"),
    ],
)
def test_a_row_with_an_invalid_number_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    """The error gives the row and the field."""
    file = benchmark_file(tmp_path)
    found = json.loads(file.read_text())
    found["rows"][0].update(changes)
    file.write_text(json.dumps(found))
    with pytest.raises(DurationsError, match=message):
        measured(file, Durations, COMMAND)
