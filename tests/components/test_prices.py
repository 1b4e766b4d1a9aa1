"""The table of prices."""

import pytest

from components import prices


def test_every_price_has_a_service_a_unit_and_a_source() -> None:
    """Every price has a service, a unit and the AWS page that lists it."""
    assert all(price.service and price.unit and "pricing, " in price.source for price in prices.TABLE)


def test_price_names_are_unique() -> None:
    """S3's GET and SQS's request cost the same, but they are separate prices."""
    assert float(prices.S3_GET) == pytest.approx(prices.SQS_REQUEST)
    assert len({price.name for price in prices.TABLE}) == len(prices.TABLE)


def test_the_table_has_every_price_of_the_module() -> None:
    """The estimate would miss a price that is not in the table."""
    defined = [value for value in vars(prices).values() if isinstance(value, prices.Price)]
    by_architecture = list(prices.LAMBDA_GB_SECOND.values())
    assert {price.name for price in [*defined, *by_architecture]} == {price.name for price in prices.TABLE}


def test_a_price_is_a_number() -> None:
    """A price can be multiplied and formatted like any number."""
    assert f"{3 * prices.DASHBOARD_MONTH:.2f}" == "9.00"
