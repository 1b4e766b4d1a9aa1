"""What does a function's cold start cost? Measured from the deployed package, on one core."""

import functools
import os
import resource
import subprocess

from benchmarks.artefact import Artefact, unpacked
from benchmarks.findings import Findings, Row, findings_command
from benchmarks.measuring import interleaved, pin, ratio
from benchmarks.options import runs_option
from benchmarks.worker_process import CREDENTIALS
from components.branches import BRANCHES
from components.config import StackConfig

PEER = "a script with boto3, Pillow and one S3 client"
SCRIPTS = {
    PEER: "import boto3, PIL.Image; boto3.client('s3')",
    "python alone": "pass",
    "job-publisher": "import handlers.job_publisher; from handlers import clients; clients.sns()",
    **{
        row.function_name: f"import handlers.{row.module}; from handlers import clients; clients.s3()"
        + ("; clients.dynamodb()" if row.records else "")
        for row in BRANCHES
    },
}
# The end of a process does not count.
END = "; import os; os._exit(0)"
COUNT = "; import sys; print(len(sys.modules), 'PIL' in sys.modules, 'boto3' in sys.modules)"


@findings_command
@runs_option(15)
def coldstart(runs: int) -> Findings:
    """Measure the CPU time of each function's cold start.

    That is its imports and first clients, from the deployed package. Without the runtime's Python on this machine, the
    package for this machine's own Python is measured.
    """
    pin()
    with unpacked(StackConfig()) as artefact:
        contestants = {name: functools.partial(_cpu_ms, artefact, script + END) for name, script in SCRIPTS.items()}
        found = interleaved(contestants, [None], runs)
        rows = []
        for name, times in found.items():
            modules, pictures, boto3 = _output(artefact, SCRIPTS[name] + COUNT).split()
            facts = {"ratio": ratio(times.runs, found[PEER].runs).median, "modules": int(modules), "PIL": pictures}
            rows.append(Row(name=name, samples=times.runs, facts={**facts, "boto3": boto3}))
    return Findings(
        title="Cold start",
        question=f"milliseconds of CPU until a fresh process has its clients, {runs} runs",
        rows=rows,
        notes=[
            f"The functions run from the package for {artefact.target}.",
            "ratio: to the script from the same layer, run by run.",
        ],
    )


def _output(artefact: Artefact, script: str) -> str:
    """Run a script with the package alone and return its output."""
    environment = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": os.devnull, **CREDENTIALS, **artefact.environment}
    command = artefact.command("-c", script)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def _cpu_ms(artefact: Artefact, script: str, _: None) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _output(artefact, script)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
