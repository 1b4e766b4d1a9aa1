"""The README says what is so."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_file_that_it_names_is_there() -> None:
    """No path in the file map, and no link, leads nowhere."""
    named = re.findall(
        r"`((?:components|handlers|local|ops|benchmarks|docs|provider|examples|policy)/[\w./]*)`|\]\(([\w./]+)\)",
        README,
    )
    paths = {path for pair in named for path in pair if path}
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
