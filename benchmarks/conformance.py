"""Does every file come out right, and does none do harm? Each in a child process, against libvips where there is it."""

import gc
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import click
from PIL import Image
from rich.table import Table
from rich.text import Text

from benchmarks import peer
from benchmarks.contestants import WIDTHS
from benchmarks.differences import difference_of
from benchmarks.guarded import run_guarded
from benchmarks.memory.sizes import SMALLEST_MB
from benchmarks.options import json_option, number
from components.errors import NOT_AS_EXPECTED
from costs.console import print_texts, wide_console
from handlers.errors import RejectedImageError
from handlers.imaging import Jpeg, Limits, Picture, convert, describe, load_formats, open_picture, resize
from handlers.imaging.formats import FORMATS, FURTHER

ALL_FORMATS = (*FORMATS, *FURTHER)
MOST_MB = 1_048_576


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One file's row; a difference without a reason, a crash or a time-out fails the run."""

    file: str
    verdict: str
    reason: str = ""
    difference: str = ""
    explained: bool = True
    seconds: float = 0.0
    peak_mb: float = 0.0

    @property
    def failed(self) -> bool:
        """Return whether this row fails the run."""
        return self.verdict in ("crash", "time-out", "wrong") or not self.explained


def _formats(_context: click.Context, _option: click.Parameter, names: str) -> list[str]:
    """Return the names of formats, whose decoders must be here.

    Raises: click.BadParameter.
    """
    formats = names.split(",")
    try:
        load_formats(formats)
    except (ValueError, ImportError) as error:
        raise click.BadParameter(str(error)) from error
    return formats


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
@click.option(
    "--timeout", "timeout_s", default=60.0, type=number(0.1, 3600, "seconds"), help="Seconds a file may take."
)
@click.option(
    "--memory",
    "memory_mb",
    default=2048,
    type=click.IntRange(SMALLEST_MB, MOST_MB),
    help="MB of memory that a file may take; limits its pixels.",
)
@click.option(
    "--formats", default=",".join(ALL_FORMATS), callback=_formats, help="Formats to accept, as in inputFormats."
)
@click.option("--peer/--no-peer", "use_peer", default=True, help="Compare with libvips.")
def conformance(
    paths: tuple[Path, ...],
    json_file: Path | None,
    timeout_s: float,
    memory_mb: int,
    formats: Sequence[str],
    *,
    use_peer: bool,
) -> None:
    """Check convert, resize and describe on files and folders."""
    compare = use_peer and peer.available()
    files = sorted(set(_files(paths)))
    if not files:
        got = ", ".join(map(str, paths))
        raise click.BadParameter(
            f"expected files, or folders that hold some, got {got} without any file: name others", param_hint="PATHS"
        )
    gc.freeze()  # What is imported is not looked at again before each file.
    findings = [examine(file, formats, timeout_s=timeout_s, memory_mb=memory_mb, compare=compare) for file in files]
    _print(findings, compared=compare)
    if json_file:
        json_file.write_text(json.dumps([asdict(finding) for finding in findings], indent=1), encoding="utf-8")
    if any(finding.failed for finding in findings):
        raise SystemExit(NOT_AS_EXPECTED)


def examine(file: Path, formats: Sequence[str], *, timeout_s: float, memory_mb: int, compare: bool) -> Finding:
    """Examine one file in guarded children: one for PixelCascade's calls, one for libvips."""
    limits = Limits.for_memory(memory_mb)
    outcome = run_guarded(_three_calls, file, limits, formats, timeout_s=timeout_s, memory_mb=memory_mb)
    verdict, reason = "crash", outcome.crash or ""
    if outcome.timed_out:
        verdict, reason = "time-out", f"more than {timeout_s:g} s"
    elif outcome.crash is None:
        verdict, reason = outcome.value
    difference, explained = "", True
    if compare and verdict in ("ok", "rejected"):
        compared = run_guarded(difference_of, file, limits, formats, timeout_s=4 * timeout_s, memory_mb=4 * memory_mb)
        difference, explained = compared.value or (f"libvips {compared.crash or 'timed out'}", True)
    return Finding(
        file=str(file),
        verdict=verdict,
        reason=reason,
        difference=difference,
        explained=explained,
        seconds=round(outcome.seconds, 3),
        peak_mb=round(outcome.peak_mb, 1),
    )


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        yield from (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _three_calls(file: Path, limits: Limits, formats: Sequence[str]) -> tuple[str, str]:
    """Return the verdict and its reason; whatever escapes but a refusal is a crash."""
    data = file.read_bytes()
    refusals = []

    def picture() -> Picture:
        return open_picture(data, limits, formats=formats)

    try:
        metadata = describe(open_picture(BytesIO(data), limits, formats=formats), gps=True)
        metadata.extras()
    except RejectedImageError as error:
        refusals.append(f"describe: {type(error).__name__}: {error}")
    try:
        fault = _fault(convert(picture()))
    except RejectedImageError as error:
        fault = ""
        refusals.append(f"{type(error).__name__}: {error}")
    with suppress(RejectedImageError):
        convert(picture(), salvage=True, quality=90)
    try:
        sizes = resize(picture(), WIDTHS)
        fault = fault or next((found for jpeg in sizes.values() if (found := _fault(jpeg))), "")
    except RejectedImageError as error:
        refusals.append(f"{type(error).__name__}: {error}")
    if fault:
        return "wrong", fault
    return ("rejected", refusals[-1]) if refusals else ("ok", "")


def _fault(jpeg: Jpeg) -> str:
    """Say which promise an output breaks, if any."""
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as image:
        image.load()
        if image.mode not in ("L", "RGB"):
            return f"the output's mode is {image.mode}"
        exif = image.getexif()
        if set(exif) - {0x013B, 0x8298} or "xmp" in image.info or "icc_profile" in image.info:
            return "the output has metadata"
    return ""


def _print(findings: list[Finding], *, compared: bool) -> None:
    console = wide_console(200)
    table = Table("file", "verdict", "seconds", "peak MB", "reason", "against libvips" if compared else "")
    for finding in findings:
        table.add_row(
            finding.file,
            Text(finding.verdict, style="red" if finding.failed else ""),
            f"{finding.seconds:.3f}",
            f"{finding.peak_mb:.0f}",
            finding.reason,
            finding.difference,
        )
    print_texts(console, table)
    verdicts = Counter(finding.verdict for finding in findings)
    summary = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(verdicts.items()))
    unexplained = sum(not finding.explained for finding in findings)
    same = sum(finding.verdict == "ok" and not finding.difference for finding in findings)
    known = f"{same:,} the same as libvips, " if compared else ""
    console.print(f"{len(findings):,} files: {summary or 'none'}; {known}{unexplained:,} unexplained differences")
    if not compared:
        console.print("Not compared with libvips: pyvips is not installed, or --no-peer was given.")
