"""The commands of `python -m local`."""

import click

FOLLOW_S = 1.0
"""How long a command that follows waits between two looks."""

stack_option = click.option(
    "--stack", default="local", show_default=True, help="The stack whose Pulumi.<stack>.yaml is used."
)
