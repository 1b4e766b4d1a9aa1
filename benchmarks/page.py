"""A self-contained HTML page for every report: question, chart, tables, notes and the machine."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

TEMPLATE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{{ page.title }}</title>
<style>body{font:15px sans-serif;max-width:1420px;margin:2em auto;padding:0 1em}img{max-width:100%}.bad{color:#b33}
td,th{padding:2px 9px;text-align:right}td:first-child,th:first-child{text-align:left}th{border-bottom:1px solid #999}
</style>
<h1>{{ page.title }}</h1><p>{{ page.question }}</p>
<p><img src="data:image/png;base64,{{ chart }}" alt="{{ page.chart_shows }}"></p>
<ul>{% for note in page.notes %}<li>{{ note }}</li>{% endfor %}</ul>
{% for table in page.tables %}{% if table.heading %}<h2>{{ table.heading }}</h2>{% endif %}
<table><tr>{% for name in table.columns %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in table.rows %}<tr{% if loop.index0 in table.bad %} class="bad"{% endif %}>
{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>
{% if table.link %}<p><a href="{{ table.link }}">{{ table.link_text }}</a></p>{% endif %}
{% endfor %}
<p>{% for name, value in page.machine.items() %}{{ name }} {{ value }}{{ ", " if not loop.last }}{% endfor %}</p>
</html>
"""


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """One table; `bad` are the numbers of rows, from 0, that are shown in red."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    heading: str = ""
    bad: Collection[int] = ()
    link: str = ""
    link_text: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a report shows; `chart` is a PNG, and `chart_shows` its alternative text."""

    title: str
    question: str
    chart: bytes
    chart_shows: str
    tables: Sequence[PageTable]
    notes: Sequence[str]
    machine: Mapping[str, object]

    def write(self, file: Path) -> None:
        """Write the page, and its chart as PNG beside it."""
        template = jinja2.Environment(autoescape=True).from_string(TEMPLATE)
        text = template.render(page=self, chart=base64.b64encode(self.chart).decode("ascii"))
        file.with_suffix(".png").write_bytes(self.chart)
        file.write_text(text, encoding="utf-8")
