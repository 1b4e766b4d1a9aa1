"""The report of a run: one HTML file, with every master beside what became of it."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image, ImageOps

REPORT = "report.html"
THUMBNAIL_PX = 200
MAX_PICTURES = 300
"""Masters that are shown; at about 15 KB each, a page of more would be slow to open."""

MAX_PIXELS = 50_000_000
"""A larger master has most likely been rejected for that; it is not decoded for its thumbnail."""

FORMATS = ("JPEG", "PNG", "GIF")
MAX_FACT = 120
OUTPUTS = ("converted", "thumbnail", "medium", "large")


@dataclass(frozen=True, kw_only=True)
class ReportedPicture:
    """A master with what became of it: its outputs by name, its record, and the reasons where it was rejected.

    `name` is the master's path below the master prefix; `master` and `outputs` are local files.
    """

    name: str
    master: Path
    outputs: Mapping[str, Path]
    record: Mapping[str, Any] | None
    rejections: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of the page: its label, (width, height) in pixels, size, and itself scaled down as a data URI."""

    label: str
    size: tuple[int, int] | None
    size_bytes: int
    uri: str | None


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """One master of the page."""

    name: str
    state: str
    master: Tile
    outputs: Sequence[Tile]
    record: Sequence[tuple[str, str]]
    rejections: Sequence[Mapping[str, Any]]


def write_report(out: Path, summary: Mapping[str, Any], pictures: Sequence[ReportedPicture]) -> Path:
    """Write `report.html` into the folder `out`, which needs no other file, and return its path."""
    shown = _choose(pictures)
    page = _template().render(
        summary=summary,
        rows=[_row(picture) for picture in shown],
        left_out=len(pictures) - len(shown),
        limit=MAX_PICTURES,
    )
    path = out / REPORT
    path.write_text(page, encoding="utf-8")
    return path


def human_bytes(count: float) -> str:
    """Return a number of bytes for people: 1234567 -> `1.2 MB`."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:  # noqa: PLR2004 the step between the units
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"  # noqa: PLR2004
        count /= 1000
    return f"{count:.1f} GB"


def human_ms(milliseconds: float) -> str:
    """Return a duration for people: 12345 -> `12.3 s`."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"  # noqa: PLR2004


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(bytes=human_bytes, ms=human_ms)
    return environment.get_template("report.html.j2")


def _choose(pictures: Sequence[ReportedPicture]) -> Sequence[ReportedPicture]:
    """Return the pictures to show, in order; where they are too many, those with something to say come first."""
    if len(pictures) <= MAX_PICTURES:
        return pictures
    telling = sorted(range(len(pictures)), key=lambda index: (_state(pictures[index]) == "done", index))
    return [pictures[index] for index in sorted(telling[:MAX_PICTURES])]


def _row(picture: ReportedPicture) -> ReportRow:
    return ReportRow(
        name=picture.name,
        state=_state(picture),
        master=_tile("master", picture.master),
        outputs=[_tile(label, picture.outputs[label]) for label in _in_order(picture.outputs)],
        record=list(_facts(picture.record or {})),
        rejections=picture.rejections,
    )


def _state(picture: ReportedPicture) -> str:
    if picture.rejections:
        return "rejected"
    return "done" if picture.outputs and picture.record else "missing"


def _in_order(outputs: Mapping[str, Path]) -> list[str]:
    return sorted(outputs, key=lambda label: (OUTPUTS.index(label) if label in OUTPUTS else len(OUTPUTS), label))


def _tile(label: str, path: Path) -> Tile:
    """Look at a picture; one that Pillow cannot show has no URI, one that is not there has no bytes."""
    size, uri = None, None
    try:
        with Image.open(path, formats=FORMATS) as image:
            size = image.size
            image.draft("RGB", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
            if image.width * image.height <= MAX_PIXELS:
                uri = _data_uri(image)
    except Exception:  # noqa: BLE001 hostile masters make Pillow raise anything, and a page shows the others
        uri = None
    return Tile(label=label, size=size, size_bytes=path.stat().st_size if path.is_file() else 0, uri=uri)


def _data_uri(image: Image.Image) -> str:
    """Return a picture scaled down, upright; transparency is kept, so that it shows."""
    small = ImageOps.exif_transpose(_eight_bit(image))
    transparent = small.has_transparency_data
    small = small.convert("RGBA" if transparent else "RGB")
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    file = io.BytesIO()
    if transparent:
        small.save(file, "PNG", optimize=True)
        return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    small.save(file, "JPEG", quality=72)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return a picture of 16-bit levels scaled to 8: a plain conversion would clip them to white."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda level: level / 257).convert("L")
    return image


def _facts(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a record's facts by name, the six strings first, nested ones with dots, long ones cut."""
    flat = {**record.get("metadata", {}), **{name: value for name, value in record.items() if name != "metadata"}}
    for name, value in flat.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{part}", text) for part, text in _facts(value))
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple | set) else str(value)
            yield name, text if len(text) <= MAX_FACT else text[:MAX_FACT] + "…"
