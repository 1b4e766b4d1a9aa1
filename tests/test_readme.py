"""The README's statements are true."""

import re
from pathlib import Path

from click.testing import CliRunner

from costs.command import estimate_command

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_named_file_exists() -> None:
    """Each path in the file map and each link leads to an existing file."""
    named = re.findall(
        r"`((?:components|handlers|local|ops|benchmarks|docs|provider|examples|policy)/[\w./]*)`|\]\(([\w./]+)\)",
        README,
    )
    paths = {path for pair in named for path in pair if path}
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_cost_at_the_top_matches_the_command() -> None:
    """The cost of a million pictures with the default settings and the ratio to the reference set-up are current."""
    result = CliRunner().invoke(estimate_command, [])
    found = re.match(
        r"1,000,000 pictures .* cost ([\d.]+) US dollars, the reference set-up ([\d.]+) times", result.output
    )
    assert found, result.output
    stated = re.search(
        r"cost (\d+) US dollars\*\* with the default settings; the reference set-up costs ([\d.]+) times", README
    )
    assert stated
    current = (round(float(found[1])), float(found[2]))
    assert (int(stated[1]), float(stated[2])) == current, "enter the cost and the ratio that `python -m costs` prints"


def test_the_readme_takes_three_minutes_to_read() -> None:
    """The text before the first extension takes three minutes at 200 words a minute."""
    assert len(README.partition("## A fourth branch")[0].split()) < 600
