"""What each event adds to the sales, in absolute figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from oms.domain import commands as c
from oms.domain.edits import Changes
from oms.domain.fulfillment import Quantity
from oms.domain.lines import Discount, Shipping, Tax
from oms.domain.reporting.sales import Sales
from oms.domain.returns import RefundWhen, Resolution, ReturnLine, Terms
from tests.builders import NOW, Story, line, placement
from tests.projecting import counted_plainly

DAY, MONTH = NOW.date().isoformat(), NOW.date().isoformat()[:7]
MARKET = ("web", "USD", "US")


def story(**changes: Any) -> Story:
    lines = (line(1, quantity=3, discount=250, tax=186), line(2, quantity=2))
    said = {"shipping": Shipping("s", 500, (Tax("T", "0.2", 100),)), **changes}
    return Story(placement(*lines, discounts=(Discount("WELCOME", 100),), **said))


def of_day(story: Story, day: str = DAY, zone: str = "UTC") -> dict[str, int]:
    return counted_plainly(Sales(), [story], zone).get(("market", day, MARKET), {})


def of_sku(story: Story, sku: str) -> dict[str, int]:
    return counted_plainly(Sales(), [story])["sku", MONTH, (sku, "USD")]


def test_a_placed_order_is_told_in_all_its_figures() -> None:
    assert of_day(story()) == {
        "orders": 1,
        "units": 5,
        "gross": 5000,
        "discounts": 350,
        "shipping": 500,
        "taxes": 286,
    }


def test_an_orders_discount_is_told_with_the_lines_that_bear_it() -> None:
    by_sku = [of_sku(story(), sku) for sku in ("SKU-1", "SKU-2")]

    assert [each["discounts"] for each in by_sku] == [250 + 58, 42]
    assert [each["orders"] for each in by_sku] == [1, 1]


def test_an_edit_sells_what_it_adds_and_cancels_what_it_removes() -> None:
    edited = story(provider="external", captured=10**9)
    pot = line(3, quantity=2, unit_price=700, discount=30, tax=40)
    shipping = Shipping("express", 900, (Tax("T", "0.2", 180),))
    changes = Changes(added=(pot,), removed=(Quantity("line_1", 1),), shipping=shipping)
    edited.edited("edt_1", changes).captured()

    assert of_day(edited) == {
        "orders": 1,
        "units": 5 + 2,
        "gross": 5000 + 1400,
        "discounts": 350 + 30,
        "shipping": 900,
        "taxes": 286 + 40 - 100 + 180,
        "cancelled_units": 1,
        "cancelled": 1000 - 83 - 19,
    }


def test_the_parts_of_a_line_that_are_cancelled_one_after_the_other_are_worth_the_line() -> None:
    by_parts = story()
    for _ in range(3):
        by_parts.do(c.CancelOrder("one", (Quantity("line_1", 1),)))

    assert of_sku(by_parts, "SKU-1")["cancelled"] == 3000 - 308


def test_goods_that_come_back_and_goodwill_are_returned_and_all_that_is_given_is_refunded() -> None:
    back = Story(placement(line(1, quantity=2, discount=100, tax=40)))
    back.authorized().routed().shipped().captured().delivered().do(c.GrantRefund(300, "late"))
    terms = Terms(refund_when=RefundWhen.APPROVAL)
    back.do(c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=terms))
    wish = c.RequestReturn(
        (ReturnLine("line_1", 1),), Resolution.REPLACEMENT, terms=Terms(keep=True)
    )
    back.do(wish)

    found = of_day(back)

    assert (found["refund_count"], found["refunded"], found["returned"]) == (
        2,
        300 + 970,
        300 + 950,
    )
    assert of_sku(back, "SKU-1")["returned"] == 950


def test_an_order_counts_on_its_day_in_the_shops_time_zone_and_its_cancellation_on_its_own() -> (
    None
):
    old = story(placed_at=datetime.fromisoformat("2011-12-09T23:30:00-01:00"))
    old.do(c.CancelOrder("late"))

    assert of_day(old, "2011-12-10")["orders"] == 1
    assert of_day(old, "2011-12-09", "America/New_York")["orders"] == 1
    assert of_day(old)["cancelled_orders"] == 1
    assert "orders" not in of_day(old)
