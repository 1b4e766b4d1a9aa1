"""The README's statements are true."""

import re
from pathlib import Path

from click.testing import CliRunner

from costs.command import estimate_command

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_file_that_it_names_is_there() -> None:
    """Each path in the file map and each link leads to an existing file."""
    named = re.findall(
        r"`((?:components|handlers|local|ops|benchmarks|docs|provider|examples|policy)/[\w./]*)`|\]\(([\w./]+)\)",
        README,
    )
    paths = {path for pair in named for path in pair if path}
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_cost_at_the_top_is_what_the_command_prints() -> None:
    """The cost of a million pictures with the default settings and the ratio to the reference set-up are current."""
    result = CliRunner().invoke(estimate_command, [])
    found = re.match(r"A million pictures cost ([\d.]+) US dollars, the reference set-up ([\d.]+) times", result.output)
    assert found
    said = re.search(
        r"cost (\d+) US dollars\*\* with the default settings; the reference set-up costs ([\d.]+) times", README
    )
    assert said
    assert (int(said[1]), float(said[2])) == (round(float(found[1])), round(float(found[2]), 1))


def test_it_is_read_in_three_minutes() -> None:
    """The text before the first extension takes three minutes at 200 words a minute."""
    assert len(README.partition("## A fourth branch")[0].split()) < 600
