"""Several authorizations pay for one order: each cent of them moves once, and is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import decide, facts, place
from oms.domain.decide.payment import asked_for
from oms.domain.errors import IllegalTransition, NotFound, OnHold, Refused
from oms.domain.fulfillment import Quantity
from oms.domain.holds import HoldStep, NewHold
from oms.domain.lines import Discount, Shipping
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import (
    RENEW_BEFORE,
    DisputeStatus,
    OperationKind,
    OperationStatus,
    Tender,
    renewal_due,
)
from oms.domain.refunds import Credit, CreditKind, CreditPart, PartKind
from oms.domain.statuses import payment_status
from oms.domain.waits import Wait, outcome, prepared
from tests.builders import NOW, Story, line, paid, placement

GIFT, CARD = c.TenderGiven("gift_card", 1000), c.TenderGiven("store_credit", 400)
APART = ("austin", {"line_1": 1}), ("reno", {"line_1": 1})
WEEK = NOW + timedelta(days=7)


def said(operation_id: str, status: OperationStatus, **more: object) -> c.RecordPaymentResult:
    attempt = int(str(more.pop("attempt", 1)))
    return c.RecordPaymentResult(operation_id, attempt, status, f"ref_{operation_id}", **more)  # type: ignore[arg-type]


def declined(operation_id: str, attempt: int = 1) -> c.RecordPaymentResult:
    return said(operation_id, OperationStatus.FAILED, reason="no", attempt=attempt)


def authorized(operation_id: str, until: datetime | None = WEEK) -> c.RecordPaymentResult:
    return said(operation_id, OperationStatus.SUCCEEDED, valid_until=until)


def split(*tenders: c.TenderGiven, quantity: int = 2, **changes: object) -> Story:
    """Goods of 1000 each, shipping 500; the order's own provider pays the rest."""
    return Story(placement(line(quantity=quantity), tenders=tenders or (GIFT,), **changes))


def moves(order: Order, kind: OperationKind) -> list[tuple[str, int]]:
    found = (each for each in order.payment.operations if each.kind is kind)
    return [(each.of or "op_1", each.amount) for each in found]


def asked_of(order: Order) -> list[tuple[str, str, int]]:
    return [(o.operation_id, o.kind.value, o.amount) for o in order.payment.unsettled]


def test_a_split_tender_is_authorized_in_parts_and_confirmed_once() -> None:
    story = split(GIFT, CARD)

    assert asked_of(story.order) == [
        ("op_1", "authorize", 1000),
        ("op_2", "authorize", 400),
        ("op_3", "authorize", 1100),
    ]
    seen = []
    for each in ("op_3", "op_1", "op_2"):
        story.do(paid(each))
        seen.append((payment_status(story.order), prepared(story.order)))
    assert [status for status, _ in seen] == ["partially_authorized"] * 2 + ["authorized"]
    assert [told.confirms for told in story.events(e.PaymentAuthorized)] == [False, False, True]
    assert story.order.status is OrderStatus.CONFIRMED


@pytest.mark.parametrize("refused", ["op_1", "op_2", "op_3"])
@pytest.mark.parametrize("last", [False, True])
def test_a_split_tender_of_which_one_is_declined_is_cancelled_and_the_others_voided(
    refused: str, last: bool
) -> None:
    story = split(GIFT, CARD)
    others = [each for each in ("op_1", "op_2", "op_3") if each != refused]
    story.do(*(paid(each) for each in others[: 2 if last else 1]), declined(refused))

    assert prepared(story.order) == "declined"
    assert outcome(story.order, Wait.PAYMENT) == "declined"
    story.do(c.CancelOrder("declined"))
    story.do(*(paid(each) for each in others)).captured()

    payment = story.order.payment
    assert payment.voided == payment.authorized > 0
    assert sorted(moves(story.order, OperationKind.VOID)) == sorted(
        (each, payment.operation(each).amount) for each in others
    )


def test_an_authorization_of_less_than_was_asked_for_is_no_payment() -> None:
    story = Story().do(said("op_1", OperationStatus.SUCCEEDED, amount=900))

    assert (payment_status(story.order), prepared(story.order)) == (
        "partially_authorized",
        "declined",
    )
    story.do(c.CancelOrder("declined")).captured()
    assert (story.order.payment.voided, payment_status(story.order)) == (900, "voided")


