"""Every way to cook one order's books is found, and an honest order is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from functions.ops.audit import audit
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.order import Order, fold
from oms.domain.payment import Operation, OperationKind, OperationStatus
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


HONEST: list[Callable[[], Story]] = [
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
