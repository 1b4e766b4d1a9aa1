"""The settings that all benchmarks share have one definition."""

from benchmarks import conformance, contestants, differences, quality


def test_conformance_and_quality_use_the_contestants_settings() -> None:
    """All of them use the same sizes and the same background."""
    assert vars(conformance)["WIDTHS"] is vars(quality)["WIDTHS"] is contestants.WIDTHS
    assert vars(differences)["WHITE"] is vars(quality)["WHITE"] is contestants.WHITE
