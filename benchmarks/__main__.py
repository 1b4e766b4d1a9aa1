"""`python -m benchmarks`: one command per question."""

import click

from ops.commands import Commands
from ops.interrupts import interrupt_when_terminated

COMMANDS = {
    "batch": "benchmarks.batch:batch",
    "coldstart": "benchmarks.coldstart:coldstart",
    "conformance": "benchmarks.conformance:conformance",
    "formats": "benchmarks.formats:formats",
    "latency": "benchmarks.latency:latency",
    "load": "benchmarks.load:load",
    "memory": "benchmarks.memory.command:memory",
    "peers": "benchmarks.peers:peers",
    "publisher": "benchmarks.publisher:publisher",
    "quality": "benchmarks.quality:quality",
    "trace": "benchmarks.trace:trace",
}


@click.group(
    cls=Commands, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "show_default": True}
)
def main() -> None:
    """Measure PixelCascade and compare it with its peers."""
    interrupt_when_terminated()  # To stop emulators and workers, and to remove control groups.


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
