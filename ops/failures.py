"""Failures of AWS, the network or the stack, as one line instead of a traceback."""

from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from handlers.errors import PixelCascadeError
from ops.commands import Commands
from ops.text import printable

THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}


class Explained(Commands):
    """Commands that may fail because credentials, network, permissions or the stack are missing."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; print one line and exit 1 if AWS refuses or cannot be reached."""
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError, PixelCascadeError) as error:
            reason = printable(" ".join(str(error).split()))  # It may name a key.
            if isinstance(error, PixelCascadeError):  # Its message says what to do.
                raise click.ClickException(reason) from error
            raise click.ClickException(f"{reason} ({type(error).__name__}). {_advice(error)}") from error


class OfPictures(Explained):
    """Commands whose arguments are pictures' keys."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; refuse arguments in another encoding than UTF-8, because they name no key."""
        if wrong := [text for text in args if text.encode(errors="replace").decode() != text]:
            raise click.UsageError(f"expected text in UTF-8, got {wrong[0]!a}: check the terminal's encoding", ctx)
        return super().resolve_command(ctx, args)


def _advice(error: Exception) -> str:
    if isinstance(error, ClientError) and error.response["Error"].get("Code") in THROTTLED:
        return (
            "The account's limit is reached, and new accounts have low ones: try again later, publish more slowly with "
            "`backfill --rate`, or ask for a higher limit in Service Quotas."
        )
    if isinstance(error, ClientError) and error.response["Error"].get("Code") == "NoSuchBucket":
        return "Check the bucket's name, and that the credentials are those of its account."
    if isinstance(error, ParamValidationError):  # botocore refuses the name before it asks AWS.
        return "Check the bucket's name."
    return "Check credentials, profile, region and network, and that the stack is deployed and running."