@given(
    st.lists(st.integers(1, 1500), max_size=3),
    st.integers(1, 6),
    st.data(),
)
def test_each_shipment_takes_exactly_its_slices_over_the_tenders(
    amounts: list[int], quantity: int, data: st.DataObject
) -> None:
    """The oldest tender first; what is left of all of them in the end is voided."""
    total = 997 * quantity + 41 - 13 + 500
    tenders = tuple(c.TenderGiven(f"p{n}", amount) for n, amount in enumerate(amounts))
    if sum(amounts) > total:
        return
    goods = line(quantity=quantity, unit_price=997, tax=41)
    story = Story(placement(goods, discounts=(Discount("OFF", 13),), tenders=tenders))
    story.captured()
    boxes: list[int] = []
    while sum(boxes) < quantity:
        boxes.append(data.draw(st.integers(1, quantity - sum(boxes))))
    story.routed(*(("austin", {"line_1": units}) for units in boxes))
    for number, units in enumerate(boxes, 1):
        before = story.order.payment.committed(OperationKind.CAPTURE)
        story.shipped(number)
        taken = story.order.payment.committed(OperationKind.CAPTURE) - before
        first = sum(boxes[: number - 1])
        slices = story.order.line("line_1").payable(first, units, tax_included=False)
        assert taken == slices + (500 if number == 1 else 0)
        check(story.order)
    story.captured()
    payment = story.order.payment
    assert (payment.captured, payment.voided) == (total, 0)
    room = [each.operation.amount for each in payment.tenders]
    by_tender = [each.captured for each in payment.tenders]
    assert by_tender == room


def test_what_a_cancellation_frees_is_refunded_newest_first_and_the_rest_is_voided() -> None:
    story = split(GIFT, CARD, quantity=3).captured()
    story.routed(("austin", {"line_1": 2}), ("reno", {"line_1": 1})).shipped().captured()
    assert moves(story.order, OperationKind.CAPTURE) == [
        ("op_1", 1000),
        ("op_2", 400),
        ("op_3", 1100),
    ]

    story.do(c.CancelOrder("no more", (Quantity("line_1", 1),)))

    assert moves(story.order, OperationKind.VOID) == [("op_3", 1000)]
    assert moves(story.order, OperationKind.REFUND) == []
    assert story.order.payment.to_refund(1500) == (("op_3", 1100), ("op_2", 400))
    assert story.order.payment.to_refund(9999) == (("op_3", 1100), ("op_2", 400), ("op_1", 1000))


def test_prepaid_money_is_taken_with_its_authorization_and_goes_back_when_it_is_called_off() -> (
    None
):
    prepaid = replace(GIFT, prepaid=True)
    story = split(prepaid, quantity=3, prepaid=True).do(paid("op_2"))

    assert asked_of(story.order) == [("op_1", "authorize", 1000), ("op_3", "capture", 2500)]
    story.captured().captured()
    assert (payment_status(story.order), story.order.payment.captured) == ("paid", 3500)

    story.routed(("austin", {"line_1": 1}), ("reno", {"line_1": 2})).shipped()
    assert story.order.payment.unsettled == ()
    story.do(c.CancelOrder("rest", (Quantity("line_1", 2),)))
    assert moves(story.order, OperationKind.REFUND) == [("op_2", 2000)]
    check(story.captured().order)


def test_prepaid_money_that_comes_after_the_cancellation_goes_back() -> None:
    story = Story(placement(prepaid=True)).do(
        said("op_1", OperationStatus.PENDING), c.CancelOrder("too late"), paid("op_1")
    )

    assert asked_of(story.order) == [("op_2", "capture", 1500), ("op_3", "refund", 1500)]
    assert payment_status(story.captured().order) == "refunded"


def renewing(*, until: datetime = WEEK) -> Story:
    """Two units of which one has shipped; the other is still to come when the money ends."""
    story = Story(placement(line(quantity=2))).do(authorized("op_1", until))
    story.routed(*APART).shipped().captured()
    return story.do(c.RenewAuthorization(until))


