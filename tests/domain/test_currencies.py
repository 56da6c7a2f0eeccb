from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.countries import COUNTRIES
from oms.domain.currencies import EXPONENTS, NotAnAmount, minor_units


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("19.99", "USD", 1999),
        ("19.9", "USD", 1990),
        ("19", "USD", 1900),
        ("19.9900", "USD", 1999),
        ("1000", "JPY", 1000),
        ("1000.00", "JPY", 1000),
        ("1.5", "KWD", 1500),
        ("1.2345", "CLF", 12345),
        ("-0.01", "EUR", -1),
        ("0", "EUR", 0),
    ],
)
def test_amounts_become_the_smallest_unit_of_their_currency(
    text: str, currency: str, units: int
) -> None:
    assert minor_units(text, currency) == units


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("25.99", "JPY"),
        ("1.005", "USD"),
        ("1e2", "USD"),
        ("NaN", "USD"),
        ("1,00", "USD"),
        ("", "USD"),
        (" 1", "USD"),
        ("1.", "USD"),
        ("٣", "USD"),
        ("1\n", "USD"),
        ("1", "XAU"),
        ("1", "usd"),
    ],
)
def test_what_is_no_exact_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(NotAnAmount):
        minor_units(text, currency)


@given(st.integers(-(10**14), 10**14), st.sampled_from(sorted(EXPONENTS)))
def test_no_unit_is_lost_on_the_way(units: int, currency: str) -> None:
    text = f"{Decimal(units).scaleb(-EXPONENTS[currency]):f}"

    assert minor_units(text, currency) == units


def test_the_lists_are_whole() -> None:
    assert len(COUNTRIES) == 249
    assert len(EXPONENTS) > 150
    assert {"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4}.items() <= EXPONENTS.items()
