"""`checked_environment`: environments that Lambda would refuse are refused first."""

import asyncio
import json

import pulumi
import pytest

from components.environment import MAX_BYTES, checked_environment
from components.errors import ArgumentError
from tests.recording import recorded


def test_an_environment_of_the_largest_size_is_accepted() -> None:
    """An environment of exactly the limit passes; quotes and braces count."""
    value = "x" * (MAX_BYTES - len('{"NAME":""}'))
    assert checked_environment("worker", {"NAME": value}) == {"NAME": value}


def test_one_byte_more_is_refused_with_both_numbers() -> None:
    """The error names the function, the limit and the size."""
    value = "x" * (MAX_BYTES - len('{"NAME":""}') + 1)
    with pytest.raises(
        ArgumentError, match="The function worker: expected an environment of at most 4096 bytes, got 4097"
    ):
        checked_environment("worker", {"NAME": value})


def test_an_unknown_output_counts_as_its_maximum_length() -> None:
    """An output counts as 256 characters."""

    async def check() -> None:  # Outputs need an event loop.
        checked_environment("worker", {"NAME": "x" * (MAX_BYTES - 256), "TOPIC_ARN": pulumi.Output.from_input("a")})

    with pytest.raises(ArgumentError, match="at most 4096 bytes"):
        asyncio.run(check())


def test_too_many_sizes_are_refused() -> None:
    """120 sizes with long names are refused before Lambda would refuse them."""
    sizes = json.dumps([f"a-size-with-a-long-name-{number}={number}" for number in range(1, 121)])
    with pytest.raises(ArgumentError, match=r"The function .*: expected an environment of at most 4096 bytes, got"):
        recorded("dev", sizes=sizes)