def test_what_is_left_of_an_authorization_is_renewed_and_the_old_one_voided() -> None:
    story = renewing()
    assert asked_of(story.order) == [("op_3", "authorize", 1000)]
    assert story.order.payment.operation("op_3").of == "op_1"

    story.do(c.RenewAuthorization(WEEK), authorized("op_3", WEEK + timedelta(days=7)))

    assert asked_of(story.order) == [("op_4", "void", 1000)]
    assert [each.confirms for each in story.events(e.PaymentAuthorized)] == [True, False]
    story.captured().shipped(2).captured()
    payment = story.order.payment
    assert moves(story.order, OperationKind.CAPTURE) == [("op_1", 1500), ("op_3", 1000)]
    assert (payment.authorized, payment.captured, payment.voided) == (2500, 2500, 0)
    assert payment_status(story.order) == "paid"
    check(story.order)


def test_nothing_is_renewed_that_need_not_be_captured_any_more() -> None:
    shipped = Story().do(authorized("op_1")).routed().shipped()
    cancelled = Story().do(authorized("op_1"), c.CancelOrder("no"))
    early = Story().do(authorized("op_1"), c.RenewAuthorization(WEEK - timedelta(seconds=1)))
    forever = Story().do(authorized("op_1", None), c.RenewAuthorization(WEEK))

    for story in (shipped, cancelled, early, forever):
        story.do(c.RenewAuthorization(WEEK - timedelta(days=1)))
        assert not [o for o in story.order.payment.authorizations if o.of]


def test_a_refused_renewal_holds_the_order_and_tells_a_person_and_cancels_nothing() -> None:
    story = renewing().do(declined("op_3"))

    (hold,) = story.order.active_holds
    assert (hold.type, hold.blocks) == ("payment", (HoldStep.ROUTING, HoldStep.FULFILLMENT))
    assert story.order.attention
    assert not story.order.is_final
    story.do(c.ResolveAttention("retry"))
    assert prepared(story.order) is None  # until it ends it can still be captured
    with pytest.raises(OnHold):
        story.shipped(2)


def test_an_authorization_that_has_ended_lets_nothing_leave_and_cancels_nothing() -> None:
    story = renewing().do(declined("op_3"), c.ExpireAuthorization(WEEK))
    story.do(c.ResolveAttention("retry"))

    assert [each.amount for each in story.events(e.PaymentAuthorizationExpired)] == [1000]
    assert (prepared(story.order), outcome(story.order, Wait.RELEASE)) == ("on_hold", None)
    story.do(c.ReleaseHold("hold_1", "ship it all the same"))
    assert (prepared(story.order), outcome(story.order, Wait.RELEASE)) == ("on_hold", None)
    story.packed(2)
    with pytest.raises(IllegalTransition):
        story.do(c.ShipFulfillmentOrder(story.box(2), story.parcels(2, "EZ2")))
    check(story.order)


def test_a_renewal_that_a_person_asks_for_again_frees_the_order() -> None:
    story = renewing().do(declined("op_3"), c.ExpireAuthorization(WEEK))

    story.do(c.RetryPaymentOperation("op_3"), c.ResolveAttention("retry"))
    story.do(said("op_3", OperationStatus.SUCCEEDED, attempt=2))

    assert (story.order.active_holds, prepared(story.order)) == ((), None)
    story.shipped(2).captured()
    assert story.order.payment.captured == 2500
    check(story.order)


def test_a_hold_that_a_person_has_placed_is_not_released_by_a_renewal() -> None:
    story = renewing().do(c.PlaceHold("payment", "waits for the bank's letter"))

    story.do(declined("op_3"), c.RetryPaymentOperation("op_3"))
    story.do(said("op_3", OperationStatus.SUCCEEDED, attempt=2))

    assert [hold.reason for hold in story.order.active_holds] == ["waits for the bank's letter"]


