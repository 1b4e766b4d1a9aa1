"""`python -m local`: the unchanged program on one machine, without AWS, Docker or the Pulumi CLI."""

import pkgutil

import click

from local.emulator import interrupt_when_terminated
from ops.nearest import Suggesting

COMMANDS = {
    "run": "local.commands.run:run_command",
    "up": "local.commands.up:up_command",
    "env": "local.commands.look:env_command",
    "outputs": "local.commands.look:outputs_command",
    "logs": "local.commands.look:logs_command",
    "status": "local.commands.look:status_command",
}


class Commands(Suggesting):
    """Imports only the command that is called, because all of them take longer to import than the emulator to start."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the commands' names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; None if there is none of this name."""
        found: click.Command | None = pkgutil.resolve_name(COMMANDS[cmd_name]) if cmd_name in COMMANDS else None
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the pipeline on this machine."""
    # SIGTERM must stop the emulator too, as Ctrl-C does.
    interrupt_when_terminated()


if __name__ == "__main__":
    main(prog_name="python -m local")
