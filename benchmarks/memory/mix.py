"""The masters to measure with: weighted classes of pictures, in the same batches for every memory size."""

import random
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image

from benchmarks.photos import Photo, load, picture_files, suffixes_of
from components.config import DEFAULT_INPUTS
from handlers.errors import RejectedImageError

SEED = 1
WEIGHED_IMAGES = 120
"""The number of masters in a weighted mix; without weights, each file is used once."""
DRAWN = "drawn"
# A smaller picture is mostly header, and does not show its class's bytes per pixel.
TELLING_PIXELS = 10_000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One master: its key in the bucket, its class, its pixels (0 without a readable header), its bytes."""

    key: str
    kind: str
    pixels: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The batches of one run; one of the `heaviest` masters comes first, to see whether a size holds them.

    It and one of the `lightest` come last once more: between them, the line of time over megapixels is well held.
    """

    masters: Mapping[str, Sample]
    batches: Sequence[Sequence[str]]
    heaviest: Sequence[str]
    lightest: Sequence[str]

    @property
    def objects(self) -> dict[str, bytes]:
        """The masters' bytes by key, for the loopback S3."""
        return {key: master.data for key, master in self.masters.items()}

    def megapixels(self, keys: Sequence[str]) -> float:
        """Return the averages of some masters."""
        return sum(self.masters[key].pixels for key in keys) / len(keys) / 1e6

    def bytes_per_pixel(self) -> dict[str, float]:
        """Return the bytes per pixel of each class's largest file; classes of tiny pictures are left out."""
        largest: dict[str, Sample] = {}
        for master in sorted(self.masters.values(), key=lambda master: master.pixels):
            if master.pixels >= TELLING_PIXELS:
                largest[master.kind] = master
        return {kind: len(master.data) / master.pixels for kind, master in sorted(largest.items())}


def plan(
    folder: Path | None, weights: Mapping[str, float], batch_size: int, formats: Sequence[str] = DEFAULT_INPUTS
) -> Plan:
    """Arrange a folder's pictures of a stack's input formats, or generated ones, into batches."""
    if weights and folder is None:
        raise click.BadParameter(
            "expected --images with it, got none: name the folder of the classes", param_hint="--mix"
        )
    suffixes = suffixes_of(formats)
    masters = _masters(folder, suffixes)
    if not any(master.pixels for master in masters):
        raise click.BadParameter(
            f"expected a folder of pictures ({', '.join(sorted(suffixes))}), got {folder}, "
            f"where none of {len(masters)} files can be read as one",
            param_hint="--images",
        )
    order = _weighed(masters, weights, batch_size) if weights else _once(masters, batch_size)
    keys = [master.key for master in order]
    used = {master.key: master for master in order}
    largest = sorted(used.values(), key=lambda master: (-master.pixels, master.key))
    return Plan(
        masters=used,
        batches=[keys[start : start + batch_size] for start in range(0, len(keys), batch_size)],
        heaviest=[largest[number % len(largest)].key for number in range(batch_size)],
        lightest=[largest[-1 - number % len(largest)].key for number in range(batch_size)],
    )


def _masters(folder: Path | None, suffixes: AbstractSet[str]) -> list[Sample]:
    """Return all pictures; their class is the folder below `folder` that they are in."""
    if folder is None:
        return [_master(number, DRAWN, ".jpg", photo) for number, photo in enumerate(load(None))]
    return [
        _master(number, _kind(file.relative_to(folder)), file.suffix, Photo(file.name, file.read_bytes()))
        for number, file in enumerate(picture_files(folder, "**/*", suffixes))
        if file.is_file()
    ]


def _kind(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else "."


def _master(number: int, kind: str, suffix: str, photo: Photo) -> Sample:
    try:
        pixels = photo.pixels
    except (RejectedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        pixels = 0
    return Sample(key=f"{number:04}{suffix.lower()}", kind=kind, pixels=pixels, data=photo.data)


def _once(masters: Sequence[Sample], batch_size: int) -> list[Sample]:
    """Return each master once, in a random but repeatable order, and some again to fill the last batch."""
    order = random.Random(SEED).sample(masters, len(masters))  # noqa: S311 no secret
    return [order[number % len(order)] for number in range(_whole(len(order), batch_size))]


def _weighed(masters: Sequence[Sample], weights: Mapping[str, float], batch_size: int) -> list[Sample]:
    """Return masters of each class by its weight, in a random order."""
    chance = random.Random(SEED)  # noqa: S311 no secret
    pools = {kind: [master for master in masters if master.kind == kind] for kind in weights}
    if missing := [kind for kind, pool in pools.items() if not pool]:
        known = ", ".join(sorted({master.kind for master in masters}))
        raise click.BadParameter(
            f"expected folders of --images ({known}), got {', '.join(missing)}: correct it, or change --images",
            param_hint="--mix",
        )
    for pool in pools.values():
        chance.shuffle(pool)
    total, taken, order = sum(weights.values()), dict.fromkeys(pools, 0), []
    for number in range(1, _whole(WEIGHED_IMAGES, batch_size) + 1):
        kind = max(pools, key=lambda kind: weights[kind] / total * number - taken[kind])
        order.append(pools[kind][taken[kind] % len(pools[kind])])
        taken[kind] += 1
    return order


def _whole(count: int, batch_size: int) -> int:
    """Return the smallest number of whole batches' masters that is not below `count`."""
    return -(-count // batch_size) * batch_size
