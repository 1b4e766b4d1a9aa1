"""The error for arguments of a component that cannot be deployed, and the exit codes of all commands."""

import pulumi

NOT_AS_EXPECTED, USAGE = 1, 2
"""Exit codes: a picture, a figure or a start is not as it should be; the arguments are wrong, as click has it."""


class ArgumentError(pulumi.RunError):
    """A component's arguments cannot be deployed; the message says what was expected.

    A `RunError`, because Pulumi prints its message alone, without a traceback.
    """
