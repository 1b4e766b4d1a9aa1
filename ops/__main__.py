"""`python -m ops`: inspect and repair a stack, on AWS or on this machine, and estimate its bill."""

import click

from costs.command import estimate_command
from ops import changing, looking
from ops.failures import Explained
from ops.presign import presign_command


@click.group(cls=Explained, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Inspect and repair a running stack, on AWS or on this machine."""


for command in (*looking.COMMANDS, *changing.COMMANDS, presign_command, estimate_command):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="python -m ops")
