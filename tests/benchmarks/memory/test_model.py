"""The timing model: calibration recovers its parameters, within physical bounds."""

from dataclasses import replace

import pytest

from benchmarks.memory.model import Model, calibrate
from benchmarks.memory.request import FUNCTIONS
from benchmarks.memory.trial import Trial

from .conftest import figures

TRUE = Model(serial=0.3, wait_s=0.05)


def trials(model: Model, *shares: float) -> list[Trial]:
    """Return a trial for each share of CPU, with batches whose times follow the model exactly."""
    return [
        Trial(
            function=FUNCTIONS["resize"],
            memory_mb=1024,
            vcpus=share,
            how="measured",
            found=[(["a"], figures(model.wall_s(cpu_s, share), cpu_s, ["a"])) for cpu_s in (0.1, 0.5, 0.9, 0.1, 0.1)],
        )
        for share in shares
    ]


def test_calibration_recovers_the_parameters() -> None:
    """Points from a quarter of a core to two cores recover the serial part and the wait."""
    found = calibrate(trials(TRUE, 0.25, 1, 2))
    assert found.serial == pytest.approx(TRUE.serial)
    assert found.wait_s == pytest.approx(TRUE.wait_s)
    assert found.worst_miss(trials(TRUE, 0.25, 2)) == pytest.approx(0)
    assert replace(TRUE, wait_s=0.1).worst_miss(trials(TRUE, 2, 0.25)) == pytest.approx(0.05 / TRUE.wall_s(0.7, 2))


def test_work_measured_on_one_core_counts_as_parallel() -> None:
    """Points of at most one core do not show the benefit of a second."""
    found = calibrate(trials(TRUE, 0.5, 1))
    assert found.serial == 0
    assert found.wait_s == pytest.approx(TRUE.wait_s)


@pytest.mark.parametrize(
    "wrong", [Model(serial=-0.4, wait_s=0.05), Model(serial=1.6, wait_s=0), Model(serial=0.2, wait_s=-0.05)]
)
def test_calibration_stays_within_physical_bounds(wrong: Model) -> None:
    """Noise does not push the serial part outside 0 to 1, or the wait below 0."""
    found = calibrate(trials(wrong, 0.5, 1, 2))
    assert 0 <= found.serial <= 1
    assert found.wait_s >= 0


def test_calibration_finds_the_best_fit_within_the_bounds() -> None:
    """No other model within the bounds fits the points better."""
    made = trials(Model(serial=0.2, wait_s=-0.05), 0.5, 1, 2)

    def missed(model: Model) -> float:
        return sum(
            (model.wall_s(batch.cpu_s, trial.vcpus) / batch.wall_s - 1) ** 2
            for trial in made
            for _, batch in trial.batches
        )

    others = [Model(serial=part / 100, wait_s=wait_s) for part in range(101) for wait_s in (0.0, 0.01)]
    assert missed(calibrate(made)) <= min(map(missed, others))


def test_a_smaller_share_slows_batches_and_images() -> None:
    """On half a core the CPU time doubles, and each image's time grows with its batch's."""
    batch = (["a"], figures(1.05, 1.0, ["a"]))
    ((keys, found),) = Model(serial=0, wait_s=0.05).batches([batch], 0.5)
    assert keys == ["a"]
    assert found.wall_s == pytest.approx(2.05)
    assert found.images[0].duration_ms == pytest.approx(500 * 2.05)


def test_serial_work_gains_nothing_from_a_second_core() -> None:
    """Fully serial work takes as long on two cores as on one."""
    assert Model(serial=1, wait_s=0).wall_s(1.0, 2) == Model(serial=1, wait_s=0).wall_s(1.0, 1) == 1
