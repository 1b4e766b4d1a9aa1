"""A row's figures: billing, cost, intervals, and the line fitted to time over megapixels."""

import pytest

from benchmarks.memory.mix import Plan, Sample
from benchmarks.memory.request import FUNCTIONS
from benchmarks.memory.rows import Measurement, row
from benchmarks.memory.sizes import billed_ms, cores_seen, invocation_cost, vcpus
from benchmarks.memory.trial import Trial
from components.prices import LAMBDA_GB_SECOND, LAMBDA_REQUEST

from .conftest import figures

KEYS = ["0", "1", "2", "3"]
MASTERS = {key: Sample(key=key, kind="camera", pixels=1_000_000 * (1 + int(key)), data=b"x" * 100_000) for key in KEYS}
PLAN = Plan(masters=MASTERS, batches=[[key] for key in KEYS], heaviest=["3"], lightest=["0"])


def summed(walls_s: list[float], **facts: object) -> Measurement:
    """Return the row of batches of one image each."""
    batches = [([key], figures(wall_s, wall_s, [key])) for key, wall_s in zip(KEYS, walls_s, strict=False)]
    trial = {"function": FUNCTIONS["resize"], "memory_mb": 1024, "vcpus": 0.58, "how": "measured", "peak_mb": 512.0}
    found = [(["3"], figures(9.0, 9.0, ["3"])), *batches, batches[-1], batches[0]]
    return row(Trial(**{**trial, **facts, "found": found}), PLAN, "arm64", 50_000_000)  # type: ignore[arg-type]


def test_billed_time_is_rounded_up_to_milliseconds() -> None:
    """Floating-point error does not round a whole millisecond up."""
    assert [billed_ms(wall_s) for wall_s in (0.1, 0.1001, 0.0001, 0.29 * 3)] == [100, 101, 1, 870]


def test_an_invocation_costs_gb_seconds_and_a_request() -> None:
    """One second at 512 MB is half a GB-second."""
    assert invocation_cost(1, 512, "x86_64") == pytest.approx(LAMBDA_GB_SECOND["x86_64"] / 2 + LAMBDA_REQUEST)


def test_cpu_follows_memory() -> None:
    """1,769 MB give one vCPU, the largest size less than six; even the smallest size sees two cores."""
    assert [vcpus(size) for size in (1769, 3538)] == [1, 2]
    assert 5.7 < vcpus(10_240) < 6
    assert [cores_seen(size) for size in (128, 3008, 3009, 10_240)] == [2, 2, 3, 6]


def test_a_row_counts_cost_per_million_images() -> None:
    """Each image takes a tenth of a second at 1 GB, and equal batches have an interval of zero width."""
    found = summed([0.1, 0.1, 0.1, 0.1])
    assert found.cost_per_million == pytest.approx(1e6 * (LAMBDA_GB_SECOND["arm64"] / 10 + LAMBDA_REQUEST), abs=1e-3)
    assert found.cost_low == found.cost_high == found.cost_per_million
    assert (found.batch_p50_ms, found.p50_ms, found.images, found.headroom_percent) == (100, 50, 4, 100)


def test_one_batch_has_no_interval() -> None:
    """Resampling a single batch always returns the same batch."""
    found = summed([0.1])
    assert (found.cost_low, found.cost_high) == (None, None)
    assert found.cost_per_million


def test_different_batches_widen_the_interval() -> None:
    """The mean lies within it."""
    found = summed([0.1, 0.4, 0.1, 0.4])
    assert found.cost_low is not None
    assert found.cost_high is not None
    assert found.cost_per_million is not None
    assert found.cost_low < found.cost_per_million < found.cost_high


def test_the_fit_finds_the_line_over_megapixels() -> None:
    """The fit finds 20 ms per image and 30 ms per megapixel."""
    found = summed([0.050, 0.080, 0.110, 0.140])
    assert found.fixed_ms == pytest.approx(20)
    assert found.ms_per_megapixel == pytest.approx(30)


@pytest.mark.parametrize(("walls_s", "fixed_ms"), [([0.4, 0.3, 0.2, 0.1], 250), ([0.001, 0.1, 0.2, 0.3], 0)])
def test_no_part_of_the_line_is_negative(walls_s: list[float], fixed_ms: float) -> None:
    """If the fit gives a negative part, that part is 0 and the other explains the time."""
    found = summed(walls_s)
    assert found.fixed_ms == pytest.approx(fixed_ms, abs=0.01)
    assert found.ms_per_megapixel is not None
    assert found.ms_per_megapixel >= 0


def test_a_size_that_is_too_small_has_a_reason_and_no_figures() -> None:
    """The times of rejections would look fast."""
    found = summed([0.1, 0.1, 0.1, 0.1], problem="it was killed: out of memory")
    assert (found.verdict, found.why) == ("too small", "it was killed: out of memory")
    assert found.cost_per_million is found.batch_p50_ms is found.headroom_percent is None
