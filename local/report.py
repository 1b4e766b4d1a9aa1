"""The report of a run: one page that finds, shows and compares the pictures in the folder beside it."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from handlers import imaging
from handlers.errors import RejectedImageError
from handlers.imaging.pixels.orientation import upright_size
from local.conversion import made
from local.output_folder import REPORT
from local.pages import content_policy, render
from local.pages.units import human_bytes, human_ms

STYLES = ("common.css", "report.css", "compare.css")
SCRIPTS = ("elements.js", "filters.js", "cards.js", "compare.js", "report.js")
IMAGES = "'self' file: data:"
"""Sources of the page's pictures, which is opened as a file or served from its folder; its icon is empty."""

MAX_SHOWN_PIXELS = 50_000_000
"""A master with more pixels was most likely rejected, and a browser should not decode it for a thumbnail."""

FORMATS = (*imaging.formats.FORMATS, *imaging.formats.FURTHER)
SHOWN_BY_BROWSERS = {"JPEG", "PNG", "GIF", "WEBP", "AVIF"}
NO_FORMAT = "none"
MAX_FACT = 120
MAX_NAMES = 50
OUTPUTS = ("converted", "thumbnail", "medium", "large")


@dataclass(frozen=True, kw_only=True)
class ReportedPicture:
    """A master with what became of it: its outputs by name, its record, and the reasons where it was rejected.

    `name` is the master's path below the master prefix; `master` and `outputs` are local files. `seconds` is the time
    from the upload until an output was written, by the output's name or `record`.
    """

    name: str
    master: Path
    outputs: Mapping[str, Path]
    record: Mapping[str, Any] | None
    rejections: Sequence[Mapping[str, Any]]
    warnings: Sequence[str] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)


def write_report(out: Path, summary: Mapping[str, Any], pictures: Sequence[ReportedPicture]) -> Path:
    """Write `report.html` into the folder `out`, whose pictures it links, and return its path."""
    rows = [_row(out, picture) for picture in pictures]
    page = render(
        "report.html.j2",
        styles=STYLES,
        scripts=SCRIPTS,
        policy=content_policy(SCRIPTS, images=IMAGES),
        summary=summary,
        rows=rows,
        filters=_filters(rows),
        reasons=_reasons(rows),
        max_names=MAX_NAMES,
    )
    path = out / REPORT
    path.write_text(page, encoding="utf-8")
    return path


def _row(out: Path, picture: ReportedPicture) -> dict[str, Any]:
    """Return a master's data for the page's script."""
    master, form = _file(out, "master", picture.master, None)
    files = [
        _file(out, label, picture.outputs[label], picture.seconds.get(label))[0] for label in _in_order(picture.outputs)
    ]
    seconds = picture.seconds.get("record")
    return {
        "name": picture.name,
        "state": _state(picture),
        "format": form,
        "made": made(picture.master, picture.outputs.get("converted"), picture.record) or "",
        "warnings": list(picture.warnings),
        "master": master,
        "files": files,
        "recorded": None if seconds is None else human_ms(1000 * seconds),
        "record": list(_facts(picture.record or {})),
        "rejections": [
            {name: str(found[name]) for name in ("branch", "error", "message")} for found in picture.rejections
        ],
    }


def _state(picture: ReportedPicture) -> str:
    if picture.rejections:
        return "rejected"
    return "done" if picture.outputs and picture.record else "missing"


def _in_order(outputs: Mapping[str, Path]) -> list[str]:
    return sorted(outputs, key=lambda label: (OUTPUTS.index(label) if label in OUTPUTS else len(OUTPUTS), label))


def _file(out: Path, label: str, path: Path, seconds: float | None) -> tuple[dict[str, Any], str]:
    """Read a picture's header; return the file's facts for the page, and the picture's format."""
    form, size = _header(path)
    there = path.is_file()
    return {
        "label": label,
        "href": quote(Path(os.path.relpath(path, out)).as_posix()) if there else "",
        "width": size[0],
        "height": size[1],
        "bytes": human_bytes(path.stat().st_size) if there else "not there",
        "after": "" if seconds is None else human_ms(1000 * seconds),
        "shown": there and form in SHOWN_BY_BROWSERS and size[0] * size[1] <= MAX_SHOWN_PIXELS,
    }, form


def _header(path: Path) -> tuple[str, tuple[int, int]]:
    """Return format and (width, height) in pixels, upright; no pixel is decoded."""
    try:
        with path.open("rb") as file:
            picture = imaging.open_picture(file, imaging.Limits(), formats=FORMATS)
            return picture.header.format, upright_size(picture.header.size, picture.exif.orientation)
    except (OSError, RejectedImageError):
        return NO_FORMAT, (0, 0)


def _filters(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[str, int]]]:
    """Return the values that each filter offers, with how many masters have them; most frequent first."""
    values = {
        "state": (row["state"] for row in rows),
        "format": (row["format"] for row in rows),
        "made": (row["made"] for row in rows if row["made"]),
        "warning": (warning for row in rows for warning in row["warnings"]),
        "reason": (error for row in rows for error in sorted({found["error"] for found in row["rejections"]})),
    }
    return {name: Counter(found).most_common() for name, found in values.items()}


def _reasons(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """Return the rejected masters by error, each with its name and the first message; the largest group first."""
    groups: dict[str, dict[str, str]] = {}
    for row in rows:
        for found in row["rejections"]:
            groups.setdefault(found["error"], {}).setdefault(row["name"], found["message"])
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {error: list(masters.items()) for error, masters in ordered}


def _facts(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a record's facts by name, the six strings first, nested ones with dots, long ones cut."""
    flat = {**record.get("metadata", {}), **{name: value for name, value in record.items() if name != "metadata"}}
    for name, value in flat.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{part}", text) for part, text in _facts(value))
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple | set) else str(value)
            yield name, text if len(text) <= MAX_FACT else text[:MAX_FACT] + "…"
