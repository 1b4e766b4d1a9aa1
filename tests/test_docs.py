"""The documentation site: its pages, the objects on the API pages, and the links between pages."""

import importlib
import json
import re
from typing import Any

import pytest
import yaml

from components.stack_file import ROOT

DOCS = ROOT / "docs"
NAMED = [
    name
    for page in sorted((DOCS / "api").glob("*.md"))
    for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
]


def pages(entries: list[dict[str, Any]]) -> list[str]:
    """Return the files of a navigation tree."""
    found = (value for entry in entries for value in entry.values())
    return [file for value in found for file in (pages(value) if isinstance(value, list) else [value])]


def test_every_page_is_in_the_navigation() -> None:
    """Each page is in the navigation exactly once, and each entry exists."""
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(pages(navigation)) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


@pytest.mark.parametrize("name", NAMED)
def test_what_an_api_page_names_is_there_and_says_what_it_is(name: str) -> None:
    """Each entry is a module or a member of one, and has a docstring."""
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        found = getattr(importlib.import_module(module), attribute)
    assert found.__doc__


def test_metadata_on_a_command_line_is_json() -> None:
    """The AWS CLI's shorthand syntax treats a comma as a separator."""
    page = (DOCS / "use-it-in-your-app.md").read_text(encoding="utf-8")
    (metadata,) = re.findall(r"--metadata '(.*)'", page)
    assert page.count("--metadata") == 1
    assert json.loads(metadata) == {"focal-point": "0.3,0.7"}


def test_every_link_between_pages_leads_somewhere() -> None:
    """Each relative link leads to an existing file."""
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
