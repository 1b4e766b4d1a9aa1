"""A report: question, tables, notes and machine on the terminal, with its chart as a self-contained HTML page too."""

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jinja2
from rich.console import Console

from costs.console import print_numbers, wide_console

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

    def print_to(self, console: Console) -> None:
        """Print it on a terminal."""
        print_numbers(console, self.columns, self.rows, title=self.heading or None, bad=self.bad)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a report shows; `chart` draws a PNG, and `chart_shows` is its alternative text."""

    title: str
    question: str
    chart: Callable[[], bytes]
    chart_shows: str
    tables: Sequence[PageTable]
    notes: Sequence[str]
    machine: Mapping[str, object]

    def show(self, plain: object, json_file: Path | None, html_file: Path | None) -> None:
        """Print it, and write the chosen files: `plain` as JSON, and the page, with its chart as PNG beside it."""
        console = wide_console()
        say = partial(console.print, highlight=False, soft_wrap=True)
        say(f"{self.title}: {self.question}")
        for table in self.tables:
            table.print_to(console)
            if table.link:
                say(f"{table.heading} {table.link_text}: {table.link}")
        for note in [*self.notes, ", ".join(f"{name} {value}" for name, value in self.machine.items())]:
            say(note)
        if json_file:
            json_file.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
        if html_file:
            self._write(html_file)

    def _write(self, file: Path) -> None:
        template, chart = jinja2.Environment(autoescape=True).from_string(TEMPLATE), self.chart()
        text = template.render(page=self, chart=base64.b64encode(chart).decode("ascii"))
        file.with_suffix(".png").write_bytes(chart)
        file.write_text(text, encoding="utf-8")
