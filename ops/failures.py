"""What the world does to a command, said in one line instead of a traceback."""

from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from handlers.errors import PixelCascadeError


class Explained(click.Group):
    """Commands that may fail for lack of credentials, network, permissions or the stack itself."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; end with 1 and one line where AWS, or the way to it, says no."""
        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError, PixelCascadeError) as error:
            reason = " ".join(str(error).split())
            raise click.ClickException(
                f"{reason} ({type(error).__name__}). Check credentials, profile, region and network, "
                "and that the stack is deployed and running."
            ) from error
