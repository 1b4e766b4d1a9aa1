"""Test the pixel limit: the largest picture passes, one that is 30 % larger is refused, no process is killed."""

import struct
import zlib
from dataclasses import dataclass, replace

from benchmarks.memory.mix import Plan, Sample
from benchmarks.memory.sizes import largest_pixels
from benchmarks.memory.trial import TOO_LARGE, Bench, run
from benchmarks.worker_process import loopback
from components.branches import ImageBranch

PASSES, OVER = "passes.png", "over.png"
OVER_SHARE = 1.3
# The file is small, but it takes memory too.
PASSES_SHARE = 0.99
SIDE_RATIO = 4 / 3
# EXIF whose one entry, the orientation, says that the picture is on its side. Source: TIFF 6.0, section 2.
TURNED = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """The outcomes of the picture at the limit and of the one above it, and the peak of the process that got both."""

    memory_mb: int
    pixels: int
    at_limit: str
    over_limit: str
    peak_mb: float | None

    @property
    def holds(self) -> bool:
        """Return whether the limit held."""
        return (self.at_limit, self.over_limit) == ("written", f"rejected: {TOO_LARGE}")

    def sentence(self, function: str) -> str:
        """Return it as a sentence."""
        peak = f", peak {self.peak_mb:,.0f} MB" if self.peak_mb else ""
        return (
            f"{function} at {self.memory_mb:,} MB: the largest picture, {self.pixels / 1e6:.1f} MP of 16-bit PNG, is "
            f"{self.at_limit}{peak}; one that is 30 % larger is {self.over_limit}"
        )


def check(bench: Bench, function: ImageBranch, memory_mb: int, delay_ms: float) -> Boundary:
    """Send a function the largest picture for a memory size, of the most expensive kind, and a larger one."""
    pixels = min(largest_pixels(memory_mb), bench.config.max_pixels)
    masters = {key: _master(key, int(share * pixels)) for key, share in ((PASSES, PASSES_SHARE), (OVER, OVER_SHARE))}
    plan = Plan(masters=masters, batches=[], heaviest=[PASSES, OVER], lightest=[])
    with loopback(plan.objects, delay_ms) as port:
        trial = run(replace(bench, plan=plan, port=port, runs=1), function, memory_mb)
    found = {
        image.key: ": ".join(filter(None, (image.outcome, image.error)))
        for _, figures in trial.found
        for image in figures.images
    }
    return Boundary(
        memory_mb=memory_mb,
        pixels=masters[PASSES].pixels,
        at_limit=found.get(PASSES, trial.problem),
        over_limit=found.get(OVER, trial.problem),
        peak_mb=trial.peak_mb,
    )


def costliest_png(width: int, height: int) -> bytes:
    """Return a 16-bit RGB PNG with a transparent colour, to be turned: no other takes as much memory.

    Source: docs/imaging.md, "Memory".
    """
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    first = b"\0" + b"".join(struct.pack(">3H", x * 37 % 65_536, x * 91 % 65_536, x % 256) for x in range(width))
    as_above = b"\2" + bytes(len(first) - 1)
    packer = zlib.compressobj(1)
    body = packer.compress(first) + b"".join(packer.compress(as_above) for _ in range(height - 1)) + packer.flush()
    chunks = (
        (b"IHDR", header),
        (b"tRNS", struct.pack(">3H", 1, 2, 3)),
        (b"eXIf", TURNED),
        (b"IDAT", body),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _master(key: str, pixels: int) -> Sample:
    width = int((pixels * SIDE_RATIO) ** 0.5)
    height = pixels // width
    return Sample(key=key, kind="boundary", pixels=width * height, data=costliest_png(width, height))
