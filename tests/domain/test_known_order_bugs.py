"""Bugs that order systems are known for, each by its name: M money, L the life of an order.

Payments' own (M1, M5, P1–P3) are in tests/functions/payments/test_known_payment_bugs.py, what was
abandoned (L1) and the balance after every step (M4) in tests/domain/test_edits.py in full.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from oms.domain import commands as c
from oms.domain.errors import Refused
from oms.domain.fulfillment import Delivery, FulfillmentStatus, Quantity
from oms.domain.lines import Discount, Line
from oms.domain.order import OrderStatus, fold
from oms.domain.returns import RefundWhen, Resolution, ReturnLine, Terms
from oms.domain.tracking import TrackingStatus
from tests.builders import RECORD, Story, line, placement, scans
from tests.domain.test_settling import FREE, delivered, given_back

AT_ONCE = Terms(refund_when=RefundWhen.APPROVAL)


def returned(story: Story, line_id: str, units: int = 1) -> int:
    """What the newest credit is worth."""
    lines = (ReturnLine(line_id, units, "unwanted"),)
    story.do(c.RequestReturn(lines, Resolution.REFUND, terms=AT_ONCE)).captured()
    return story.order.credits[-1].amount


def test_m2_three_units_of_ten_less_one_bring_back_twenty_nine_and_no_cent_more() -> None:
    story = delivered(line(quantity=3, unit_price=1000, discount=100), shipping=FREE)

    parts = [returned(story, "line_1") for _ in range(3)]

    assert parts == [966, 967, 967]
    assert sum(parts) == story.order.payment.captured == 2900


def test_m3_a_partial_refund_has_its_share_of_the_discount_and_the_next_one_the_rest() -> None:
    ordered = (line(1, unit_price=600), line(2, unit_price=400))
    story = delivered(*ordered, shipping=FREE, discounts=(Discount("TEN", 100),))

    assert [returned(story, "line_1"), returned(story, "line_2")] == [540, 360]


def test_m4_the_balance_after_every_step_is_that_of_the_events() -> None:
    story = Story(placement(line(quantity=4))).captured()
    story.do(c.CancelOrder("one less", (Quantity("line_1", 1),))).captured()
    story.routed().shipped().captured().delivered()
    returned(story, "line_1", 2)

    for upto in range(1, len(story.facts) + 1):
        seen = fold(story.order_id, story.facts[:upto])
        payment = seen.payment
        assert payment.authorized >= payment.captured >= payment.refunded
        assert payment.refundable >= 0
    assert fold(story.order_id, story.facts) == story.order
    assert story.order.payment.captured == 3500
    assert given_back(story) == story.order.payment.refunded == 2000


def test_m6_a_second_full_refund_is_refused_once_the_first_is_decided() -> None:
    """Twenty at once, on tables: tests/functions/returns/test_place_exchange.py."""
    story = delivered(line(quantity=2), shipping=FREE)
    returned(story, "line_1", 2)

    with pytest.raises(Refused):
        returned(story, "line_1", 2)
    assert story.order.payment.refunded == story.order.payment.captured == 2000


@pytest.mark.parametrize("currency", ["JPY", "CLP", "USD", "KWD"])
def test_m7_an_amount_is_the_same_number_of_minor_units_in_every_currency(currency: str) -> None:
    """What providers are asked: tests/adapters/test_payment_providers.py."""
    story = delivered(line(unit_price=1999), currency=currency, shipping=FREE)

    assert story.order.payment.captured == 1999
    assert returned(story, "line_1") == 1999


def test_m8_forty_percent_then_seventy_percent_leave_eighteen_and_never_less_than_nothing() -> None:
    vouchers = (Discount("PROMO", 4000), Discount("VOUCHER", 4200))
    ordered = Line("line_1", "MUG", 1, 10_000, vouchers)
    story = delivered(ordered, shipping=FREE)

    assert story.order.payment.captured == returned(story, "line_1") == 1800


def test_l1_an_order_whose_return_is_abandoned_still_ships_and_cancels_the_rest() -> None:
    story = Story(placement(line(quantity=3))).captured()
    story.do(
        c.RecordRouting(
            story.plan(("austin", {"line_1": 1}), ("reno", {"line_1": 2})),
            RECORD,
        )
    )
    story.shipped(1).captured().delivered()
    story.do(c.RequestReturn((ReturnLine("line_1", 1, "unwanted"),), Resolution.REFUND))

    story.do(c.CancelOrder("changed my mind", (Quantity("line_1", 1),))).captured()
    story.shipped(2, "EZ2").captured().delivered("EZ2")

    assert story.order.status is OrderStatus.COMPLETED
    assert story.order.returns[0].is_open


@pytest.mark.parametrize("kept", range(1, 6))
def test_l2_a_split_at_any_unit_keeps_every_unit_in_one_place(kept: int) -> None:
    story = Story(placement(line(quantity=5))).captured()
    short = (Quantity("line_1", 5 - kept),) if kept < 5 else ()
    plan = story.plan(("austin", {"line_1": kept}))
    story.do(c.RecordRouting(plan, RECORD, short=short))

    (split,) = story.order.lines
    assert (split.allocated, split.backordered, split.open) == (kept, 5 - kept, 0)
    story.shipped().captured()
    (split,) = story.order.lines
    assert (split.shipped, split.allocated, split.backordered) == (kept, 0, 5 - kept)


def test_l3_goods_that_have_arrived_at_the_store_do_not_complete_the_order() -> None:
    story = Story(placement(pickup_location="austin")).captured()
    (to_store,) = story.plan(("reno", {"line_1": 1}))
    to_store = replace(to_store, delivery=Delivery.SHIP_TO_STORE.value)
    story.do(c.RecordRouting((to_store,), RECORD)).shipped().captured()

    story.do(scans("EZ1", TrackingStatus.DELIVERED))

    assert story.order.fulfillment_orders[0].status is FulfillmentStatus.ARRIVED
    assert story.order.status is OrderStatus.IN_FULFILLMENT