def test_a_capture_that_fails_on_what_was_renewed_is_taken_of_the_renewal() -> None:
    story = Story(placement(line(quantity=2))).do(authorized("op_1"), c.RenewAuthorization(WEEK))
    story.routed(*APART).shipped()
    capture = story.order.payment.unsettled[-1].operation_id
    story.do(authorized("op_2", None), declined(capture))

    assert moves(story.order, OperationKind.CAPTURE) == [("op_1", 1500), ("op_2", 1500)]
    assert story.order.unresolved == ()
    check(story.captured().order)


def test_an_expired_order_that_was_held_from_the_beginning_is_not_declined() -> None:
    story = Story(placement(holds=(NewHold("fraud", "look"),))).do(authorized("op_1"))

    story.do(c.ExpireAuthorization(WEEK), c.ResolveAttention("retry"))

    assert prepared(story.order) == "on_hold"


def test_an_authorization_is_looked_after_a_day_before_its_end_or_half_way_to_it() -> None:
    assert renewal_due(NOW, WEEK) == WEEK - RENEW_BEFORE
    assert renewal_due(NOW, NOW + timedelta(hours=6)) == NOW + timedelta(hours=3)


def disputed(status: DisputeStatus, *, reference: str = "ref_op_1") -> c.RecordDispute:
    return c.RecordDispute("test", reference, "dp_1", 1500, status, "fraudulent")


def whole() -> Story:
    return Story().authorized().routed().shipped().captured()


def test_a_dispute_is_told_to_a_person_and_bars_refunds_until_it_is_won() -> None:
    story = whole().do(disputed(DisputeStatus.OPEN), disputed(DisputeStatus.OPEN))

    assert (payment_status(story.order), story.order.payment.refundable) == ("disputed", 0)
    assert "dp_1" in story.order.attention
    assert len(story.events(e.PaymentDisputed)) == 1

    story.do(disputed(DisputeStatus.WON), disputed(DisputeStatus.WON))
    assert (payment_status(story.order), story.order.payment.refundable) == ("paid", 1500)
    assert len(story.events(e.PaymentDisputeClosed)) == 1


def test_what_a_dispute_has_taken_is_gone_and_nothing_is_refunded_twice() -> None:
    story = whole().do(disputed(DisputeStatus.LOST, reference="ref_op_2"))

    assert (payment_status(story.order), story.order.payment.refundable) == ("refunded", 0)
    assert story.order.payment.to_refund(1500) == ()


def test_what_was_called_off_while_it_was_disputed_goes_back_once_the_dispute_is_won() -> None:
    story = Story(placement(captured=10**9))
    story.do(c.RecordDispute("test", "channel", "dp_1", 1500, DisputeStatus.OPEN))
    story.do(c.CancelOrder("no"))
    assert asked_of(story.order) == []

    story.do(c.RecordDispute("test", "channel", "dp_1", 1500, DisputeStatus.WON))

    assert asked_of(story.order) == [("op_3", "refund", 1500)]


def test_a_dispute_stays_a_persons_business_when_the_goods_arrive() -> None:
    story = whole().do(disputed(DisputeStatus.OPEN)).delivered()

    assert (story.order.status, bool(story.order.attention)) == (OrderStatus.COMPLETED, True)


@pytest.mark.parametrize("provider", ["test", "gift_card"])
def test_a_provider_disputes_what_was_paid_to_it_only(provider: str) -> None:
    story = split().captured()
    own, other = {"test": ("ref_op_2", "ref_op_1"), "gift_card": ("ref_op_1", "ref_op_2")}[provider]

    story.do(c.RecordDispute(provider, own, "dp_1", 10, DisputeStatus.OPEN))
    with pytest.raises(NotFound):
        story.do(c.RecordDispute(provider, other, "dp_2", 10, DisputeStatus.OPEN))


def test_an_overcharge_is_recorded_told_and_given_back() -> None:
    story = Story().authorized().routed().shipped()

    story.do(said("op_2", OperationStatus.SUCCEEDED, amount=1900))

    assert (story.order.payment.captured, story.order.attention) == (
        1900,
        "capture op_2: 1500 was asked for and 1900 has moved",
    )
    assert asked_of(story.order) == [("op_3", "refund", 400)]
    assert payment_status(story.captured().order) == "partially_refunded"


