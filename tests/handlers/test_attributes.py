"""Values as DynamoDB attributes."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from handlers.attributes import attribute, attributes, value_of, values_of

numbers = st.integers(-(10**37), 10**37)
values = st.recursive(
    st.text() | st.booleans() | numbers,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
def test_a_value_survives_the_round_trip(value: Any) -> None:
    """A value survives the round trip through an attribute."""
    assert value_of(attribute(value)) == value


@given(values | st.decimals(-(10**9), 10**9, places=6))
def test_attributes_equal_those_of_boto3(value: Any) -> None:
    """The attributes equal those of boto3, whose import would slow a cold start."""
    assert attribute(value) == TypeSerializer().serialize(value)


def test_an_item_maps_names_to_attributes() -> None:
    """An item maps each name to an attribute, and back."""
    item = {"name": {"S": "cat"}, "generation": {"N": "7"}}
    assert attributes({"name": "cat", "generation": 7}) == item
    assert values_of(item) == {"name": "cat", "generation": 7}


@pytest.mark.parametrize("value", [1.5, None, b"bytes", {"nested": 1.5}])
def test_a_value_of_another_type_is_refused(value: Any) -> None:
    """Floats, None, bytes and nested floats raise TypeError."""
    with pytest.raises(TypeError, match="expected text, a number, a flag, a list or a mapping"):
        attribute(value)


def test_a_decimal_keeps_its_digits() -> None:
    """A Decimal is stored with all its digits."""
    assert attribute(Decimal("0.00125")) == {"N": "0.00125"}
