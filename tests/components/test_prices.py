"""The table of prices."""

import pytest

from components import prices


def test_every_price_says_what_it_is_for_and_who_says_so() -> None:
    """Service, unit and the page of AWS's that has it."""
    assert all(price.service and price.unit and "pricing, " in price.source for price in prices.TABLE)


def test_no_two_prices_have_one_name() -> None:
    """S3's GET and SQS's request cost the same, and are two prices all the same."""
    assert float(prices.S3_GET) == pytest.approx(prices.SQS_REQUEST)
    assert len({price.name for price in prices.TABLE}) == len(prices.TABLE)


def test_the_table_has_every_price_of_the_module() -> None:
    """What is defined and not in the table would be in no estimate."""
    defined = [value for value in vars(prices).values() if isinstance(value, prices.Price)]
    by_architecture = list(prices.LAMBDA_GB_SECOND.values())
    assert {price.name for price in [*defined, *by_architecture]} == {price.name for price in prices.TABLE}


def test_a_price_is_a_number() -> None:
    """It is multiplied and printed as any other."""
    assert f"{3 * prices.DASHBOARD_MONTH:.2f}" == "9.00"
