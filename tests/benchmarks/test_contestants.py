"""What all benchmarks measure with is said once."""

from benchmarks import conformance, contestants, differences, quality


def test_conformance_and_quality_take_what_the_contestants_take() -> None:
    """The same sizes over the same background."""
    assert vars(conformance)["WIDTHS"] is vars(quality)["WIDTHS"] is contestants.WIDTHS
    assert vars(differences)["WHITE"] is vars(quality)["WHITE"] is contestants.WHITE