def test_an_overcharge_that_is_found_later_is_given_back_on_the_tender_that_it_was_taken_on() -> (
    None
):
    story = split().captured().routed().shipped().captured()
    assert story.order.payment.captured == 2500

    for _ in range(2):
        story.do(said("op_3", OperationStatus.SUCCEEDED, amount=1300))

    assert moves(story.order, OperationKind.REFUND) == [("op_1", 300)]
    assert [(x.amount, x.before) for x in story.events(e.PaymentAmountCorrected)] == [(1300, 1000)]


def test_an_order_is_overpaid_while_nothing_brings_the_excess_back() -> None:
    story = Story().authorized().routed().shipped()
    story.do(said("op_2", OperationStatus.SUCCEEDED, amount=1900), declined("op_3"))

    assert payment_status(story.order) == "overpaid"


@pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.VOID, OperationKind.REFUND])
def test_of_what_has_moved_less_the_rest_is_asked_for_once(kind: OperationKind) -> None:
    story = Story(placement(captured=10**9 if kind is OperationKind.REFUND else 0))
    story.captured()
    if kind is OperationKind.CAPTURE:
        story.routed().shipped()
    else:
        story.do(c.CancelOrder("no"))
    (asked,) = story.order.payment.unsettled
    assert (asked.kind, asked.amount) == (kind, 1500)

    story.do(said(asked.operation_id, OperationStatus.SUCCEEDED, amount=600))

    (rest,) = story.order.payment.unsettled
    assert (rest.kind, rest.amount, rest.attempt) == (kind, 900, 1)
    story.captured()
    assert story.order.payment.committed(kind) == 1500
    assert story.order.payment.unsettled == ()


def test_nothing_moved_is_a_failure_whatever_the_provider_calls_it() -> None:
    story = Story().authorized().routed().shipped()

    story.do(said("op_2", OperationStatus.SUCCEEDED, amount=0))

    (failed,) = story.order.unresolved
    assert (failed.operation_id, failed.reason) == ("op_2", "nothing has moved")


def test_a_key_rotates_only_after_a_definite_no_whatever_is_asked() -> None:
    """Unknown, pending and what is said twice leave the attempt, and with it the key, as it was."""
    for story in stories_with_a_question():
        (asked,) = story.order.payment.unsettled
        identity = asked.operation_id
        for status in (OperationStatus.UNKNOWN, OperationStatus.PENDING, OperationStatus.UNKNOWN):
            story.do(said(identity, status), c.RetryPaymentOperation(identity))
            assert story.order.payment.operation(identity).attempt == 1
        story.do(declined(identity), declined(identity), c.RetryPaymentOperation(identity))
        retried = story.order.payment.operation(identity)
        assert (retried.attempt, retried.status) == (2, OperationStatus.REQUESTED)
        story.do(said(identity, OperationStatus.SUCCEEDED))  # of the attempt that is over
        assert not story.order.payment.operation(identity).settled


def stories_with_a_question() -> Iterator[Story]:
    yield Story().authorized().routed().shipped()
    yield Story().authorized().do(c.CancelOrder("no"))
    yield Story(placement(captured=10**9)).do(c.CancelOrder("no"))
    yield renewing()


WISHES = (
    "answer",
    "ship",
    "cancel",
    "renew",
    "expire",
    "dispute",
    "close",
    "goodwill",
    "retry",
    "release",
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 2500), max_size=2),
    st.sets(st.integers(0, 2)),
    st.lists(
        st.tuples(st.just("answer") | st.sampled_from(WISHES), st.integers(0, 7)), max_size=40
    ),
)
def test_whatever_happens_to_split_tenders_no_cent_moves_twice(
    amounts: list[int], prepaid: set[int], wishes: list[tuple[str, int]]
) -> None:
    if sum(amounts) > 3500:
        return
    tenders = tuple(
        c.TenderGiven(f"p{n}", amount, prepaid=n in prepaid) for n, amount in enumerate(amounts)
    )
    command = placement(line(quantity=3), tenders=tenders, prepaid=2 in prepaid)
    story = Story(command)
    for wish, n in wishes:
        try:
            act(story, wish, n)
        except (Refused, NotFound):
            continue
        check(story.order)
    to_the_end(story)
    check(story.order)
    check_end(story.order)


