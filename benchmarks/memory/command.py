"""`python -m benchmarks memory`: how much memory should I choose, and what does it cost? Needs no AWS account."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from benchmarks.memory import calibrate, stackfile
from benchmarks.memory.advice import CHOICES, FEWEST_BATCHES
from benchmarks.memory.answer import answer
from benchmarks.memory.page import page
from benchmarks.memory.report import MemoryReport, as_csv
from benchmarks.memory.request import ALL, FUNCTIONS, Request, parse_mix, parse_sizes, parse_stack_file
from benchmarks.memory.rows import Measurement
from benchmarks.memory.sizes import DEFAULT, LARGEST_MB
from benchmarks.options import EXISTING_FILE, FILE, delay_option, html_option, images_option, json_option, stack_option
from benchmarks.page import PageTable
from costs.console import wide_console


@click.command()
@click.option("--function", default=ALL, type=click.Choice([*FUNCTIONS, ALL]), help="Function to measure.")
@images_option
@click.option(
    "--mix",
    callback=parse_mix,
    help="Share of each folder in --images, such as camera=0.8,png=0.2; each file once if not given.",
)
@click.option(
    "--sizes",
    default=",".join(map(str, DEFAULT)),
    callback=parse_sizes,
    help="Memory sizes, in MB.",
)
@stack_option("Stack whose settings are used, from Pulumi.<stack>.yaml; the defaults if not given.")
@click.option(
    "--runs",
    type=click.IntRange(1),
    help="How often all pictures are sent; once if not given, or as often as --write needs.",
)
@delay_option
@click.option("--choose", default=CHOICES[0], type=click.Choice(CHOICES), help="What --write sets.")
@click.option(
    "--write",
    "stack_file",
    type=FILE,
    callback=parse_stack_file,
    help="Set the functions' memory in this Pulumi.<stack>.yaml.",
)
@click.option("--csv", "csv_file", type=FILE, help="Also write the rows to this file, as CSV.")
@json_option
@html_option
@click.option(
    "--calibrate", "log_file", type=EXISTING_FILE, help="Compare a function with Lambda's REPORT lines in this file."
)
@click.option(
    "--against", "earlier_file", type=EXISTING_FILE, help="Use the JSON of an earlier run instead of measuring."
)
def memory(**options: Any) -> None:
    """Measure each of Lambda's memory sizes, and recommend one.

    Prints latency, cost and the largest picture of each.
    """
    request = Request(**options)
    # Report files that cannot be read or edited before a run that takes minutes.
    reports = _reports(request)
    if request.stack_file:
        _edit(request.stack_file, dict.fromkeys(_settable(request), LARGEST_MB), dry=True)
    report = _earlier(request.earlier_file, request) if request.earlier_file else answer(request)
    page(report).show(report.plain(), request.json_file, request.html_file)
    if request.csv_file:
        request.csv_file.write_text(as_csv(report.rows), encoding="utf-8")
    if reports:
        _compare(reports, report.of(request.function))
    if request.stack_file:
        _write(request, request.stack_file, report)


def _reports(request: Request) -> list[calibrate.LambdaReport]:
    if not request.log_file:
        return []
    if request.function == ALL:
        functions = ", ".join(FUNCTIONS)
        raise click.BadParameter(f"--function: expected the one function that the log is of ({functions}), got {ALL}")
    return calibrate.parse(request.log_file.read_text(encoding="utf-8", errors="replace"))


def _earlier(file: Path, request: Request) -> MemoryReport:
    """Return what an earlier run wrote.

    Raises: click.BadParameter.
    """
    try:
        report = MemoryReport.read(msgspec.json.decode(file.read_bytes(), type=dict[str, Any]))
    except msgspec.MsgspecError as error:
        expected = "expected a file of `python -m benchmarks memory --json FILE`, of this version"
        raise click.BadParameter(f"{expected}, got {file} ({error})", param_hint="--against") from error
    if request.function != ALL and request.function not in report.advice:
        known = ", ".join(report.advice) or "none"
        raise click.BadParameter(
            f"expected a function that {file} has ({known}), got {request.function}", param_hint="--function"
        )
    return report


def _compare(reports: Sequence[calibrate.LambdaReport], measured: Sequence[Measurement]) -> None:
    """Print how this run differs from Lambda."""
    found = calibrate.compare(reports, measured)
    columns = ["MB", "invocations", "Lambda ms", "here ms", "times", "Lambda init ms", "here", "Lambda peak MB", "here"]
    rows = []
    for one in found:
        values = [*one.duration_ms, one.factor, *one.init_ms, *one.peak_mb]
        cells = ["" if value is None else f"{value:,.2f}" for value in values]
        rows.append([f"{one.memory_mb:,}", str(one.invocations), *cells])
    PageTable(columns=columns, rows=rows).print_to(wide_console())
    click.echo(calibrate.sentence(found))


def _write(request: Request, file: Path, report: MemoryReport) -> None:
    """Write the chosen sizes to the stack's file, and print the diff.

    Raises: click.ClickException, if there are too few measurements, or no safe size.
    """
    found = {task: report.advice.get(task) for task in _settable(request)}
    batches = min((row.batches for task in found for row in report.of(task) if row.verdict == "ok"), default=0)
    if batches < FEWEST_BATCHES:
        raise click.ClickException(
            f"expected at least {FEWEST_BATCHES} batches of each size to choose by, got {batches}, so {file} is "
            "unchanged: measure more --images, or more --runs"
        )
    chosen = {name: getattr(one, request.choose).memory_mb for name, one in found.items() if one}
    if not chosen:
        raise click.ClickException(f"expected a safe size, got none, so {file} is unchanged: measure larger --sizes")
    changed = _edit(file, chosen)
    click.echo(changed or f"{file} has these values already.", nl=not changed)


def _settable(request: Request) -> list[str]:
    """Return the tasks of the functions whose memory is a setting.

    Raises: click.BadParameter.
    """
    tasks = [branch.task for branch in request.functions if isinstance(branch.memory, str)]
    if not tasks:
        raise click.BadParameter(
            f"expected a function whose memory is a setting, got {request.function}: change `memory` in its row of "
            "components/branches.py",
            param_hint="--write",
        )
    return tasks


def _edit(file: Path, memory_mb: Mapping[str, int], *, dry: bool = False) -> str:
    try:
        return stackfile.write(file, memory_mb, dry=dry)
    except (stackfile.StackEditError, OSError) as error:
        raise click.ClickException(f"{file} is unchanged: {error}") from error
