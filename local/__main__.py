"""`python -m local`: the unchanged program on one machine, without AWS, Docker or the Pulumi CLI."""

import click

from ops.failures import Explained
from ops.interrupts import interrupt_when_terminated

COMMANDS = {
    "run": "local.commands.run:run_command",
    "up": "local.commands.up:up_command",
    "env": "local.commands.look:env_command",
    "outputs": "local.commands.look:outputs_command",
    "logs": "local.commands.look:logs_command",
    "status": "local.commands.look:status_command",
}


@click.group(cls=Explained, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the pipeline on this machine."""
    # SIGTERM must stop the emulator too, as Ctrl-C does.
    interrupt_when_terminated()


if __name__ == "__main__":
    main(prog_name="python -m local")