def act(story: Story, wish: str, n: int) -> None:
    order, at = story.order, story.at
    match wish:
        case "answer":
            answer(story, n)
        case "ship":
            ship(story, n)
        case "cancel":
            story.do(c.CancelOrder("no", (Quantity("line_1", n % 2 + 1),) if n % 3 else ()))
        case "renew":
            story.do(c.RenewAuthorization(at + timedelta(days=n)))
        case "expire":
            story.do(c.ExpireAuthorization(at + timedelta(days=n - 2)))
        case "dispute" | "close":
            status = DisputeStatus.OPEN if wish == "dispute" else list(DisputeStatus)[1 + n % 2]
            known = [o for o in order.payment.operations if o.reference]
            if known:
                of = known[n % len(known)]
                provider = order.payment.provider_of(of)
                story.do(c.RecordDispute(provider, of.reference, f"dp_{n % 2}", 300 * n, status))
        case "goodwill":
            goodwill(story, 100 + n)
        case "retry":
            for failed in order.unresolved[:1]:
                story.do(c.RetryPaymentOperation(failed.operation_id))
        case "release":
            for hold in order.active_holds:
                story.do(c.ReleaseHold(hold.hold_id, "go on"))


def answer(story: Story, n: int) -> None:
    """An honest provider: a refund of what it has not captured fails."""
    asked = story.order.payment.unsettled
    if not asked:
        return
    operation = asked[n % len(asked)] if n > 4 else asked[0]
    status = (*[OperationStatus.SUCCEEDED] * 5, OperationStatus.FAILED, OperationStatus.UNKNOWN)
    chosen = status[n % 7]
    if not story.order.payment.is_backed(operation):
        chosen = OperationStatus.FAILED
    until = story.at + timedelta(days=7) if n % 2 else None
    more = {"valid_until": until} if operation.kind is OperationKind.AUTHORIZE else {}
    said_now = said(operation.operation_id, chosen, attempt=operation.attempt, **more)
    story.do(said_now)


def ship(story: Story, n: int) -> None:
    order = story.order
    if prepared(order) is not None or order.active_holds:
        return
    packed = [x for x in order.fulfillment_orders if x.in_warehouse]
    left = order.line("line_1").open
    if not packed and left:
        apart = min(left, n % 3 + 1)
        boxes = (("austin", {"line_1": apart}), ("reno", {"line_1": left - apart}))
        story.routed(*boxes[: 2 if left > apart else 1])
    for number, box in enumerate(story.order.fulfillment_orders, 1):
        if box.in_warehouse and number % 2 != n % 2:
            before = story.order
            story.shipped(number)
            takes_its_slices(before, story.order)


def takes_its_slices(before: Order, now: Order) -> None:
    taken = now.payment.committed(OperationKind.CAPTURE)
    took = taken - before.payment.committed(OperationKind.CAPTURE)
    if before.unrefunded >= now.earned:
        assert took == 0
    else:
        assert took == now.earned - before.unrefunded


def goodwill(story: Story, amount: int) -> None:
    """As a grant does it: a credit, and refunds that name it."""
    order = story.order
    taken = sum(share for _, share in order.payment.to_refund(amount))
    if not taken:
        return
    identity = f"crd_{len(order.credits) + 1}"
    parts = (CreditPart(PartKind.GOODWILL, taken),)
    granted = e.RefundGranted(Credit(identity, CreditKind.GOODWILL, taken, parts))
    shares = ((OperationKind.REFUND, share) for share in order.payment.to_refund(amount))
    requested = asked_for(order, *shares, cause=identity)
    recorded, story.order = facts(order.order_id, order, (granted, *requested), story.at, "test")
    story.facts += recorded


