"""What does a new process of a function cost before its first event? Fresh processes, one core."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.findings import Findings, Row
from benchmarks.measuring import interleaved, milliseconds, pin, ratio
from benchmarks.options import html_option, json_option, runs_option
from benchmarks.worker_process import CREDENTIALS

PEER = "a script with boto3, Pillow and one S3 client"
SCRIPTS = {
    PEER: "import boto3, PIL.Image; boto3.client('s3')",
    "python alone": "pass",
    "job-publisher": "import handlers.job_publisher; from handlers import clients; clients.sns()",
    "format-converter": "import handlers.format_converter; from handlers import clients; clients.s3()",
    "pixel-resizer": "import handlers.pixel_resizer; from handlers import clients; clients.s3()",
    "metadata-extractor": (
        "import handlers.metadata_extractor; from handlers import clients; clients.s3(); clients.dynamodb()"
    ),
}
# How long a process takes to end is no part of its start.
END = "; import os; os._exit(0)"
COUNT = "; import sys; print(len(sys.modules), 'PIL' in sys.modules, 'boto3' in sys.modules)"


@click.command()
@runs_option(15)
@json_option
@html_option
def coldstart(runs: int, json_file: Path | None, html_file: Path | None) -> None:
    """Time import and first clients of each function."""
    pin()
    found = interleaved({name: _start(script) for name, script in SCRIPTS.items()}, [None], runs)
    rows = []
    for name, samples in found.items():
        modules, pictures, boto3 = _run(SCRIPTS[name] + COUNT).split()
        times = ratio(samples, found[PEER]).median
        facts = {"ratio": times, "modules": int(modules), "PIL": pictures, "boto3": boto3}
        rows.append(Row(name=name, samples=samples, facts=facts))
    Findings(
        title="Cold start",
        question=f"milliseconds of a fresh process until its clients are made, {runs} runs",
        rows=rows,
        notes=["ratio: to the script, run by run."],
    ).show(json_file, html_file)


def _start(script: str) -> Callable[[None], float]:
    return lambda _: milliseconds(lambda: _run(script + END))


def _run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **CREDENTIALS, "AWS_EC2_METADATA_DISABLED": "true", "AWS_LAMBDA_FUNCTION_NAME": "measured"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
