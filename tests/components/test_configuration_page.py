"""docs/configuration.md and the command that writes it."""

import dataclasses
import re

from components.config import StackConfig, field_name
from components.configuration_page import COMMAND, PAGE, page


def test_the_page_is_current() -> None:
    """docs/configuration.md matches the command's output."""
    assert PAGE.read_text(encoding="utf-8") == page(), f"docs/configuration.md is stale: run `{COMMAND}`."


def test_the_page_has_a_row_for_each_setting() -> None:
    """The page names each field of `StackConfig` once."""
    keys = re.findall(r"^\| `(\w+)` \|", page(), re.MULTILINE)
    assert sorted(map(field_name, keys)) == sorted(field.name for field in dataclasses.fields(StackConfig))


def test_a_row_has_default_range_and_description() -> None:
    """A row has the key's default, its accepted values and its description."""
    row = "| `jpegQuality` | `100` | a whole number from 1 to 100 | JPEG quality of every output, 1 to 100 |"
    assert row in page().splitlines()
