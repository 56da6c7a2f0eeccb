"""The steps of a return's workflow: each begins from the return as it is, and twice is once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.returns import settle_return
from functions.returns.await_return import await_return
from functions.returns.look_at_return import LONGEST, look
from oms.adapters.payments.settling import settle
from oms.domain import commands as c
from oms.domain.ids import order_of_return
from oms.domain.order import Order
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.returns import RefundWhen, Return, ReturnStatus, Terms
from oms.domain.returns.waits import ReturnWait, settled, token_name
from oms.domain.tracking import TrackingStatus, scan
from tests.functions.doors import House, house
from tests.functions.returns.shelf import A_WEEK, approved, asked, inspection, receipt
from tests.functions.world import Crash, World, now, survives

__all__ = ["house"]
pytestmark = pytest.mark.cloud


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    return world


def order_of(world: World, found: Return) -> Order:
    return world.check(order_of_return(found.return_id))


def now_of(world: World, found: Return) -> Return:
    return order_of(world, found).return_(found.return_id)


def do(world: World, found: Return, *commands: c.Command) -> Return:
    return world.do(order_of_return(found.return_id), *commands).return_(found.return_id)


def waits(world: World, found: Return, wait: ReturnWait, reason: str = "") -> str | None:
    ids = {"order_id": order_of_return(found.return_id), "return_id": found.return_id}
    event = {**ids, "wait": wait.value, "token": f"t-{wait}", "reason": reason}
    return await_return(world.orders, event, now())


def woken(world: World, found: Return) -> dict[str, str]:
    """What the rows of the outbox tell of waits, those of the last change last."""
    key = {":pk": {"S": f"ORDER#{order_of_return(found.return_id)}"}, ":e": {"S": "EVENT#"}}
    rows = world.client.query(
        TableName=world.orders_name,
        KeyConditionExpression="PK = :pk AND begins_with(SK, :e)",
        ExpressionAttributeValues=key,
    )["Items"]
    told: dict[str, str] = {}
    for row in rows:
        told |= json.loads(row["wake"]["S"]) if "wake" in row else {}
    return {name: said for name, said in told.items() if name.startswith("ret_")}


def test_what_comes_after_the_token_was_kept_finds_the_token(world: World) -> None:
    found = approved(world)
    assert waits(world, found, ReturnWait.GOODS) is None

    do(world, found, receipt(found))

    name = token_name(found.return_id, ReturnWait.GOODS)
    assert woken(world, found) == {name: "received"}
    assert world.orders.token(order_of_return(found.return_id), name) == "t-goods"


def test_what_came_before_the_token_was_kept_is_answered_at_once(world: World) -> None:
    found = approved(world)
    do(world, found, receipt(found))

    assert waits(world, found, ReturnWait.GOODS) == "received"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2])
def test_a_worker_that_dies_as_it_keeps_the_token_misses_nothing(
    world: World, dies_at: int, after: bool
) -> None:
    found = approved(world)
    with pytest.raises(Crash):
        waits(world.mortal(dies_at, after=after), found, ReturnWait.GOODS)

    do(world, found, receipt(found))

    name = token_name(found.return_id, ReturnWait.GOODS)
    assert woken(world, found)[name] == "received"
    assert waits(world, found, ReturnWait.GOODS) == "received"


def test_the_wait_of_one_return_is_not_ended_by_another(world: World) -> None:
    found = approved(world)
    order_id = order_of_return(found.return_id)
    wish = c.RequestReturn(found.lines, found.resolution, terms=Terms(), key="other")
    other = world.do(order_id, wish).returns[1]

    do(world, other, receipt(other))

    assert woken(world, found) == {token_name(other.return_id, ReturnWait.GOODS): "received"}
    assert waits(world, found, ReturnWait.GOODS) is None
    assert waits(world, other, ReturnWait.GOODS) == "received"


def test_an_inspection_is_waited_for_until_everything_is_paid_for(world: World) -> None:
    found = approved(world)
    do(world, found, receipt(found))
    assert waits(world, found, ReturnWait.INSPECTION) is None

    do(world, found, inspection(found))

    assert woken(world, found)[token_name(found.return_id, ReturnWait.INSPECTION)] == "inspected"
    assert waits(world, found, ReturnWait.INSPECTION) == "inspected"


def test_a_return_that_is_called_off_ends_its_wait(world: World) -> None:
    found = approved(world)
    waits(world, found, ReturnWait.GOODS)

    do(world, found, c.CancelReturn(found.return_id, "kept"))

    assert woken(world, found)[token_name(found.return_id, ReturnWait.GOODS)] == "closed"


def test_what_the_customer_keeps_is_not_waited_for(world: World) -> None:
    found = approved(world, Terms(keep=True))

    assert waits(world, found, ReturnWait.GOODS) == "received"  # it is paid for, and completed


def test_what_the_workflow_could_not_do_is_asked_of_a_person_once(world: World) -> None:
    found = approved(world)

    for _ in range(2):
        assert waits(world, found, ReturnWait.ATTENTION, "Return money: Undecided") is None

    assert now_of(world, found).attention == "Return money: Undecided"
    assert order_of(world, found).attention == ""  # the order itself needs nobody


@pytest.mark.parametrize("decision", ["retry", "ignore"])
def test_the_decision_wakes_the_return_and_is_answered_to_who_asks_later(
    world: World, decision: str
) -> None:
    found = approved(world)
    waits(world, found, ReturnWait.ATTENTION, "late")

    do(world, found, c.ResolveAttention(decision, found.return_id))

    assert woken(world, found)[token_name(found.return_id, ReturnWait.ATTENTION)] == decision
    assert waits(world, found, ReturnWait.ATTENTION) == decision


def test_nobody_is_asked_about_a_return_that_was_called_off(world: World) -> None:
    found = approved(world)
    do(world, found, c.CancelReturn(found.return_id, "kept"))

    assert waits(world, found, ReturnWait.ATTENTION, "Look at return: ValueError") == "cancel"
    assert now_of(world, found).attention == ""


def test_a_refund_that_was_refused_keeps_its_return_before_a_person_until_the_order_is_decided(
    world: World,
) -> None:
    found = approved(world)
    order = world.do(order_of_return(found.return_id), receipt(found), inspection(found))
    refund = next(x for x in order.payment.operations if x.kind is OperationKind.REFUND)
    no = c.RecordPaymentResult(refund.operation_id, 1, OperationStatus.FAILED, reason="closed")
    do(world, found, no)

    assert settled(order_of(world, found), found.return_id) == "attention"
    assert waits(world, found, ReturnWait.ATTENTION) is None
    do(world, found, c.RetryPaymentOperation(refund.operation_id), c.ResolveAttention("retry"))

    assert woken(world, found)[token_name(found.return_id, ReturnWait.ATTENTION)] == "retry"
    settle(world.orders, order.order_id, at=now(), providers=world.providers)
    assert settled(order_of(world, found), found.return_id) == "completed"


def test_goods_are_awaited_until_the_day_of_the_return(world: World) -> None:
    found = approved(world, until=now() + A_WEEK)

    outcome, seconds = look(world.orders, found.return_id, now())

    assert outcome == "goods"
    assert timedelta(days=6, hours=23) < timedelta(seconds=seconds) <= A_WEEK


def test_no_wait_is_longer_than_an_execution_lives(world: World) -> None:
    found = approved(world, until=now() + timedelta(days=900))

    assert look(world.orders, found.return_id, now())[1] == LONGEST.total_seconds()


def test_what_nobody_hands_over_in_time_expires_once(world: World) -> None:
    found = approved(world)
    late = now() + A_WEEK + timedelta(seconds=1)

    survives(world, lambda w: look(w.orders, found.return_id, late))

    assert look(world.orders, found.return_id, late)[0] == "closed"
    assert now_of(world, found).status is ReturnStatus.EXPIRED
    told = [fact.event for fact in world.orders.whole_history(order_of(world, found).order_id)]
    assert [type(each).__name__ for each in told].count("ReturnExpired") == 1


def test_goods_that_came_just_before_the_end_are_paid_for(world: World) -> None:
    found = approved(world)
    do(world, found, receipt(found))

    assert look(world.orders, found.return_id, now() + 2 * A_WEEK)[0] == "received"


def test_a_parcel_that_the_carrier_has_does_not_expire(world: World) -> None:
    found = approved(world)
    moving(world, found)

    assert look(world.orders, found.return_id, now())[0] == "goods"
    assert look(world.orders, found.return_id, now() + 2 * A_WEEK)[0] == "on_its_way"
    assert now_of(world, found).status is ReturnStatus.IN_TRANSIT


def moving(world: World, found: Return) -> None:
    at = now()
    seen = scan("test", "TR1", TrackingStatus.IN_TRANSIT, at, "")
    label = c.RecordReturnLabel(found.return_id, "test", "TR1")
    do(world, found, label, c.RecordReturnScans(found.return_id, "test", "TR1", (seen,)))


def test_goods_that_were_paid_for_and_never_sent_need_a_person(world: World) -> None:
    found = approved(world, Terms(refund_when=RefundWhen.APPROVAL))

    assert look(world.orders, found.return_id, now() + 2 * A_WEEK)[0] == "attention"
    assert now_of(world, found).status is ReturnStatus.EXPIRED


def test_a_refund_is_paid_once_however_often_the_step_dies(world: World) -> None:
    found = approved(world)
    do(world, found, receipt(found, inspected=inspection(found).lines))
    order_id = order_of_return(found.return_id)

    survives(world, lambda w: settle(w.orders, order_id, at=now(), providers=w.providers))

    order = order_of(world, found)
    assert settled(order, found.return_id) == "completed"
    assert order.payment.refunded == world.psp.moved(OperationKind.REFUND) == 1000
    assert world.level("MUG")[:2] == (9, 9)


def test_what_is_settled_before_it_was_looked_at_waits_for_that(world: World) -> None:
    found = approved(world)
    do(world, found, receipt(found))

    assert settled(order_of(world, found), found.return_id) == "inspecting"


def test_the_step_settles_the_order_of_its_return(house: House) -> None:
    house.stocked("MUG", 10)
    world = World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )
    found = asked(world)

    said = settle_return.handler({"return_id": found.return_id}, None)

    assert said == {
        "outcome": "inspecting",
        "order_id": order_of_return(found.return_id),
        "return_id": found.return_id,
    }
