"""How a converted picture was made from its master: copied, re-encoded or salvaged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handlers.errors import RejectedImageError
from handlers.imaging.formats.jpeg_decoder import END_OF_IMAGE
from handlers.imaging.formats.jpeg_markers import SOS, is_metadata, walk
from handlers.imaging.source import Source


def made(master: Path, converted: Path | None, record: Mapping[str, Any] | None) -> str | None:
    """Return `copied`, `re-encoded` or `salvaged`; None for a master that has no converted picture.

    The record says whether the picture was salvaged. A copy has the master's coded picture, bit for bit.
    """
    if converted is None or not converted.is_file():
        return None
    if record and record.get("salvaged"):
        return "salvaged"
    return "copied" if _same_picture(master, converted) else "re-encoded"


def _same_picture(master: Path, converted: Path) -> bool:
    """Return whether two JPEGs have the same tables and coded data; their metadata may differ."""
    source, copy = master.read_bytes(), converted.read_bytes()
    if not source.startswith(b"\xff\xd8"):
        return False
    try:
        (source_tables, start), (copy_tables, copy_start) = _coded(source), _coded(copy)
    except RejectedImageError:
        return False
    coded = copy[copy_start:].removesuffix(END_OF_IMAGE)
    return source_tables == copy_tables and source.startswith(coded, start)


def _coded(jpeg: bytes) -> tuple[list[bytes], int]:
    """Return the segments that decoding needs, and where the coded data begin."""
    tables: list[bytes] = []
    for segment in walk(Source(jpeg, len(jpeg))):
        if segment.marker == SOS:
            return tables, segment.start
        if not is_metadata(segment.marker):
            tables.append(jpeg[segment.start : segment.end])
    return tables, len(jpeg)
