"""What a local run prints: how many pictures came out, each function's calls, rejections, and what is missing."""

import itertools
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from ops.text import counted


def print_summary(summary: dict[str, Any], out: Path, console: Console) -> None:
    """Print what `summary.json` has."""
    console.print(_counts(summary))
    console.print(_functions(summary["functions"]))
    if summary["rejections"]:
        console.print(_rejections(summary["rejections"]))
    events = summary["events"]
    if events["ids"]:
        counts = ", ".join(
            f"{count} {what.removeprefix('Picture ')}" for what, count in sorted(events["counts"].items())
        )
        times = f"half came within {events['p50_s']} s of the upload, 95 % within {events['p95_s']} s"
        console.print(f"Events: {counts}; {times}", soft_wrap=True)
    stages = ", ".join(f"{stage} {seconds} s" for stage, seconds in summary["seconds"].items())
    console.print(f"{stages}\nResults: {out}/report.html, {out}/summary.json", soft_wrap=True)
    if silent := [key for key in events["without"] if key not in summary["unaccounted"]]:
        console.print(
            f"No event for {counted(len(silent), 'picture')}, such as {silent[0]}", style="red", soft_wrap=True
        )
    for key, branches in summary["unaccounted"].items():
        console.print(f"Unaccounted for: {key} (missing: {', '.join(branches)})", style="red", soft_wrap=True)


def _counts(summary: dict[str, Any]) -> Table:
    counts = {key: summary[key] for key in ("masters", "outputs", "records", "rejected")}
    counts["unaccounted"] = len(summary["unaccounted"])
    title = f"{counted(counts['masters'], 'master')}, {summary['images_per_second']} images per second"
    table = Table(*(Column(heading, justify="right") for heading in counts), title=title)
    table.add_row(*map(str, counts.values()))
    return table


def _functions(functions: dict[str, Any]) -> Table:
    numbers = ("calls", "cold", "cold ms", "warm ms", "longest", "total s")
    headings = (Column("function", overflow="fold"), *(Column(name, justify="right") for name in numbers))
    table = Table(*headings, title="Functions")
    columns = ("invocations", "cold_starts", "cold_median_ms", "median_ms", "max_ms")
    for name, found in functions.items():
        table.add_row(name, *(f"{found[column]:.0f}" for column in columns), f"{found['total_ms'] / 1000:.1f}")
    return table


def _rejections(rejections: list[dict[str, Any]]) -> Table:
    """Return a row for each picture and reason, with the branches that gave it."""
    table = Table(*(Column(heading, overflow="fold") for heading in ("rejected", "by", "reason")), title="Rejections")
    for (key, message), found in itertools.groupby(rejections, lambda found: (found["key"], found["message"])):
        table.add_row(key, "\n".join(rejection["branch"] for rejection in found), message)
    return table
