"""What payloads of marketplaces are read with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import MalformedOrder
from oms.adapters.channels.reading import Reader, instant, kept_day, lines_of, shop_name
from oms.adapters.webhooks import Call
from tests.adapters.channels.marketplace_cases import JSON

READER = Reader("somewhere")


@pytest.mark.parametrize("code", ["amazon", "square", "ebay", "etsy", "walmart"])
@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b'{"payload": 1}', b'{"detail": 1}', b'{"shop_id": [1]}']
)
def test_what_nobody_believes_yet_is_no_error_and_of_no_shop(code: str, body: bytes) -> None:
    channel = CHANNELS[code]

    assert channel.shop(Call(body)) == ""
    assert channel.verify(Call(body), "secret") is False


@pytest.mark.parametrize("code", ["amazon", "square", "ebay", "etsy", "walmart"])
def test_the_address_that_was_called_says_which_shop(code: str) -> None:
    assert CHANNELS[code].shop(Call(b"{}", query={"shop": "Mugs-US"})) == "mugs-us"
    assert CHANNELS[code].shop(Call(b"{}", query={"shop": "../x"})) == ""


@given(st.one_of(JSON, st.text(), st.integers()))
def test_a_shop_is_a_slug_or_none(found: object) -> None:
    shop = shop_name(found)

    assert shop == shop.lower()
    assert "/" not in shop
    assert len(shop) <= 100


@given(JSON)
def test_an_instant_is_one_of_this_century_or_none(found: object) -> None:
    at = instant(found)

    assert at is None or (at.tzinfo is UTC and 2000 <= at.year < 2100)


def test_instants_have_nanoseconds_and_milliseconds() -> None:
    at = datetime(2025, 9, 10, 21, 34, 26, 864221, UTC)

    assert instant("2025-09-10T21:34:26.864221978Z") == at
    assert instant("2025-09-10T23:34:26.864221978+02:00") == at
    assert instant(1757540066864) == at.replace(microsecond=864000)
    assert instant("2025-09-10T21:34:26") is None


@pytest.mark.parametrize(
    ("until", "day"),
    [
        ("2026-03-07T07:59:59Z", "2026-03-06"),  # in Los Angeles
        ("2026-03-07T04:59:59Z", "2026-03-06"),  # in New York
        ("2026-03-07T22:59:59Z", "2026-03-07"),  # in Berlin
        ("2026-03-07T14:59:59Z", "2026-03-07"),  # in Tokyo
        ("2026-03-07T12:59:59Z", "2026-03-07"),  # in Sydney
        ("soon", None),
    ],
)
def test_the_day_that_was_promised_is_the_buyers(until: str, day: str | None) -> None:
    assert kept_day(until) == day


def test_lines_of_an_address_are_two() -> None:
    assert lines_of(["1 Elm St", None, "Rear", " "]) == ("1 Elm St", "Rear")
    assert lines_of([None, "Apt 3", "Rear"]) == ("Apt 3", "Rear")
    assert lines_of([]) == ("", "")


@pytest.mark.parametrize("value", ["1.5", -1, True, None, "", "1e3", [], "9" * 10])
def test_a_part_of_a_unit_is_no_quantity(value: object) -> None:
    with pytest.raises(MalformedOrder):
        READER.count(value, "a quantity")
