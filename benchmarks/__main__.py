"""`python -m benchmarks`: one command per question."""

import click

from benchmarks.batch import batch
from benchmarks.coldstart import coldstart
from benchmarks.conformance import conformance
from benchmarks.formats import formats
from benchmarks.latency import latency
from benchmarks.load import load
from benchmarks.memory.command import memory
from benchmarks.peers import peers
from benchmarks.publisher import publisher
from benchmarks.quality import quality
from benchmarks.trace import trace


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure PixelCascade and compare it with its peers."""


for command in (batch, coldstart, conformance, formats, latency, load, memory, peers, publisher, quality, trace):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
