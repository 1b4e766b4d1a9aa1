"""Anchors of a Markdown page, as far as GitHub and the documentation site give a heading the same one."""

import re
import unicodedata


def anchor(heading: str) -> str:
    """Return a heading's anchor on GitHub."""
    return re.sub(r"[^\w-]", "", heading.strip().lower().replace(" ", "-"))


def anchors(page: str) -> set[str]:
    """Return the anchors that lead to a heading of a page on GitHub and on the site.

    Both number repeated headings, each in its own way, so only the first of them counts.
    """
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {anchor(heading) for heading in headings if anchor(heading) == _anchor_on_site(heading)}


def _anchor_on_site(heading: str) -> str:
    """Return a heading's anchor by Python-Markdown. Source: `slugify` in markdown/extensions/toc.py."""
    ascii_only = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip().lower())
