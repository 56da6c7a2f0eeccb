"""Telephone numbers: the same, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.countries import COUNTRIES
from oms.domain.phones import CALLING_CODES, LONGEST, at_home, international, without_country

ARABIC = "".join(chr(0x660 + int(digit)) for digit in "0501234567")


@pytest.mark.parametrize(
    ("said", "country", "number"),
    [
        ("+1 512 555 0100", "", "+15125550100"),
        ("(512) 555-0100", "US", "+15125550100"),
        ("1-512-555-0100", "CA", "+15125550100"),
        ("512.555.0100 ext. 12", "US", "+15125550100"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "US", "+442079460958"),
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("030 1234567", "DE", "+49301234567"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("8 495 123-45-67", "RU", "+74951234567"),
        (ARABIC, "AE", "+971501234567"),
        ("030 1234567", "", ""),
        ("none", "US", ""),
        ("", "US", ""),
        ("+" + "1" * 40, "US", ""),
    ],
)
def test_a_number_has_one_form_however_it_is_written(said: str, country: str, number: str) -> None:
    assert international(said, country) == number


def test_every_country_has_a_code() -> None:
    assert CALLING_CODES.keys() >= COUNTRIES


def test_who_asks_without_a_country_asks_for_the_same_digits() -> None:
    assert at_home("030 1234567") == without_country(international("030 1234567", "DE"))


@given(st.text(max_size=60), st.sampled_from(sorted(CALLING_CODES)))
def test_whatever_is_said_the_answer_is_short_and_only_digits(said: str, country: str) -> None:
    number = international(said, country)

    assert not number or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())
    assert len(number) <= LONGEST + 1


@given(st.text(max_size=60), st.sampled_from(sorted(CALLING_CODES)))
def test_its_own_form_is_the_number_again(said: str, country: str) -> None:
    number = international(said, country)

    assert not number or international(number, "FR") == number
