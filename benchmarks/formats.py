"""What do further formats cost, and what do they save? Every size of every picture, by format, quality and effort."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from unittest import mock

import click
from PIL import Image

from benchmarks.contestants import WIDTHS
from benchmarks.encoded import WINDOW, Encoded, encoded, matched
from benchmarks.findings import Findings, Row, findings_command
from benchmarks.measuring import Samples, pin
from benchmarks.options import images_option
from benchmarks.photos import Photo, load
from handlers.imaging.encode import encode
from handlers.imaging.further import FORMATS, Avif, Further, Webp

EFFORTS: Mapping[type[Further], tuple[str, Sequence[int]]] = {
    Webp: ("METHOD", (0, 2, 4, 6)),
    Avif: ("SPEED", (6, 7, 8, 9, 10)),
}
WEB_JPEG = 82
"""A quality for web pages, to compare with the default of 100."""

QUALITIES: Mapping[str, Sequence[int]] = {
    "jpeg": (75, WEB_JPEG, 90, 95, 100),
    "webp": (60, 70, 80, 90),
    "avif": (40, 50, 60, 70, 80),
}
"""The qualities that are measured; `python -m ops estimate` uses the nearest."""


@findings_command
@images_option
def formats(images: Path | None) -> Findings:
    """Measure time, bytes and SSIM of each format and quality.

    Then compare the encoders' efforts at the SSIM of a JPEG.
    """
    pin()
    photos = load(images)
    sizes = [image for photo in photos for image in resampled(photo)]
    tried = {
        (name, quality): encoded(partial(_encode, name, quality), sizes)
        for name, qualities in QUALITIES.items()
        for quality in qualities
    }
    like = tried["jpeg", WEB_JPEG]
    beside = [tried["jpeg", quality] for quality in (100, WEB_JPEG)]
    return Findings(
        title="Formats",
        question=f"CPU milliseconds to encode a size, {len(photos)} pictures in {len(WIDTHS)} sizes",
        rows=[
            *(
                _row(f"{name} {quality}", one, beside, format=name, quality=quality)
                for (name, quality), one in tried.items()
            ),
            *(_matched_row(kind, effort, sizes, like) for kind, (_, efforts) in EFFORTS.items() for effort in efforts),
        ],
        notes=[
            "SSIM of luma, compared with the pixels before encoding; mean of all files. Kept: smaller than that JPEG.",
            f"like jpeg {WEB_JPEG}: at the quality whose SSIM is that JPEG's, between the two that were measured.",
        ],
    )


def resampled(photo: Photo) -> Iterator[Image.Image]:
    """Yield a picture's sizes before encoding.

    Raises: click.BadParameter.
    """
    full = photo.rendered()
    if full.height * min(WIDTHS.values()) < WINDOW * full.width:
        expected = f"expected pictures at most {min(WIDTHS.values()) / WINDOW:.1f} times as wide as high"
        raise click.BadParameter(f"{expected}, got {photo.name}: leave it out", param_hint="--images")
    for width in WIDTHS.values():
        yield full.resize((width, round(width * full.height / full.width)), Image.Resampling.LANCZOS)


def _encode(name: str, quality: int, image: Image.Image) -> bytes:
    encoder = encode if name == "jpeg" else FORMATS[name].encode
    return encoder(image, b"", quality, "4:2:0")


def _row(name: str, one: Encoded, beside: Sequence[Encoded], **facts: object) -> Row:
    """Return an encoder's row, with the share of its files that are smaller than JPEGs of 100 and of 82."""
    row = Row(name=name, samples=Samples(one.taken_ms, "ms"), facts={**facts, **_facts(one)})
    for quality, jpegs in zip((100, WEB_JPEG), beside, strict=True):
        kept = sum(size < other for size, other in zip(one.sizes_bytes, jpegs.sizes_bytes, strict=True))
        row.facts[f"kept beside {quality}"] = f"{100 * kept / len(one.sizes_bytes):.0f} %"
    return row


def _facts(one: Encoded) -> dict[str, object]:
    return {
        "ms_per_megapixel": round(one.ms_per_megapixel, 2),
        "bytes_per_pixel": round(one.bytes_per_pixel, 4),
        "SSIM": f"{one.ssim:.4f}",
        "lowest": f"{min(one.likeness):.4f}",
    }


def _matched_row(kind: type[Further], effort: int, sizes: Sequence[Image.Image], like: Encoded) -> Row:
    """Return the row of an effort at the quality that has the same SSIM as a JPEG."""
    setting = EFFORTS[kind][0]
    with mock.patch.object(kind, setting, effort):
        quality, found = matched(kind, sizes, like.ssim)
    return Row(
        name=f"{kind.__name__.lower()} {setting.lower()} {effort}, like jpeg {WEB_JPEG}",
        samples=Samples(found.taken_ms, "ms"),
        facts={"matched quality": f"{quality:.1f}", **_facts(found)},
    )
