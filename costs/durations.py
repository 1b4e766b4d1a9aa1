"""How long the functions are billed for one picture, as `python -m benchmarks memory` measured it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from components.config import MB_PER_VCPU, StackConfig
from handlers.errors import PixelCascadeError

MEASURED = Path(__file__).parent.parent / "benchmarks" / "measured" / "memory.json"
COMMAND = "python -m benchmarks memory --json FILE"
PUBLISHER = MEASURED.with_name("publisher.json")
PUBLISHER_COMMAND = "python -m benchmarks publisher --json FILE"
Measured = TypeVar("Measured")
AboveZero = Annotated[int, msgspec.Meta(gt=0)]


class DurationsError(PixelCascadeError):
    """The estimate has no measurement to use; the message says which command makes one."""


@dataclass(frozen=True, kw_only=True)
class MeasuredTimes:
    """What the estimate reads of a benchmark's row: one function at one memory size, without times if too small."""

    function: str
    memory_mb: AboveZero
    verdict: str
    fixed_ms: float | None
    ms_per_megapixel: float | None
    batch_size: AboveZero
    init_ms: float | None = None

    def __post_init__(self) -> None:
        if (self.fixed_ms is None) != (self.ms_per_megapixel is None):
            raise ValueError("expected both of `fixed_ms` and `ms_per_megapixel` or neither, got one")


@dataclass(frozen=True, kw_only=True)
class Duration:
    """Billed milliseconds of one function at one memory size: a fixed part per picture, and a part per megapixel.

    Measured warm, in batches of `batch_size`, whose pictures wait for S3 side by side; a cold start adds `init_ms`.
    """

    memory_mb: int
    fixed_ms: float
    ms_per_megapixel: float
    batch_size: int
    init_ms: float

    def billed_ms(self, megapixels: float, *, wait_ms: float, per_batch: float) -> float:
        """Return the milliseconds that a picture is billed for, one of `per_batch`, which waits for `wait_ms` in all.

        Of a batch's waits one picture's show, the others' pass while a neighbour is worked on.
        """
        uncovered_ms = wait_ms * max(0, 1 / per_batch - 1 / self.batch_size)
        return self.fixed_ms + uncovered_ms + self.ms_per_megapixel * megapixels


@dataclass(frozen=True, kw_only=True)
class Durations:
    """A benchmark's rows, the processor that they were measured on, and the stack's formats and sizes then."""

    rows: Annotated[Sequence[MeasuredTimes], msgspec.Meta(min_length=1)]
    architecture: str = "an unknown processor"
    jpeg_quality: int = 100
    output_formats: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int | str] = field(default_factory=lambda: StackConfig().sizes)

    def of(self, function: str, memory_mb: int) -> Duration:
        """Return a function's duration at the memory size measured that is nearest, by ratio, to `memory_mb`.

        Up to one vCPU its times go by the share of the processor; above, they are those that were measured.

        Raises: DurationsError, if the function was not measured, or that size was found too small.
        """
        rows = [row for row in self.rows if row.function == function and _timed(row)]
        if not rows:
            raise DurationsError(
                f"expected a benchmark of all functions, got one without {function}: run `{COMMAND}`, and name that "
                "file with --benchmark"
            )
        row = min(rows, key=lambda row: max(row.memory_mb / memory_mb, memory_mb / row.memory_mb))
        if row.verdict != "ok" or row.fixed_ms is None or row.ms_per_megapixel is None:
            fit = ", ".join(f"{other.memory_mb} MB" for other in rows if other.verdict == "ok") or "none"
            raise DurationsError(
                f"expected enough memory for {function}, got {memory_mb} MB, which the benchmark found "
                f"{row.verdict} at {row.memory_mb} MB: set one of the sizes that fit, {fit}"
            )
        longer = min(row.memory_mb, MB_PER_VCPU) / min(memory_mb, MB_PER_VCPU)
        return Duration(
            memory_mb=row.memory_mb,
            fixed_ms=row.fixed_ms * longer,
            ms_per_megapixel=row.ms_per_megapixel * longer,
            batch_size=row.batch_size,
            init_ms=row.init_ms or 0.0,
        )


def measured(path: Path, kind: type[Measured], command: str) -> Measured:
    """Return what a benchmark wrote as JSON.

    Raises: DurationsError, which says which command writes it.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise DurationsError(
            f"expected a file that `{command}` writes, got {path}, which does not exist: name one with --benchmark FILE"
        ) from error
    except (msgspec.MsgspecError, OSError) as error:
        raise DurationsError(f"expected JSON that `{command}` writes, got {path} ({error})") from error


def _timed(row: MeasuredTimes) -> bool:
    """Return whether a row says something of its size: that it is too small, or how long it takes."""
    return row.verdict != "ok" or row.fixed_ms is not None
