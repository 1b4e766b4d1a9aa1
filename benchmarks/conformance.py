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
from PIL import Image, ImageChops
from rich.console import Console
from rich.table import Table

from benchmarks import peer
from benchmarks.contestants import WHITE, WIDTHS
from benchmarks.guarded import run_guarded
from benchmarks.memory.sizes import SMALLEST_MB
from benchmarks.options import NumberOption, json_option
from components.errors import NOT_AS_EXPECTED
from handlers.errors import BrokenImageError, RejectedImageError
from handlers.imaging import Jpeg, Limits, Picture, convert, describe, load_formats, open_picture, resize
from handlers.imaging.formats import FORMATS, FURTHER
from handlers.imaging.formats.gif import GifHeader
from handlers.imaging.formats.heif_header import HeifHeader
from handlers.imaging.formats.tiff_header import FAX, JPEG, YCBCR, TiffHeader
from handlers.imaging.render import rendered

ALL_FORMATS = (*FORMATS, *FURTHER)
MOST_MB = 1_048_576
AV1_SUBSAMPLED = 0b1000
"""chroma_subsampling_x in the third byte of av1C. Source: AV1 codec ISO media file format binding, 2.3."""

PILLOW_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF")
MAX_DIFFERENCE = 2.0
"""Mean levels; decoders and colour engines that round differently stay below."""


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
        """Say whether this row fails the run."""
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
    "--timeout",
    "timeout_s",
    default=60.0,
    show_default=True,
    type=NumberOption(0.1, 3600, "seconds"),
    help="Seconds a file may take.",
)
@click.option(
    "--memory",
    "memory_mb",
    default=2048,
    show_default=True,
    type=click.IntRange(SMALLEST_MB, MOST_MB),
    help="MB a file may take; bounds its pixels.",
)
@click.option(
    "--formats",
    default=",".join(ALL_FORMATS),
    show_default=True,
    callback=_formats,
    help="Formats to take in, as inputFormats.",
)
@click.option("--peer/--no-peer", "use_peer", default=True, show_default=True, help="Compare with libvips.")
def conformance(
    paths: tuple[Path, ...],
    json_file: Path | None,
    timeout_s: float,
    memory_mb: int,
    formats: Sequence[str],
    *,
    use_peer: bool,
) -> None:
    """Run convert, resize and describe over files and folders, and print what becomes of each."""
    compare = use_peer and peer.available()
    files = sorted(set(_files(paths)))
    if not files:
        got = ", ".join(map(str, paths))
        raise click.BadParameter(
            f"expected files, or folders that hold some, got {got} without any file", param_hint="PATHS"
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
        compared = run_guarded(_compared, file, limits, formats, timeout_s=4 * timeout_s, memory_mb=4 * memory_mb)
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


def _compared(file: Path, limits: Limits, formats: Sequence[str]) -> tuple[str, bool]:
    """Return the difference from libvips, if any, and whether its reason is known."""
    data = file.read_bytes()
    theirs = peer.picture(data)
    try:
        picture = open_picture(data, limits, formats=formats)
        ours = rendered(picture, WHITE)
    except RejectedImageError as error:
        return _refused(error, theirs, data)
    if theirs.image is None:
        return f"libvips refuses it: {theirs.refusal}", True
    if ours.size != theirs.image.size:
        return f"size {ours.size[0]} x {ours.size[1]}, libvips {theirs.image.width} x {theirs.image.height}", False
    mean = peer.mean_difference(ours, theirs.image)
    if mean <= MAX_DIFFERENCE:
        return "", True
    reason = _reason(theirs, picture, mean)
    return f"mean difference {mean:.1f}" + (f": {reason}" if reason else ""), bool(reason)


def _refused(error: RejectedImageError, theirs: peer.PeerPicture, data: bytes) -> tuple[str, bool]:
    """Explain what libvips shows and PixelCascade refuses, by who else refuses it."""
    if theirs.image is None:
        return "", True
    if not isinstance(error, BrokenImageError):
        return "libvips shows it; a limit, or a format that is not taken", True
    if theirs.strict:
        return f"libvips shows it, but when strict says: {theirs.strict}", True
    try:
        if _ends_early(data):
            return "libvips shows it, though bytes put before its end marker change it: its data ends early", True
        with Image.open(BytesIO(data), formats=PILLOW_FORMATS) as image:
            image.load()
    except Exception as alone:  # noqa: BLE001 - any complaint of Pillow's own
        return f"libvips shows it; Pillow alone refuses it too: {alone}", True
    return "libvips shows it", False


def _ends_early(data: bytes) -> bool:
    """Say whether a decoder of this JPEG invents pixels: then what follows the coded data matters to them."""
    end = data.rfind(b"\xff\xd9")
    if not data.startswith(b"\xff\xd8") or end < 0:
        return False
    pictures = []
    for padding in (b"", b"\x55" * 4096):
        with Image.open(BytesIO(data[:end] + padding + data[end:]), formats=["JPEG"]) as image:
            pictures.append(image.convert("RGB"))
    return ImageChops.difference(*pictures).getbbox() is not None


def _reason(theirs: peer.PeerPicture, ours: Picture, mean: float) -> str:
    """Return why libvips may differ by a mean of so many levels, if the file shows it."""
    header = ours.header
    if theirs.cmyk and (not theirs.profiled or any("ICC profile" in warning for warning in ours.warnings)):
        return "CMYK without a usable profile, for which libvips takes a press profile of its own"
    if isinstance(header, HeifHeader):
        return _heif_reason(theirs, header, mean)
    if isinstance(header, TiffHeader):
        return _tiff_reason(theirs, header)
    if isinstance(header, GifHeader):
        if not header.palette:
            return "a GIF without any palette, for which there is no rule"
        if header.transparent is None and header.box != (0, 0, header.width, header.height):
            return "the first frame does not cover the canvas: libvips shows black there, browsers the background"
    return ""


def _tiff_reason(theirs: peer.PeerPicture, header: TiffHeader) -> str:
    if header.photometric == YCBCR and header.compression != JPEG:
        return "YCbCr without JPEG, which libvips takes for RGB"
    if header.compression in FAX and theirs.strict:
        return f"damaged fax data, which have no checksum; when strict, libvips says: {theirs.strict}"
    return ""


def _heif_reason(theirs: peer.PeerPicture, header: HeifHeader, mean: float) -> str:
    if header.icc and not theirs.profiled:
        return "colours named by code points, which libvips takes for sRGB"
    if header.premultiplied:
        return "colours multiplied by opacity, which libvips multiplies again"
    configuration = header.meta.items[header.image.tiles[0]].property(b"av1C") or bytes(4)
    if configuration[2] & AV1_SUBSAMPLED and mean <= 2 * MAX_DIFFERENCE:
        return "subsampled colours, which decoders interpolate in different ways"
    return ""


def _print(findings: list[Finding], *, compared: bool) -> None:
    console = Console() if Console().is_terminal else Console(width=200)
    table = Table("file", "verdict", "seconds", "peak MB", "reason", "against libvips" if compared else "")
    for finding in findings:
        verdict = finding.verdict if not finding.failed else f"[red]{finding.verdict}[/red]"
        table.add_row(
            finding.file,
            verdict,
            f"{finding.seconds:.3f}",
            f"{finding.peak_mb:.0f}",
            finding.reason,
            finding.difference,
        )
    console.print(table)
    verdicts = Counter(finding.verdict for finding in findings)
    summary = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(verdicts.items()))
    unexplained = sum(not finding.explained for finding in findings)
    same = sum(finding.verdict == "ok" and not finding.difference for finding in findings)
    known = f"{same:,} the same as libvips, " if compared else ""
    console.print(f"{len(findings):,} files: {summary or 'none'}; {known}{unexplained:,} unexplained differences")
    if not compared:
        console.print("Not compared with libvips: pyvips is not installed, or --no-peer was given.")
