"""The documentation site: its pages, the objects on the API pages, and the links of all pages."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.stack_file import ROOT
from tests.headings import anchors

DOCS = ROOT / "docs"
API_ENTRIES = [
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


@pytest.mark.parametrize("name", API_ENTRIES)
def test_every_api_entry_exists_and_has_a_docstring(name: str) -> None:
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


PAGES = [
    *ROOT.glob("*.md"),
    *(page for folder in ("docs", "examples", "policy", "provider") for page in (ROOT / folder).rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Each relative link leads to an existing file, and its anchor to a heading of that file."""
    for file, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8")):
        target = page.parent / file if file else page
        assert target.exists(), f"expected a file, got {file}"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"no heading for {file}#{anchor}"


def test_anchors_are_those_that_github_and_the_site_share() -> None:
    """A dash between spaces or an accent gives two different anchors, and code blocks have no headings."""
    page = "# One (machine)\n\n## A `b_c` - d\n\n### Café\n\n```\n# a comment\n```\n## Last, not least\n"
    assert anchors(page) == {"one-machine", "last-not-least"}
