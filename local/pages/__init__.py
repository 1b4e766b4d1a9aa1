"""The pages of the local run: Jinja templates, with their styles and scripts beside them as plain files."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from local.pages.units import human_ms

FOLDER = Path(__file__).parent


def render(template: str, *, styles: Sequence[str], scripts: Sequence[str], policy: str, **values: Any) -> str:
    """Return a page that holds its styles and scripts, which are named by their files; every value is escaped.

    `policy` is the page's Content-Security-Policy; empty if the server sends it.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ms"] = human_ms
    style, script = _joined(styles), _joined(scripts)
    return environment.get_template(template).render(style=style, script=script, policy=policy, **values)


def content_policy(scripts: Sequence[str], *, images: str, connect: str = "'none'") -> str:
    """Return a Content-Security-Policy that allows only the page's own scripts, by their hash."""
    digest = base64.b64encode(hashlib.sha256(_joined(scripts).encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src {images}; connect-src {connect}; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _joined(files: Sequence[str]) -> str:
    return "\n".join((FOLDER / file).read_text(encoding="utf-8") for file in files)
