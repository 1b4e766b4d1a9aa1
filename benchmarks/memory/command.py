"""`python -m benchmarks memory`: how much memory should I pick, and what does it cost? Answered without AWS."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.memory import calibrate, page, stackfile
from benchmarks.memory.advice import CHOICES
from benchmarks.memory.answer import answer
from benchmarks.memory.report import show, write
from benchmarks.memory.sizes import DEFAULT
from benchmarks.memory.trial import FUNCTIONS
from benchmarks.memory.wish import ALL, Wish, parse_mix, parse_sizes
from benchmarks.options import EXISTING_FILE, FILE, html_option, images_option, json_option


@click.command()
@click.option("--function", default=ALL, show_default=True, type=click.Choice([*FUNCTIONS, ALL]))
@images_option
@click.option("--mix", default="", callback=parse_mix, help="Weights of the folders there: camera=0.8,png=0.2.")
@click.option(
    "--sizes",
    default=",".join(map(str, DEFAULT)),
    show_default=True,
    callback=parse_sizes,
    help="Memory sizes, in MB.",
)
@click.option("--stack", help="Stack whose settings hold, as in Pulumi.<stack>.yaml; the defaults if not given.")
@click.option("--runs", default=1, show_default=True, type=click.IntRange(1), help="How often all pictures are sent.")
@click.option("--delay", "delay_ms", default=30.0, show_default=True, help="Milliseconds until S3 answers a call.")
@click.option("--choose", default=CHOICES[0], show_default=True, type=click.Choice(CHOICES), help="What --write sets.")
@click.option("--write", "stack_file", type=FILE, help="Set the functions' memory in this Pulumi.<stack>.yaml.")
@click.option("--csv", "csv_file", type=FILE, help="Also write the rows here, as CSV.")
@json_option
@html_option
@click.option("--calibrate", "log_file", type=EXISTING_FILE, help="Compare a function with Lambda's REPORT lines here.")
@click.option("--against", "earlier_file", type=EXISTING_FILE, help="JSON of an earlier run, to calibrate or write.")
def memory(**told: Any) -> None:
    """Run the functions at each memory size that Lambda has; say which to take, what it costs and what it holds."""
    wish = Wish(**told)
    if wish.log_file and wish.function == ALL:
        allowed = ", ".join(FUNCTIONS)
        raise click.BadParameter(
            f"got {ALL}, allowed is the one function that the log is of: {allowed}", None, None, "--function"
        )
    if wish.earlier_file:
        found = json.loads(wish.earlier_file.read_text(encoding="utf-8"))
    else:
        report = answer(wish, lambda line: click.echo(line, err=True))
        show(report)
        write(report, json_file=wish.json_file, csv_file=wish.csv_file)
        if wish.html_file:
            page.write(report, wish.html_file)
        found = report.plain()
    if wish.log_file:
        _calibrate(wish, found["rows"])
    if wish.stack_file:
        _write(wish, found["recommendations"])


def _calibrate(wish: Wish, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print how far this run and Lambda differ."""
    assert wish.log_file is not None  # noqa: S101 - it is what is calibrated by
    reports = calibrate.parse(wish.log_file.read_text(encoding="utf-8"))
    found = calibrate.compare(reports, [row for row in rows if row["function"] == wish.function])
    table = Table(
        "MB", "invocations", "Lambda ms", "here ms", "times", "Lambda init ms", "here", "Lambda peak MB", "here"
    )
    for one in found:
        pairs = [*one.duration_ms, one.factor, *one.init_ms, *one.peak_mb]
        cells = ["" if value is None else f"{value:,.2f}" for value in pairs]
        table.add_row(f"{one.memory_mb:,}", str(one.invocations), *cells)
    console = Console() if Console().is_terminal else Console(width=160)
    console.print(table)
    console.print(calibrate.sentence(found), markup=False, highlight=False)


def _write(wish: Wish, recommendations: Mapping[str, Any]) -> None:
    """Set what is chosen in the stack's file, and show what changed."""
    assert wish.stack_file is not None  # noqa: S101 - it is what is written
    chosen = {
        function.name: recommendations[function.name][wish.choose]["memory_mb"]
        for function in wish.functions
        if recommendations.get(function.name)
    }
    if not chosen:
        raise click.ClickException(f"got no safe size, so {wish.stack_file} is left as it is; measure larger --sizes")
    try:
        changed = stackfile.write(wish.stack_file, chosen)
    except (stackfile.StackFileError, OSError) as error:
        raise click.ClickException(f"{wish.stack_file} is left as it is: {error}") from error
    click.echo(changed or f"{wish.stack_file} says so already.", nl=not changed)
