"""The error for arguments of a component that cannot be deployed."""

import pulumi


class ArgumentError(pulumi.RunError):
    """A component's arguments cannot be deployed; the message says what was expected.

    A `RunError`, because Pulumi prints its message alone, without a traceback.
    """
