"""Physical names that AWS accepts: those that autonaming makes from logical names, and those made from a stack's."""

import re

from components.errors import ArgumentError

AUTONAMING_CHARACTERS = 8  # A dash and seven hexadecimal digits. Source: Pulumi's documentation, "Autonaming".

# Source: the API references of Lambda (CreateFunction), IAM (CreateRole), SQS (CreateQueue), SNS (CreateTopic).
LONGEST = {"function": 64, "role": 64, "queue": 80, "topic": 256}

# What all of these accept, and layers and dashboards too. Source: the same, PublishLayerVersion and PutDashboard.
REFUSED = "[^A-Za-z0-9_-]"


def checked_name(kind: str, name: str) -> str:
    """Return a logical name, if AWS accepts its characters and its physical name's length for its kind of resource.

    Raises: ArgumentError.
    """
    if re.search(REFUSED, name):
        raise ArgumentError(
            f"The {kind} {name}: expected letters, digits, dashes and underscores, got {name!r}: rename its branch or "
            "fan-out"
        )
    length, longest = len(name) + AUTONAMING_CHARACTERS, LONGEST[kind]
    if length > longest:
        raise ArgumentError(
            f"The {kind} {name}: expected a name of at most {longest} characters with the {AUTONAMING_CHARACTERS} that "
            f"autonaming adds, got {length}: choose a shorter name or prefix for its branch or fan-out"
        )
    return name


def joined_name(*parts: str) -> str:
    """Return a physical name of the names of a project or stack; a dot, which only Pulumi accepts, becomes a dash."""
    return re.sub(REFUSED, "-", "-".join(parts))
