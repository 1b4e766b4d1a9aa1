"""The error for arguments of a component that cannot be deployed, and the exit codes of all commands."""

import pulumi

NOT_AS_EXPECTED, USAGE = 1, 2
"""Exit codes: 1 if the result is not as expected or the command failed, 2 on a usage error, as in click."""


class ArgumentError(pulumi.RunError):
    """A component's arguments cannot be deployed; the message says what was expected.

    A `RunError`, because Pulumi prints its message alone, without a traceback.
    """
