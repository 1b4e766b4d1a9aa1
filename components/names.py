"""Check that AWS accepts the physical names that autonaming makes from logical names."""

from components.errors import ArgumentError

AUTONAMING_CHARACTERS = 8  # A dash and seven hexadecimal digits. Source: Pulumi's documentation, "Autonaming".

# Source: the API references of Lambda (CreateFunction), IAM (CreateRole), SQS (CreateQueue), SNS (CreateTopic).
LONGEST = {"function": 64, "role": 64, "queue": 80, "topic": 256}


def checked_name(kind: str, name: str) -> str:
    """Return a logical name, if its physical name is short enough for its kind of resource.

    Raises: ArgumentError.
    """
    length, longest = len(name) + AUTONAMING_CHARACTERS, LONGEST[kind]
    if length > longest:
        raise ArgumentError(
            f"The {kind} {name}: expected a name of at most {longest} characters with the {AUTONAMING_CHARACTERS} that "
            f"autonaming adds, got {length}: choose a shorter name or prefix for its branch or fan-out"
        )
    return name