def to_the_end(story: Story) -> None:
    """Disputes are won, providers say yes, and what is not shipped is cancelled."""
    for each in story.order.payment.disputes:
        source = story.order.payment.operation(each.operation_id)
        provider = story.order.payment.provider_of(source)
        won = DisputeStatus.WON
        story.do(c.RecordDispute(provider, source.reference, each.dispute_id, each.amount, won))
    if story.order.has_unshipped and not story.order.is_final:
        story.do(c.CancelOrder("the end"))
    for _ in range(30):
        waiting = (*story.order.payment.unsettled, *story.order.unresolved)
        if not waiting:
            return
        for operation in story.order.unresolved:
            story.do(c.RetryPaymentOperation(operation.operation_id))
        for operation in story.order.payment.unsettled:
            yes = story.order.payment.is_backed(operation)
            status = OperationStatus.SUCCEEDED if yes else OperationStatus.FAILED
            story.do(said(operation.operation_id, status, attempt=operation.attempt))
    raise AssertionError("its money never comes to rest")


def check(order: Order) -> None:
    payment = order.payment
    assert 0 <= payment.refunded <= payment.captured <= payment.authorized
    assert payment.captured + payment.voided <= payment.authorized
    for tender in payment.tenders:
        check_tender(order, tender)
    assert len({o.operation_id for o in payment.operations}) == len(payment.operations)
    assert payment_status(order)


def check_tender(order: Order, tender: Tender) -> None:
    done: Counter[OperationKind] = Counter()
    for operation in order.payment.operations:
        source = order.payment.source_of(operation)
        whose = source.operation_id if source else ""
        if (whose, operation.status) == (tender.operation_id, OperationStatus.SUCCEEDED):
            done[operation.kind] += operation.amount
    assert done[OperationKind.REFUND] <= done[OperationKind.CAPTURE]
    assert tender.captured + tender.voided <= tender.operation.amount
    assert min(tender.left, tender.unused, tender.refundable) >= 0


def check_end(order: Order) -> None:
    """What is kept is what the goods cost, but for what was credited; nothing stays reserved."""
    payment = order.payment
    credited = sum(each.amount - order.uncredited(each.credit_id) for each in order.credits)
    earned = order.earned if any(x.dispatched for x in order.lines) else 0
    due = max(0, min(earned, payment.captured) - credited)
    lapsed = sum(tender.lapsed for tender in payment.tenders)
    assert payment.captured - payment.refunded == due or (lapsed and payment.captured < earned)
    assert all(tender.unused == 0 for tender in payment.tenders)


STATUSES: dict[str, Callable[[], Story]] = {
    "unpaid": Story,
    "pending": lambda: Story().do(said("op_1", OperationStatus.PENDING)),
    "declined": lambda: Story().do(declined("op_1")),
    "partially_authorized": lambda: split().do(paid("op_1")),
    "authorized": lambda: Story().authorized(),
    "voided": lambda: Story().authorized().do(c.CancelOrder("no")).captured(),
    "partially_paid": lambda: (
        Story(placement(line(quantity=2))).authorized().routed(*APART).shipped().captured()
    ),
    "paid": lambda: whole(),
    "overpaid": lambda: (
        Story()
        .authorized()
        .routed()
        .shipped()
        .do(said("op_2", OperationStatus.SUCCEEDED, amount=1900), declined("op_3"))
    ),
    "partially_refunded": lambda: whole().do(c.GrantRefund(100, "late")).captured(),
    "refunded": lambda: Story(placement(captured=10**9)).do(c.CancelOrder("no")).captured(),
    "disputed": lambda: whole().do(disputed(DisputeStatus.OPEN)),
}


@pytest.mark.parametrize("status", STATUSES)
def test_each_payment_status_follows_from_what_has_moved(status: str) -> None:
    assert payment_status(STATUSES[status]().order) == status


def test_the_first_operations_of_an_order_add_up_to_its_total() -> None:
    command = placement(line(quantity=2), tenders=(GIFT, CARD), shipping=Shipping("post", 0))
    (placed,) = place(command)
    assert isinstance(placed, e.OrderPlaced)

    assert sum(each.amount for each in placed.operations) == placed.total == 2000
    with pytest.raises(Refused):
        place(replace(command, tenders=(GIFT, GIFT, CARD)))
    assert len(decide(c.CancelOrder("no"), split().order)) == 1
