"""The command's options, parsed and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.memory.sizes import LARGEST_MB, SMALLEST_MB
from components.branches import BRANCHES, ImageBranch
from components.config import ConfigError, StackConfig
from components.nearest import did_you_mean
from components.stack_file import file_config, stack_name

FUNCTIONS: dict[str, ImageBranch] = {row.task: row for row in BRANCHES}
ALL = "all"
MOST_WEIGHT = 1e9
WEIGHT_FORM = f"a mix such as camera=0.8,png=0.2, of folders, each once, and weights above 0, up to {MOST_WEIGHT:g}"


@dataclass(frozen=True, kw_only=True)
class Request:
    """The command's options; `sizes` are in MB, `runs` is how often to send all pictures, None if as needed."""

    function: str
    images: Path | None
    mix: Mapping[str, float]
    sizes: Sequence[int]
    config: StackConfig
    runs: int | None
    delay_ms: float
    choose: str
    stack_file: Path | None
    csv_file: Path | None
    json_file: Path | None
    html_file: Path | None
    log_file: Path | None
    earlier_file: Path | None

    @property
    def functions(self) -> list[ImageBranch]:
        """Return the functions to measure."""
        return list(FUNCTIONS.values()) if self.function == ALL else [FUNCTIONS[self.function]]


def parse_sizes(_context: click.Context, _option: click.Parameter, text: str) -> list[int]:
    """Read `128,256`.

    Raises: click.BadParameter.
    """
    parts = [part.strip() for part in text.split(",")]
    if wrong := [part for part in parts if not (part.isdecimal() and SMALLEST_MB <= int(part) <= LARGEST_MB)]:
        raise click.BadParameter(
            f"expected whole MB from {SMALLEST_MB} to {LARGEST_MB}, got {', '.join(map(repr, wrong))}: "
            "write them as 512,1024"
        )
    return sorted({int(part) for part in parts})


def parse_stack_file(_context: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    """Return the file of a stack that exists; another name is probably a mistake.

    Raises: click.BadParameter.
    """
    if file and not file.match("Pulumi.*.yaml"):
        raise click.BadParameter(f"expected Pulumi.<stack>.yaml, got {file}: name the file of a stack")
    if file and not file.is_file():
        near = did_you_mean(file.name, (found.name for found in file.parent.glob("Pulumi.*.yaml")), most=1)
        raise click.BadParameter(
            f"expected the file of a stack, got {file}, which does not exist{near}: name another, or create it with "
            f"`pulumi stack init {stack_name(file)}` and `pulumi config set aws:region REGION`"
        )
    try:
        if file:
            file_config(file)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error
    return file


def parse_mix(_context: click.Context, _option: click.Parameter, text: str | None) -> dict[str, float]:
    """Read `camera=0.8,png=0.2`.

    Raises: click.BadParameter.
    """
    weights = {}
    for part in text.split(",") if text else ():
        kind, _, number = part.partition("=")
        kind = kind.strip()
        try:
            weights[kind] = float(number) if kind not in weights else 0.0
        except ValueError:
            weights[kind] = 0.0
    if wrong := [kind or "''" for kind, weight in weights.items() if not (kind and 0 < weight <= MOST_WEIGHT)]:
        raise click.BadParameter(f"expected {WEIGHT_FORM}, got {text!r}: correct {', '.join(wrong)}")
    return weights
