"""What is said of a return's money: before it is given, and after."""

from __future__ import annotations

from dataclasses import replace

from oms.contracts.render import order_view
from oms.contracts.render_credits import settlement_view
from oms.domain import commands as c
from oms.domain.lines import Discount
from oms.domain.payment import OperationStatus
from oms.domain.returns import Reception, RefundWhen, Terms
from tests.builders import line, paid
from tests.domain.test_settling import FREE, asked, came, delivered, judged, newest, refunds

FEES = Terms(refund_when=RefundWhen.INSPECTION, restocking_fee_bp=1000, return_shipping=150)


def test_before_anything_is_given_it_is_estimated_by_the_same_rules() -> None:
    ordered = replace(line(1, quantity=2, tax=200), discounts=(Discount("TEN", 100),))
    story = delivered(ordered, shipping=FREE).do(asked(FEES, ("line_1", 1)))

    before = settlement_view(story.order, story.order.returns[0])

    assert (before.estimated, before.granted) == (True, 0)
    assert [(each.label, each.amount) for each in before.parts] == [
        ("1 × SKU-1", 1000),
        ("discount TEN", -50),
        ("tax VAT", 100),
        ("restocking fee", -105),
        ("return shipping", -150),
    ]
    assert before.refund_amount == sum(each.amount for each in before.parts) == 795
    assert before.remarks == ["1 of 1 SKU-1 are paid for when they are inspected"]
    story.do(came(story, "line_1", 1), judged(story, "line_1", 1))
    now = settlement_view(story.order, story.order.return_(newest(story)))
    assert (now.estimated, now.granted, now.parts) == (False, 795, before.parts)
    assert [(x.provider, x.amount, x.status) for x in now.destinations] == [
        ("test", 795, "requested")
    ]


def test_it_says_why_it_is_not_more() -> None:
    story = delivered(line(1, quantity=3), shipping=FREE).do(c.GrantRefund(2500, "late"))
    story.do(asked(FEES, ("line_1", 3)))
    story.do(came(story, "line_1", 2), came(story, "line_1", 1, Reception.LOST_IN_TRANSIT))
    story.do(judged(story, "line_1", 1), judged(story, "line_1", 1, accepted=False))

    said = settlement_view(story.order, story.order.returns[0])

    assert said.refund_amount == 500
    assert said.remarks == [
        "1 of 3 SKU-1 did not come",
        "1 of 3 SKU-1 were not accepted",
        "250 less, as not more was charged, or it was given back before",
    ]


def test_taxes_inside_of_prices_are_told_and_not_added() -> None:
    story = delivered(line(1, quantity=2, tax=333), shipping=FREE, tax_included=True)
    story.do(asked(Terms(keep=True), ("line_1", 2)))

    (credit,) = order_view(story.order).credits

    assert credit.amount == 2000
    assert [(each.label, each.amount) for each in credit.contained_taxes] == [("tax VAT", 333)]


def test_an_order_shows_what_can_still_be_given_back_and_nothing_twice() -> None:
    story = delivered(line(1, quantity=2), shipping=FREE).do(c.GrantRefund(500, "late"))
    view = order_view(story.order)
    assert (view.paid, view.refunded, view.refundable) == (2000, 0, 1500)
    story.do(paid(refunds(story)[0].operation_id, OperationStatus.FAILED))
    view = order_view(story.order)
    assert (view.refunded, view.refundable) == (0, 1500)
    assert (view.credits[0].refunded, view.credits[0].destinations[0].status) == (0, "failed")
