"""What is given for returned goods: exactly what was paid, whatever they come back in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import Refused
from oms.domain.fulfillment import Quantity
from oms.domain.holds import HoldStep
from oms.domain.lines import Discount, Line, Shipping, Tax
from oms.domain.payment import DisputeStatus, Operation, OperationKind, OperationStatus
from oms.domain.refunds import Credit, CreditPart, PartKind
from oms.domain.returns import (
    Acceptance,
    Disposition,
    ExchangeLine,
    Inspected,
    Received,
    Reception,
    RefundWhen,
    Resolution,
    ReturnLine,
    ReturnStatus,
    Terms,
)
from oms.domain.tracking import TrackingStatus
from tests.builders import Story, line, paid, placement, scanned

AT_ONCE = Terms(refund_when=RefundWhen.APPROVAL)
ON_RECEIPT = Terms(refund_when=RefundWhen.RECEIPT)
AFTER_INSPECTION = Terms(refund_when=RefundWhen.INSPECTION)
FREE = Shipping("standard", 0)


def delivered(*lines: Line, **changes: object) -> Story:
    story = Story(placement(*lines, **changes)).captured().routed().shipped().captured()
    return story.delivered()


def asked(
    terms: Terms | None, *units: tuple[str, int], resolution: Resolution = Resolution.REFUND
) -> c.RequestReturn:
    lines = tuple(ReturnLine(line_id, quantity, "unwanted") for line_id, quantity in units)
    return c.RequestReturn(lines, resolution, terms=terms)


def newest(story: Story) -> str:
    return story.order.returns[-1].return_id


def came(story: Story, line_id: str, units: int, what: Reception = Reception.RECEIVED) -> c.Command:
    return c.ReceiveReturn(newest(story), "austin", (Received(line_id, units, what),))


def judged(story: Story, line_id: str, units: int, *, accepted: bool = True) -> c.Command:
    said = (
        (Acceptance.ACCEPTED, Disposition.RESTOCK)
        if accepted
        else (Acceptance.REJECTED, Disposition.SEND_BACK)
    )
    return c.InspectReturn(newest(story), (Inspected(line_id, units, *said),))


def given_back(story: Story) -> int:
    return sum(credit.amount for credit in story.order.credits)


def refunds(story: Story) -> list[Operation]:
    granted = {credit.credit_id for credit in story.order.credits}
    return [x for x in story.order.payment.operations if x.cause in granted]


def of_kind(story: Story, kind: PartKind) -> int:
    parts = (part for credit in story.order.credits for part in credit.parts)
    return sum(part.amount for part in parts if part.kind is kind)


@st.composite
def lines_in_parts(draw: st.DrawFn) -> tuple[Line, list[int], bool]:
    """A line with discounts and taxes, and how many of its units each return brings."""
    quantity = draw(st.integers(1, 12))
    price = draw(st.integers(0, 100_000))
    gross = quantity * price
    discount = draw(st.integers(0, gross))
    second = draw(st.integers(0, gross - discount))
    taxes = draw(st.lists(st.integers(0, 50_000), max_size=3))
    parts, left = [], quantity
    while left:
        parts.append(draw(st.integers(1, left)))
        left -= parts[-1]
    ordered = Line(
        "line_1",
        "MUG",
        quantity,
        price,
        (Discount("PROMO", discount), Discount("VOUCHER", second)),
        tuple(Tax(f"T{n}", "0.1", tax) for n, tax in enumerate(taxes)),
    )
    return ordered, parts, draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    said=lines_in_parts(),
    off=st.integers(0, 100),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_the_units_of_a_line_bring_back_what_was_paid_however_they_are_divided(
    said: tuple[Line, list[int], bool], off: int, currency: str
) -> None:
    ordered, parts, included = said
    off = min(off, ordered.discounted)
    story = delivered(
        ordered,
        currency=currency,
        tax_included=included,
        shipping=FREE,
        discounts=(Discount("WHOLE", off),) if off else (),
    )
    for units in parts:
        story.do(asked(AT_ONCE, ("line_1", units))).captured()
    assert given_back(story) == story.order.total == story.order.payment.refunded
    assert [line.returned for line in story.order.lines] == [ordered.quantity]
    shares = Counter[tuple[str, str]]()
    for credit in story.order.credits:
        assert credit.amount >= 0
        for part in credit.parts if not included else (*credit.parts, *credit.contained):
            shares[part.kind, part.name] += part.amount
    assert shares[PartKind.PRICE, ""] == ordered.gross
    for discount in (*ordered.discounts, Discount("order", off)):
        assert shares[PartKind.DISCOUNT, discount.code] == -discount.amount
    for tax in ordered.taxes:
        assert shares[PartKind.TAX, tax.name] == tax.amount


def test_an_order_discount_is_returned_with_the_units_that_had_it() -> None:
    story = delivered(
        line(1, unit_price=600),
        line(2, unit_price=400),
        shipping=FREE,
        discounts=(Discount("TEN", 100),),
    )
    story.do(asked(AT_ONCE, ("line_1", 1)))
    assert given_back(story) == 540
    story.do(asked(AT_ONCE, ("line_2", 1)))
    assert [credit.amount for credit in story.order.credits] == [540, 360]


def test_a_voucher_that_was_taken_off_the_rest_is_returned_so() -> None:
    """40 % off, and 70 % off what is left: 18 % was paid, and no cent more is given back."""
    ordered = replace(
        line(1, unit_price=10_000), discounts=(Discount("PROMO", 4_000), Discount("VOUCHER", 4_200))
    )
    story = delivered(ordered, shipping=FREE).do(asked(AT_ONCE, ("line_1", 1)))
    assert story.order.total == given_back(story) == 1_800


@pytest.mark.parametrize(
    ("terms", "at_approval", "on_the_way", "when_received", "in_the_end"),
    [
        (AT_ONCE, 3000, 3000, 3000, 3000),
        (Terms(refund_when=RefundWhen.FIRST_SCAN), 0, 3000, 3000, 3000),
        (ON_RECEIPT, 0, 0, 2000, 2000),
        (AFTER_INSPECTION, 0, 0, 0, 1000),
    ],
)
def test_money_waits_for_what_the_terms_say(
    terms: Terms, at_approval: int, on_the_way: int, when_received: int, in_the_end: int
) -> None:
    story = delivered(line(1, quantity=3), shipping=FREE).do(asked(terms, ("line_1", 3)))
    assert given_back(story) == at_approval
    identity = newest(story)
    story.do(
        c.RecordReturnLabel(identity, "easypost", "RT1"),
        c.RecordReturnScans(
            identity, "easypost", "RT1", (scanned("RT1", TrackingStatus.IN_TRANSIT),)
        ),
    )
    assert given_back(story) == on_the_way
    story.do(came(story, "line_1", 2), came(story, "line_1", 1, Reception.SHORT))
    assert given_back(story) == when_received
    story.do(judged(story, "line_1", 1), judged(story, "line_1", 1, accepted=False))
    assert given_back(story) == in_the_end
    assert story.order.return_(identity).status is ReturnStatus.COMPLETED


def test_nothing_is_given_twice_when_goods_come_that_were_paid_for() -> None:
    story = delivered(line(1, quantity=2)).do(asked(AT_ONCE, ("line_1", 2)))
    story.do(came(story, "line_1", 2), judged(story, "line_1", 2))
    assert len(story.order.credits) == 1
    assert not story.order.return_(newest(story)).attention


def test_a_person_is_told_of_goods_that_were_paid_for_and_never_came() -> None:
    story = delivered(line(1, quantity=2), shipping=FREE).do(asked(AT_ONCE, ("line_1", 2)))
    story.do(c.ExpireReturn(newest(story)))
    assert "2000 USD" in story.order.return_(newest(story)).attention


def test_what_is_kept_by_the_customer_is_paid_for_at_once_and_over() -> None:
    story = delivered(line(1, quantity=2)).do(asked(Terms(keep=True), ("line_1", 2)))
    assert given_back(story) == 2000
    assert story.order.return_(newest(story)).status is ReturnStatus.COMPLETED


def test_units_that_are_kept_after_all_are_given_for_as_accepted_ones() -> None:
    story = delivered(line(1, quantity=2)).do(asked(AFTER_INSPECTION, ("line_1", 2)))
    story.do(came(story, "line_1", 2, Reception.KEPT_BY_CUSTOMER))
    assert given_back(story) == 2000


def test_shipping_is_given_back_once_with_the_last_unit() -> None:
    terms = replace(AT_ONCE, refund_shipping=True)
    shipping = Shipping("standard", 500, (Tax("VAT", "0.1", 50),))
    story = delivered(line(1, quantity=2), line(2), shipping=shipping)
    story.do(asked(terms, ("line_1", 2)))
    assert of_kind(story, PartKind.SHIPPING) == 0
    story.do(asked(terms, ("line_2", 1)))
    assert of_kind(story, PartKind.SHIPPING) == 550
    assert given_back(story) == story.order.total
    assert story.order.credits[-1].contained[0].amount == 50


@settings(max_examples=40, deadline=None)
@given(
    said=lines_in_parts(),
    points=st.integers(0, 10_000),
    label=st.integers(0, 3_000),
)
def test_fees_never_exceed_the_goods_and_round_once(
    said: tuple[Line, list[int], bool], points: int, label: int
) -> None:
    """Received in parts or as a whole, one return brings back the same, but for a label that was
    dearer than the first of it."""
    ordered, parts, included = said
    terms = replace(ON_RECEIPT, restocking_fee_bp=points, return_shipping=label)
    whole = delivered(ordered, tax_included=included, shipping=FREE)
    whole.do(asked(terms, ("line_1", ordered.quantity)))
    whole.do(came(whole, "line_1", ordered.quantity))
    story = delivered(ordered, tax_included=included, shipping=FREE)
    story.do(asked(terms, ("line_1", ordered.quantity)))
    for units in parts:
        story.do(came(story, "line_1", units))
    worth = story.order.total
    assert -of_kind(whole, PartKind.RESTOCKING_FEE) == (2 * worth * points + 10_000) // 20_000
    fee = of_kind(story, PartKind.RESTOCKING_FEE)
    assert fee == of_kind(whole, PartKind.RESTOCKING_FEE)
    assert of_kind(story, PartKind.RETURN_SHIPPING) >= -label
    assert 0 <= given_back(whole) <= given_back(story) <= worth


def test_nobody_is_given_more_than_was_taken_and_it_is_said_why() -> None:
    story = delivered(line(1, quantity=2), shipping=FREE)
    story.do(c.GrantRefund(1500, "late")).do(asked(AT_ONCE, ("line_1", 2)))
    assert [credit.amount for credit in story.order.credits] == [1500, 500]
    assert of_kind(story, PartKind.NOT_CAPTURED) == -1500


def test_a_refund_that_failed_is_still_promised() -> None:
    story = delivered(line(1, quantity=2), shipping=FREE).do(c.GrantRefund(1500, "late"))
    story.do(paid(refunds(story)[0].operation_id, OperationStatus.FAILED))
    story.do(asked(AT_ONCE, ("line_1", 2)))
    assert [credit.amount for credit in story.order.credits] == [1500, 500]


def test_what_a_failed_refund_promised_comes_from_another_tender_where_its_own_has_no_more() -> (
    None
):
    tenders = (c.TenderGiven("store_credit", 1500),)
    story = delivered(line(1, quantity=2), tenders=tenders, shipping=FREE)
    story.do(c.GrantRefund(300, "late", as_store_credit=True))
    (failed,) = refunds(story)
    story.do(paid(failed.operation_id, OperationStatus.FAILED))
    story.do(c.GrantRefund(400, "very late")).captured()

    assert [x.operation_id for x in story.order.unresolved] == [failed.operation_id]
    story.do(c.RetryPaymentOperation(failed.operation_id)).do(
        *(
            c.RecordPaymentResult(x.operation_id, x.attempt, OperationStatus.SUCCEEDED)
            for x in story.order.payment.unsettled
        )
    )
    again = [x for x in refunds(story) if x.cause == failed.cause]
    assert [(x.of, x.amount) for x in again] == [("op_2", 100), ("op_1", 200)]
    assert {(x.provider, x.to) for x in again} == {(failed.provider, failed.to)}
    assert story.order.uncredited(failed.cause) == 0
    assert story.order.unresolved == ()


def test_money_goes_back_to_the_newest_tender_first() -> None:
    tenders = (c.TenderGiven("store_credit", 700),)
    story = Story(placement(line(1, quantity=2), tenders=tenders, shipping=FREE)).captured()
    story.routed().shipped().captured().delivered()
    story.do(asked(AT_ONCE, ("line_1", 1)))
    assert [(each.of, each.amount) for each in refunds(story)] == [("op_2", 1000)]
    story.do(asked(AT_ONCE, ("line_1", 1)))
    assert [(x.of, x.amount) for x in refunds(story)[1:]] == [("op_2", 300), ("op_1", 700)]
    assert {each.provider for each in refunds(story)} == {""}


@pytest.mark.parametrize(
    ("resolution", "provider", "account"),
    [
        (Resolution.STORE_CREDIT, "store_credit", "credit:sc_cus_ada_USD"),
        (Resolution.GIFT_CARD, "gift_card", "credit:gc_"),
    ],
)
def test_credit_is_given_instead_of_money(
    resolution: Resolution, provider: str, account: str
) -> None:
    story = delivered(line(1)).do(asked(AT_ONCE, ("line_1", 1), resolution=resolution))
    operation = refunds(story)[0]
    assert (operation.provider, operation.amount) == (provider, 1000)
    assert operation.to.startswith(account)
    assert story.order.payment.refundable == story.order.total - 1000


def test_what_is_worth_nothing_moves_no_money() -> None:
    story = delivered(line(1, unit_price=0)).do(asked(AT_ONCE, ("line_1", 1)))
    assert len(story.events(e.ReturnSettled)) == 1
    assert not refunds(story)


def test_a_hold_on_refunds_keeps_the_money_back_until_it_is_released() -> None:
    story = delivered(line(1)).do(c.PlaceHold("fraud", "odd", blocks=(HoldStep.REFUND,)))
    story.do(asked(AT_ONCE, ("line_1", 1)))
    assert not story.order.to_settle
    story.do(c.ReleaseHold("hold_1", "fine"))
    assert [each.amount for each in story.order.to_settle] == [1000]


def test_cancelled_units_and_returned_ones_never_share_a_slice() -> None:
    ordered = line(1, quantity=3, unit_price=1000, discount=100, tax=200)
    story = Story(placement(ordered, shipping=FREE)).authorized()
    story.do(c.CancelOrder("less", (Quantity("line_1", 1),)))
    story.routed().shipped().captured().delivered()
    story.do(asked(AT_ONCE, ("line_1", 2))).captured()
    payment = story.order.payment
    assert payment.refunded == payment.captured
    assert payment.captured + payment.voided == story.order.total


def test_a_credit_that_is_not_the_sum_of_its_parts_is_no_credit() -> None:
    with pytest.raises(ValueError, match="sum"):
        Credit("crd_1", "return", 2, (CreditPart(PartKind.PRICE, 1),))  # type: ignore[arg-type]


def test_goodwill_is_given_to_whom_may_give_it_and_not_beyond() -> None:
    story = delivered(line(1, quantity=2)).do(c.GrantRefund(400, "late", "line_1", most=1000))
    with pytest.raises(Refused, match="at most 1000"):
        story.do(c.GrantRefund(601, "late", most=1000))
    story.do(c.GrantRefund(600, "late", as_store_credit=True, most=1000))
    assert [x.to for x in refunds(story)] == ["", "credit:sc_cus_ada_USD"]


def test_goodwill_is_refused_where_not_so_much_was_taken() -> None:
    story = Story(placement(line(1))).authorized()
    with pytest.raises(Refused, match="0 can be given back"):
        story.do(c.GrantRefund(1, "late"))
    story = delivered(line(1), shipping=FREE).do(c.GrantRefund(600, "late"))
    with pytest.raises(Refused, match="400 can be given back"):
        story.do(c.GrantRefund(401, "late"))
    assert [x.kind for x in refunds(story)] == [OperationKind.REFUND]


def test_a_person_is_told_of_goods_that_were_paid_for_and_then_refused() -> None:
    story = delivered(line(1, quantity=2)).do(asked(AT_ONCE, ("line_1", 2)))
    story.do(came(story, "line_1", 1), came(story, "line_1", 1, Reception.LOST_IN_TRANSIT))
    story.do(judged(story, "line_1", 1, accepted=False))
    found = story.order.return_(newest(story))
    assert found.status is ReturnStatus.COMPLETED
    assert "2 units were paid for" in found.attention
    assert given_back(story) == 2000


def test_a_replacement_that_was_sent_at_once_is_worth_what_did_not_come_back() -> None:
    terms = replace(AFTER_INSPECTION, exchange_at_once=True)
    wish = asked(terms, ("line_1", 2), resolution=Resolution.REPLACEMENT)
    story = delivered(line(1, quantity=3)).do(wish)
    story.do(came(story, "line_1", 1), came(story, "line_1", 1, Reception.SHORT))
    story.do(judged(story, "line_1", 1))
    assert "1000 of the exchange" in story.order.return_(newest(story)).attention


def test_an_exchange_waits_for_its_last_unit_and_takes_the_money_whole() -> None:
    wanted = (ExchangeLine(line(1, sku="CUP", unit_price=1500)),)
    wish = replace(
        asked(AFTER_INSPECTION, ("line_1", 2), resolution=Resolution.EXCHANGE), exchange=wanted
    )
    story = delivered(line(1, quantity=2)).do(wish)
    linked = story.order.returns[0].linked_order
    story.do(came(story, "line_1", 1), judged(story, "line_1", 1))
    assert not refunds(story)
    story.do(came(story, "line_1", 1), judged(story, "line_1", 1))
    assert [(x.provider, x.to, x.amount) for x in refunds(story)] == [
        ("exchange", f"exchange:{linked}", 1500),
        ("", "", 500),
    ]


def test_what_is_captured_after_its_goods_came_back_is_given_back() -> None:
    story = Story(placement(line(1), shipping=FREE)).authorized().routed().shipped()
    (capture,) = story.order.payment.unsettled
    story.do(paid(capture.operation_id, OperationStatus.FAILED)).delivered()
    story.do(asked(AT_ONCE, ("line_1", 1)))  # credit 0: price 1000, not_captured -1000
    story.do(c.RetryPaymentOperation(capture.operation_id))
    for each in story.order.payment.unsettled:
        story.do(c.RecordPaymentResult(each.operation_id, each.attempt, OperationStatus.SUCCEEDED))
    story.captured()
    assert story.order.payment.captured == story.order.payment.refunded


def test_what_came_back_while_it_was_disputed_is_paid_for_when_the_dispute_is_won() -> None:
    story = delivered(line(1), shipping=FREE)
    story.do(c.RecordDispute("test", "ref_op_1", "dp", 1000, DisputeStatus.OPEN))
    story.do(asked(AT_ONCE, ("line_1", 1)))
    assert [each.amount for each in story.order.credits] == [0]

    story.do(c.RecordDispute("test", "ref_op_1", "dp", 1000, DisputeStatus.WON)).captured()

    assert story.order.payment.refunded == 1000
    assert [each.amount for each in story.order.credits] == [0, 1000]


def test_what_came_back_while_it_was_disputed_is_not_paid_for_when_the_dispute_is_lost() -> None:
    story = delivered(line(1), shipping=FREE)
    story.do(c.RecordDispute("test", "ref_op_1", "dp", 1000, DisputeStatus.OPEN))
    story.do(asked(AT_ONCE, ("line_1", 1)))

    story.do(c.RecordDispute("test", "ref_op_1", "dp", 1000, DisputeStatus.LOST))

    assert [each.amount for each in story.order.credits] == [0]
    assert story.order.payment.unsettled == ()


@given(st.integers(1, 3_000), st.lists(st.booleans(), min_size=3, max_size=3))
def test_a_dispute_that_is_won_leaves_nobody_short_and_nobody_paid_twice(
    disputed: int, before: list[bool]
) -> None:
    """Units come back before, during or after it: together they bring what was paid."""
    story = delivered(line(1, quantity=3), shipping=FREE)
    dispute = ("test", "ref_op_1", "dp", disputed)
    story.do(c.RecordDispute(*dispute, DisputeStatus.OPEN))
    for during in before:
        if during:
            story.do(asked(AT_ONCE, ("line_1", 1))).captured()
    story.do(c.RecordDispute(*dispute, DisputeStatus.WON)).captured()
    for during in before:
        if not during:
            story.do(asked(AT_ONCE, ("line_1", 1))).captured()

    assert story.order.payment.refunded == story.order.payment.captured == 3_000
