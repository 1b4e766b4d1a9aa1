"""`python -m costs`: a month's bill and the limits, from settings alone, without a stack or credentials."""

import json
from pathlib import Path
from typing import Any

import click

from components import prices
from components.config import ConfigError, StackConfig
from components.stack_file import file_config
from costs import encodings
from costs.command_line import CommandLine
from costs.durations import COMMAND, MEASURED, PUBLISHER, PUBLISHER_COMMAND, Durations, DurationsError, measured
from costs.estimate import Estimate
from costs.number import Number
from costs.reference import ReferenceSetup
from costs.report import EstimateReport
from costs.workload import BYTES_PER_PIXEL, CALL_MS, COLD_STARTS, Workload

MOST = 1e15
"""Larger than any real number of pictures, and small enough that no sum overflows."""

POSITIVE = Number("number", 1 / MOST, MOST, f"a number above 0, up to {MOST:g}, such as 250000 or 1e6")
IMAGES = Number("number", 1, MOST, f"1 to {MOST:g} pictures, such as 250000 or 1e6")
SHARE = Number("share", 0, 1, "a share from 0 to 1, such as 0.01 for one in a hundred")


@click.command(
    name="estimate",
    cls=CommandLine,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option("--images", type=IMAGES, default="1e6", help="Pictures uploaded in a month.")
@click.option("--megapixels", type=POSITIVE, default=12.0, help="Megapixels of a picture.")
@click.option("--mb", type=POSITIVE, help=f"Megabytes of an upload; {BYTES_PER_PIXEL} bytes a pixel if not given.")
@click.option("--per-batch", type=POSITIVE, default=1, help="Messages in a batch, on average.")
@click.option(
    "--publisher-ms", type=POSITIVE, help="Milliseconds of job-publisher per upload; as measured if not given."
)
@click.option("--call-ms", type=POSITIVE, default=CALL_MS, help="Milliseconds until S3 answers a call.")
@click.option("--cold-starts", type=SHARE, default=COLD_STARTS, help="Share of invocations that start cold.")
@click.option("--rate", type=POSITIVE, help="Uploads per second at the busiest time; the month's mean if not given.")
@click.option(
    "--config",
    "stack_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A stack's file, such as Pulumi.dev.yaml; the defaults if not given.",
)
@click.option(
    "--benchmark",
    type=click.Path(dir_okay=False, path_type=Path),
    default=MEASURED,
    show_default=False,
    help="Results of `python -m benchmarks memory --json`; those in benchmarks/measured if not given.",
)
@click.option("--verbose", is_flag=True, help="Also print every line of the bill, limit, assumption and price.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
def estimate_command(
    *, stack_file: Path | None, benchmark: Path, rate: float | None, verbose: bool, as_json: bool, **work: Any
) -> None:
    """Print what a month costs, and which limit is reached first.

    Also prints the cost of the reference set-up that PixelCascade began as. Needs no stack and no credentials.
    """
    report = _report(_workload(**work), stack_file, benchmark, rate)
    if as_json:
        click.echo(json.dumps(report.plain()))
    else:
        report.show(verbose=verbose)


def _workload(*, megapixels: float, mb: float | None, **work: Any) -> Workload:
    return Workload(megapixels=megapixels, upload_mb=mb or megapixels * BYTES_PER_PIXEL, **work)


def _report(workload: Workload, stack_file: Path | None, benchmark: Path, rate: float | None) -> EstimateReport:
    """Compute the bill of a stack's settings, or of the program's defaults.

    Raises: click.UsageError.
    """
    try:
        values = file_config(stack_file) if stack_file else {}
        config = StackConfig.parse(values)
        durations = measured(benchmark, Durations, COMMAND)
        _check(workload, config)
        estimate = Estimate(
            config=config,
            workload=workload,
            durations=durations,
            publisher=measured(PUBLISHER, Durations, PUBLISHER_COMMAND),
            encodings=measured(encodings.MEASURED, encodings.Encodings, encodings.COMMAND),
        )
        return EstimateReport.make(
            estimate,
            ReferenceSetup(workload=workload, durations=durations),
            region=values.get("aws:region", prices.REGION),
            rate=rate or workload.per_second,
        )
    except (ConfigError, DurationsError) as error:
        raise click.UsageError(str(error)) from error


def _check(workload: Workload, config: StackConfig) -> None:
    """Check the workload against the stack's limits."""
    if not 1 <= workload.per_batch <= config.batch_size:
        raise click.UsageError(
            f"--per-batch: expected 1 to the stack's batchSize, {config.batch_size}, got {workload.per_batch:g}: "
            "change one"
        )
    if workload.megapixels * 1e6 > config.max_pixels:
        raise click.UsageError(
            f"--megapixels: expected at most the stack's maxPixels, {config.max_pixels / 1e6:g}, got "
            f"{workload.megapixels:g}: change one (larger pictures are rejected)"
        )
    if workload.upload_mb * 1e6 > config.max_bytes:
        raise click.UsageError(
            f"--mb: expected at most the stack's maxBytes, {config.max_bytes / 1e6:g} MB, got {workload.upload_mb:g}: "
            "change one (larger files are rejected)"
        )
