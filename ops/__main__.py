"""`python -m ops`: inspect and repair a stack, on AWS or on this machine, and estimate its bill."""

import click

from ops.failures import OfPictures

COMMANDS = {
    "status": "ops.looking:status_command",
    "audit": "ops.looking:audit_command",
    "rejected": "ops.looking:rejected_command",
    "letters": "ops.looking:letters_command",
    "backfill": "ops.changing:backfill_command",
    "sweep": "ops.changing:sweep_command",
    "erase": "ops.changing:erase_command",
    "events": "ops.changing:events_command",
    "redrive": "ops.changing:redrive_command",
    "adopt": "ops.changing:adopt_command",
    "presign": "ops.presign:presign_command",
    "estimate": "costs.command:estimate_command",
}


@click.group(cls=OfPictures, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Inspect and repair a running stack, on AWS or on this machine."""


if __name__ == "__main__":
    main(prog_name="python -m ops")
