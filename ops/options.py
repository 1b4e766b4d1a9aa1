"""Options that the commands share."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from handlers.errors import InvalidJobError
from handlers.layout import MAX_KEY_BYTES
from ops.connect import connect
from ops.stack import DeployedStack
from ops.text import did_you_mean


class S3Key(click.ParamType[str]):
    """A picture's key or name, or the beginning of one, of at least so many bytes."""

    name = "key"

    def __init__(self, least_bytes: int = 1) -> None:
        self._least_bytes = least_bytes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the key; refuse what S3 cannot have."""
        key, size = str(value), len(str(value).encode())
        if key.startswith("s3://"):
            self.fail(f"expected a key such as master/cat.png, got {key!r}: leave out s3://BUCKET/", param, ctx)
        if not self._least_bytes <= size <= MAX_KEY_BYTES:
            expected = f"{self._least_bytes} to {MAX_KEY_BYTES:,} bytes"
            self.fail(f"expected a key of {expected}, got {size:,}: check the key", param, ctx)
        return key


prefix_option = click.option(
    "--prefix", type=S3Key(0), default="", help="Only masters whose path below master/ begins with this."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
deep_option = click.option(
    "--deep", is_flag=True, help="Ask S3 and DynamoDB for each output, instead of trusting the records."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Print what would be done; change nothing.")


class Time(click.ParamType[datetime]):
    """A time as RFC 3339 or ISO 8601 has it; UTC unless it names an offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time that a text names."""
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"expected a time such as 2026-11-25T12:00:00Z, got {value!r}", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


def stack_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --json and the options that name its stack, and pass it the stack."""

    @json_option
    @click.option("--stack", "name", help="A stack on AWS, by its Pulumi name, such as dev.")
    @click.option("--local", is_flag=True, help="The stack that `python -m local up` keeps running.")
    def with_stack(*, name: str | None, local: bool, **options: Any) -> None:
        command(connect(name, local=local), **options)

    with_stack.__doc__ = command.__doc__
    return with_stack


def check_master(stack: DeployedStack, key: str) -> None:
    """Refuse a key that is not below the stack's master prefix.

    Raises: click.UsageError.
    """
    master = stack.layout.master
    try:
        stack.layout.path(key)
    except InvalidJobError as error:
        advice = "name a picture" if key.startswith(master) else f"write {master}{key.lstrip('/')}"
        raise click.UsageError(f"expected a key below {master}, got {key!r}: {advice}") from error


def check_queue(stack: DeployedStack, queue: str | None) -> None:
    """Refuse the name of a failure queue that the stack does not have.

    Raises: click.UsageError.
    """
    if queue and queue not in stack.dead_letter_queues:
        known = ", ".join(stack.dead_letter_queues)
        raise click.UsageError(
            f"--queue: expected one of {known}, got {queue}{did_you_mean(queue, stack.dead_letter_queues)}"
        )
