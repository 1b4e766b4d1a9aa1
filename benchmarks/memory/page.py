"""One HTML page that needs no other file: tables, plot, recommendations, links."""

import base64
from pathlib import Path

import jinja2

from benchmarks.memory.plot import plot
from benchmarks.memory.report import COLUMNS, MemoryReport, cells

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{{ r.title }}</title>
<style>body{font:15px sans-serif;max-width:1420px;margin:2em auto;padding:0 1em}td,th{padding:2px 9px;text-align:right}
th{border-bottom:1px solid #999}td:last-child,th:last-child{text-align:left}.bad{color:#b33}img{max-width:100%}</style>
<h1>{{ r.title }}</h1><p>{{ r.question }}</p>
<p><img src="data:image/png;base64,{{ plot }}" alt="cost, batch and image times against memory"></p>
<ul>{% for line in r.lines() %}<li>{{ line }}</li>{% endfor %}</ul>
{% for function in r.advice %}<h2>{{ function }}</h2>
<table><tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}<th>verdict</th></tr>
{% for row in r.of(function) %}<tr{% if row.verdict != "ok" %} class="bad"{% endif %}>
{% for cell in cells(row) %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>
{% if function in links %}<p><a href="{{ links[function] }}">as aws-lambda-power-tuning shows it</a></p>{% endif %}
{% endfor %}
<p>{% for name, value in r.machine.items() %}{{ name }} {{ value }}{{ ", " if not loop.last }}{% endfor %}</p>
</html>
"""


def write(report: MemoryReport, html_file: Path) -> None:
    """Write the page, and its plot as PNG beside it."""
    drawn = plot(report)
    html_file.with_suffix(".png").write_bytes(drawn)
    template = jinja2.Environment(autoescape=True).from_string(PAGE)
    html_file.write_text(
        template.render(
            r=report,
            cells=cells,
            columns=list(COLUMNS),
            links=report.links(),
            plot=base64.b64encode(drawn).decode("ascii"),
        ),
        encoding="utf-8",
    )
