"""Every way to cook one order's books is found, and an honest order is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from oms.domain import commands as c
from oms.domain.books.orders import audit, exchange
from oms.domain.fulfillment import Quantity
from oms.domain.order import Order, fold
from oms.domain.payment import Operation, OperationKind, OperationStatus
from oms.domain.refunds import Credit, CreditKind, CreditPart, PartKind
from oms.domain.returns import ExchangeLine, RefundWhen, Resolution, ReturnLine, Terms
from tests.builders import Story, line, paid, placement

TWO = (line(1, quantity=3, tax=100, discount=50), line(2, quantity=2))


def rules(story: Story, order: Order | None = None) -> set[str]:
    found = audit(story.order_id, order or story.order, story.facts)
    return {difference.rule for difference in found}


def placed() -> Story:
    return Story(placement(*TWO))


def authorized() -> Story:
    return placed().authorized()


def declined() -> Story:
    story = placed().do(paid("op_1", OperationStatus.FAILED))
    return story.do(c.CancelOrder("declined"))


def routed() -> Story:
    return authorized().routed(("austin", {"line_1": 3}), ("reno", {"line_2": 2}))


def partly_shipped() -> Story:
    return routed().shipped(1).captured()


def shipped_with_the_capture_on_its_way() -> Story:
    return routed().shipped(1)


def completed() -> Story:
    story = partly_shipped().shipped(2).captured()
    return story.delivered("EZ1").delivered("EZ2")


def partly_cancelled() -> Story:
    story = routed().do(c.CancelOrder("less", (Quantity("line_1", 2),)))
    return story.shipped(1).captured().shipped(2).captured()


def cancelled() -> Story:
    return authorized().do(c.CancelOrder("no")).captured()


def taken_by_the_channel() -> Story:
    return Story(placement(*TWO, provider="external", captured=100_000))


def returned_by_the_channel() -> Story:
    return taken_by_the_channel().do(c.CancelOrder("no")).captured()


def free() -> Story:
    return Story(placement(line(1, unit_price=0), shipping=replace(placement().shipping, price=0)))


def returned() -> Story:
    """Some for money, some for nothing, and goodwill, of which a refund has failed."""
    story = completed().do(c.GrantRefund(77, "late"))
    terms = Terms(refund_when=RefundWhen.APPROVAL, restocking_fee_bp=333, refund_shipping=True)
    for line_id, units in (("line_1", 1), ("line_1", 2), ("line_2", 2)):
        lines = (ReturnLine(line_id, units, "unwanted"),)
        story.do(c.RequestReturn(lines, Resolution.REFUND, terms=terms))
    operation = story.order.payment.unsettled[0]
    return story.do(paid(operation.operation_id, OperationStatus.FAILED)).captured()


def paid_in_parts() -> Story:
    """One part before anything has left; some is called off in between."""
    tenders = (c.TenderGiven("gift_card", 1700, prepaid=True), c.TenderGiven("store_credit", 900))
    story = Story(placement(*TWO, tenders=tenders)).captured().captured()
    story.routed(("austin", {"line_1": 3}), ("reno", {"line_2": 2})).shipped(1).captured()
    return story.do(c.CancelOrder("less", (Quantity("line_2", 1),))).shipped(2).captured()


def overcharged() -> Story:
    """At once, and once more when it is looked up; all of it goes back."""
    story = routed().shipped(1)
    for amount in (9_000, 9_500):
        said = c.RecordPaymentResult("op_2", 1, OperationStatus.SUCCEEDED, "ref", amount=amount)
        story.do(said).captured()
    return story.shipped(2).captured()


def renewed() -> Story:
    soon = placement().placed_at + timedelta(hours=1)
    said = c.RecordPaymentResult("op_1", 1, OperationStatus.SUCCEEDED, "ref", valid_until=soon)
    story = placed().do(said).routed(("austin", {"line_1": 3}), ("reno", {"line_2": 2}))
    story.shipped(1).captured().do(c.RenewAuthorization(soon)).captured().captured()
    return story.shipped(2).captured()


HONEST: list[Callable[[], Story]] = [
    paid_in_parts,
    overcharged,
    renewed,
    returned,
    placed,
    authorized,
    declined,
    routed,
    partly_shipped,
    shipped_with_the_capture_on_its_way,
    completed,
    partly_cancelled,
    cancelled,
    taken_by_the_channel,
    returned_by_the_channel,
    free,
]


@pytest.mark.parametrize("story", HONEST, ids=lambda story: story.__name__)
def test_an_honest_order_balances_at_every_step(story: Callable[[], Story]) -> None:
    whole = story()

    for committed in sorted({fact.at for fact in whole.facts}):
        until = [fact for fact in whole.facts if fact.at <= committed]
        assert audit(whole.order_id, fold(whole.order_id, until), until) == []


def test_events_without_an_order_are_found() -> None:
    story = placed()

    (found,) = audit(story.order_id, None, story.facts)

    assert found.rule == "events belong to an order"


def test_a_changed_snapshot_is_found() -> None:
    story = completed()

    assert rules(story, replace(story.order, attention="?")) == {
        "the order is the fold of its events"
    }


def test_a_lost_event_is_found() -> None:
    story = completed()
    del story.facts[3]

    assert {
        "events are numbered without a gap",
        "the snapshot is as new as its events",
    } <= rules(story)


def test_a_history_that_cannot_be_read_is_found() -> None:
    story = completed()
    del story.facts[0]

    assert "the order is the fold of its events" in rules(story)


def test_units_that_are_in_no_fulfillment_order_are_found() -> None:
    story = routed()
    first = replace(story.order.lines[0], allocated=2)

    found = rules(story, replace(story.order, lines=(first, *story.order.lines[1:])))

    assert "allocated units are in fulfillment orders" in found


def test_a_line_with_more_units_than_were_ordered_is_found() -> None:
    story = placed()
    first = replace(story.order.lines[0], cancelled=4)

    found = rules(story, replace(story.order, lines=(first, *story.order.lines[1:])))

    assert "no quantity is negative" in found


def with_operation(order: Order, kind: OperationKind, amount: int) -> Order:
    more = Operation("op_9", kind, amount, OperationStatus.SUCCEEDED)
    operations = (*order.payment.operations, more)
    return replace(order, payment=replace(order.payment, operations=operations))


@pytest.mark.parametrize(
    ("kind", "amount", "rule"),
    [
        (OperationKind.CAPTURE, 1, "captured money is in the history"),
        (OperationKind.CAPTURE, 1, "money kept is what the goods cost"),
        (OperationKind.CAPTURE, 10_000, "captured and voided money was authorized"),
        (OperationKind.VOID, 10_000, "captured and voided money was authorized"),
        (OperationKind.REFUND, 1, "refunded money is in the history"),
        (OperationKind.REFUND, 10_000, "refunded money was captured"),
        (OperationKind.REFUND, -1, "no amount is negative"),
        (OperationKind.VOID, 1, "nothing is reserved for an order that is over"),
    ],
)
def test_money_that_nobody_can_explain_is_found(
    kind: OperationKind, amount: int, rule: str
) -> None:
    story = completed()

    assert rule in rules(story, with_operation(story.order, kind, amount))


def test_a_capture_that_failed_for_good_is_a_difference() -> None:
    story = routed().shipped(1)
    (capture,) = story.order.payment.unsettled
    story.do(paid(capture.operation_id, OperationStatus.FAILED))

    found = audit(story.order_id, story.order, story.facts)

    assert [(d.rule, d.expected, d.actual) for d in found] == [
        ("money kept is what the goods cost", capture.amount, 0)
    ]


def with_credit(order: Order, changed: Credit) -> Order:
    return replace(order, credits=(*order.credits[:-1], changed))


def test_a_credit_that_is_not_the_sum_of_its_parts_is_found() -> None:
    story = returned()
    credit = replace(story.order.credits[-1])
    object.__setattr__(credit, "amount", credit.amount + 1)

    assert "a credit is the sum of its parts" in rules(story, with_credit(story.order, credit))


def test_more_than_a_credit_that_was_refunded_is_found() -> None:
    story = returned()
    more = Operation(
        "op_99", OperationKind.REFUND, 1, OperationStatus.SUCCEEDED, cause=last(story).credit_id
    )
    operations = (*story.order.payment.operations, more)
    payment = replace(story.order.payment, operations=operations)

    assert "refunds of a credit are part of it" in rules(
        story, replace(story.order, payment=payment)
    )


def last(story: Story) -> Credit:
    return story.order.credits[-1]


def test_units_that_bring_back_another_price_than_was_paid_are_found() -> None:
    story = returned()
    credit = last(story)
    dearer = replace(credit.parts[0], amount=credit.parts[0].amount + 5)
    parts = (dearer, *credit.parts[1:])
    changed = replace(credit, parts=parts, amount=credit.amount + 5)

    assert "returned units bring back what was paid" in rules(
        story, with_credit(story.order, changed)
    )


def test_units_that_are_given_back_twice_are_found() -> None:
    story = returned()
    again = replace(story.order.credits[1], credit_id="crd_again")
    order = replace(story.order, credits=(*story.order.credits, again))

    assert {"no unit is given back twice"} <= rules(story, order)


def test_credit_for_money_that_was_never_taken_is_found() -> None:
    story = returned()
    part = CreditPart(PartKind.GOODWILL, 100_000)
    gift = Credit("crd_gift", CreditKind.GOODWILL, 100_000, (part,))
    order = replace(story.order, credits=(*story.order.credits, gift))

    assert "what is credited was captured" in rules(story, order)


@pytest.mark.parametrize(
    ("units", "rule"),
    [(2, "returned units are settled by returns"), (9, "returned units had left")],
)
def test_returned_units_that_no_return_has_settled_are_found(units: int, rule: str) -> None:
    story = returned()
    first = replace(story.order.lines[0], returned=units)
    order = replace(story.order, lines=(first, *story.order.lines[1:]))

    assert rule in rules(story, order)


def exchanged() -> tuple[Order, Order]:
    """An order, and the one that its goods pay."""
    wanted = (ExchangeLine(line(1, sku="CUP")),)
    terms = Terms(refund_when=RefundWhen.APPROVAL)
    lines = (ReturnLine("line_2", 1, "unwanted"),)
    asked = c.RequestReturn(lines, Resolution.EXCHANGE, exchange=wanted, terms=terms)
    story = completed().do(asked).captured()
    found = story.order.returns[0]
    tender = c.TenderGiven("exchange", 1000, "credit:sc_cus_ada_USD", prepaid=True)
    free = replace(placement().shipping, price=0)
    linked = Story(
        placement(
            line(1, sku="CUP"),
            external_id=found.return_id,
            linked_to=found.return_id,
            tenders=(tender,),
            shipping=free,
        )
    )
    linked.do(c.ReceiveExchange(1000)).captured()
    assert audit(linked.order_id, linked.order, linked.facts) == []
    assert audit(story.order_id, story.order, story.facts) == []
    return story.order, linked.order


def test_an_honest_exchange_balances() -> None:
    assert list(exchange(*exchanged())) == []


@pytest.mark.parametrize("at_once", [False, True])
def test_an_exchange_that_has_not_what_the_goods_gave_is_found(at_once: bool) -> None:
    order, linked = exchanged()
    kept = tuple(o for o in linked.payment.operations if o.kind is not OperationKind.CAPTURE)
    linked = replace(linked, payment=replace(linked.payment, operations=kept))
    terms = replace(order.returns[0].terms, exchange_at_once=at_once)
    order = replace(order, returns=(replace(order.returns[0], terms=terms),))

    (found,) = exchange(order, linked)

    assert found.rule == "what goods gave for an exchange has come"


def test_an_exchange_that_got_more_than_was_agreed_is_found() -> None:
    order, _ = exchanged()
    less = replace(order.returns[0], exchange_value=999)
    cheated = replace(order, returns=(less,))
    found = audit(order.order_id, cheated, ())

    assert "an exchange is paid as was agreed" in {each.rule for each in found}
