"""What a benchmark found: as a table, as JSON, as a plot, and as one HTML page that needs no other file."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Samples, machine

BAR_PX, LEFT_PX, RIGHT_PX, WIDTH_PX = 26, 330, 90, 1000
INK, BAR, WHISKER = (40, 40, 40), (96, 150, 200), (200, 80, 60)

PAGE = """<!doctype html><meta charset="utf-8"><title>{{ f.title }}</title>
<style>body{font:15px sans-serif;max-width:1020px;margin:2em auto}td,th{padding:2px 10px;text-align:right}
td:first-child,th:first-child{text-align:left}</style>
<h1>{{ f.title }}</h1><p>{{ f.question }}</p>
<table><tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</table>
<p><img src="data:image/png;base64,{{ plot }}" alt="medians and quartiles"></p>
<ul>{% for note in f.notes %}<li>{{ note }}</li>{% endfor %}</ul>
<p>{% for name, value in machine.items() %}{{ name }} {{ value }}{{ ", " if not loop.last }}{% endfor %}</p>
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table; `facts` are further columns."""

    name: str
    samples: Samples
    facts: dict[str, Any] = field(default_factory=dict)

    def cells(self) -> dict[str, str]:
        """Return the line's cells by column."""
        low, high = self.samples.spread
        return {
            "what": self.name,
            "median": f"{self.samples.median:,.2f} {self.samples.unit}",
            "quartiles": f"{low:,.2f} to {high:,.2f}",
            **{name: f"{value:,.2f}" if isinstance(value, float) else str(value) for name, value in self.facts.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The answer to one question."""

    title: str
    question: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()

    def show(self, json_file: Path | None, html_file: Path | None) -> None:
        """Print the table, and write the files that are asked for; a plot as PNG lies beside the page."""
        console = Console() if Console().is_terminal else Console(width=160)
        columns, rows = self._table()
        table = Table(*columns, title=f"{self.title}: {self.question}", title_justify="left")
        for row in rows:
            table.add_row(*row)
        console.print(table)
        for note in [*self.notes, ", ".join(f"{name} {value}" for name, value in machine().items())]:
            console.print(note)
        if json_file:
            json_file.write_text(json.dumps(self._plain(), indent=1) + "\n", encoding="utf-8")
        if html_file:
            html_file.with_suffix(".png").write_bytes(self._plot())
            html_file.write_text(self._page(), encoding="utf-8")

    def _table(self) -> tuple[list[str], list[list[str]]]:
        lines = [row.cells() for row in self.rows]
        columns = list(dict.fromkeys(name for line in lines for name in line))
        return columns, [[line.get(name, "") for name in columns] for line in lines]

    def _plain(self) -> dict[str, Any]:
        rows = [
            {
                "name": row.name,
                "unit": row.samples.unit,
                "runs": len(row.samples.values),
                "median": row.samples.median,
                "quartiles": row.samples.spread,
                "values": list(row.samples.values),
                **row.facts,
            }
            for row in self.rows
        ]
        return {**asdict(self), "rows": rows, "machine": machine()}

    def _page(self) -> str:
        columns, rows = self._table()
        template = jinja2.Environment(autoescape=True).from_string(PAGE)
        plot = base64.b64encode(self._plot()).decode()
        return template.render(f=self, columns=columns, rows=rows, plot=plot, machine=machine())

    def _plot(self) -> bytes:
        """Draw a bar to each median, and a line from quartile to quartile; each unit has a scale of its own."""
        image = Image.new("RGB", (WIDTH_PX, BAR_PX * len(self.rows) + 10), "white")
        draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
        for number, row in enumerate(self.rows):
            longest = max(other.samples.spread[1] for other in self.rows if other.samples.unit == row.samples.unit)
            scale = (WIDTH_PX - LEFT_PX - RIGHT_PX) / (longest or 1)
            top, (low, high) = BAR_PX * number + 5, row.samples.spread
            end, middle = LEFT_PX + row.samples.median * scale, top + BAR_PX // 2 - 3
            draw.text((5, top + 2), row.name, INK, font)
            draw.rectangle((LEFT_PX, top, end, top + BAR_PX - 7), BAR)
            draw.line((LEFT_PX + low * scale, middle, LEFT_PX + high * scale, middle), WHISKER, 2)
            label_x = max(end, LEFT_PX + high * scale) + 5
            draw.text((label_x, top + 2), f"{row.samples.median:,.1f} {row.samples.unit}", INK, font)
        file = io.BytesIO()
        image.save(file, "PNG")
        return file.getvalue()
