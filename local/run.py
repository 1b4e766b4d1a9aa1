"""One whole run: start, deploy, upload, wait, fetch, report, stop."""

import functools
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local import cascade, events, results
from local.deployment import Deployment
from local.emulator import Emulator
from local.journal import EVERY_S, FailureWatch, write_logs
from local.output_folder import LOGS, SUMMARY, TIMES, writing
from local.program import preload
from local.report import write_report
from local.timeline import write_times
from ops.audit import Account


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the time of a stage."""
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)


def run(
    emulator: Emulator,
    find: Callable[[], Mapping[str, Path]],
    folder: Path,
    stack: str,
    config: Mapping[str, str],
    *,
    console: Console,
) -> dict[str, Any]:
    """Send files through the pipeline, in an emulator that starts, and return the summary.

    `find` returns the files by key; `config` is the stack's. The summary and the results are written into the
    empty `folder`.

    Raises: OutputFolderError, ConfigError, DeploymentError, EmulatorError, and what `find` raises.
    """
    watch = Stopwatch()
    with watch.stage("start"):
        preload()
        masters = find()
        emulator.wait()
    deployment = Deployment(emulator)
    with watch.stage("deploy"), console.status("Deploying the program"):
        deployment.deploy(stack, config)
    queue = events.EventQueue(emulator)
    uploaded = process(deployment, masters, watch, console, queue)
    view = cascade.stack_of(deployment)
    with watch.stage("audit"), console.status("Accounting for every picture"):
        accounts = cascade.accounts(view, masters)
    with writing(folder), watch.stage("download"), console.status("Fetching the results"):
        outputs = results.download(view, folder)
        write_times(view, folder / TIMES)
        write_logs(emulator.client("logs"), deployment.log_groups(), folder / LOGS)
    summary = summarise(deployment, accounts, watch, outputs=outputs, records=len(results.records(view)))
    summary["events"] = events.summary(queue.drain(), uploaded if view.events else {})
    with writing(folder), watch.stage("report"), console.status("Writing the report"):
        write_report(folder, summary, list(results.pictures(view, masters, accounts, folder)))
    with writing(folder):
        results.write_json(folder / SUMMARY, summary)
    return summary


def process(
    deployment: Deployment, masters: Mapping[str, Path], watch: Stopwatch, console: Console, queue: events.EventQueue
) -> dict[str, float]:
    """Upload the masters and wait until they are settled; return when each was uploaded."""
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        uploading = progress.add_task("uploaded", total=len(masters))
        settling = progress.add_task("settled", total=len(masters))
        failures = FailureWatch(deployment.emulator, deployment.log_groups())

        def look(every_s: float = EVERY_S) -> None:
            for failure in failures.news(every_s):
                progress.console.print(f"Failed: {failure}", style="red", soft_wrap=True)

        with watch.stage("upload"):
            uploaded = cascade.upload(deployment, masters, lambda: progress.advance(uploading), look)
        with watch.stage("process"):
            cascade.wait(
                deployment,
                list(masters),
                lambda settled: progress.update(settling, completed=settled),
                look,
                functools.partial(queue.wait, len(masters)),
            )
            look(0.0)
    return uploaded


def summarise(
    deployment: Deployment, accounts: Sequence[Account], watch: Stopwatch, *, outputs: int, records: int
) -> dict[str, Any]:
    """Return the outcome of every master, the times, and the functions' figures."""
    busy_s = watch.seconds["upload"] + watch.seconds["process"]
    return {
        "stack": deployment.stack,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "masters": len(accounts),
        "outputs": outputs,
        "records": records,
        "rejected": sum(bool(found.rejections) for found in accounts),
        "rejections": [rejection for found in accounts for rejection in found.rejections],
        "unaccounted": {found.key: found.unaccounted for found in accounts if found.unaccounted},
        "seconds": watch.seconds,
        "images_per_second": round(len(accounts) / busy_s, 2),
        "functions": results.functions(deployment),
    }
