"""The README says what is so."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_configuration_table_is_the_projects() -> None:
    """Each key stands in the table with its type, default and description as Pulumi.yaml has them."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", README, re.MULTILINE))
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert rows == {
        key: f"{setting['type']} | `{as_text(setting['default'])}` | {setting['description']}"
        for key, setting in declared.items()
    }


def test_every_file_that_it_names_is_there() -> None:
    """No path in the file map, and no link, leads nowhere."""
    named = re.findall(r"`((?:components|handlers|local|ops|benchmarks|docs)/[\w./]*)`|\]\(([\w./]+)\)", README)
    paths = {path for pair in named for path in pair if path}
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def as_text(default: object) -> str:
    """Return a default as the table shows it."""
    return default if isinstance(default, str) else json.dumps(default)
