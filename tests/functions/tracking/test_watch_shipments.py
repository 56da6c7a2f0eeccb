"""Parcels whose carriers tell nobody: asked for until they are there, lost when nobody has news."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.fulfillment.await_outcome import await_outcome
from functions.tracking.watch_shipments import Watch, look
from oms.adapters.agenda import PARCELS, Agenda
from oms.adapters.carriers.polling import NotAnswered
from oms.adapters.scan_inbox import ScanInbox
from oms.domain import commands as c
from oms.domain.agenda import TRIES, Due
from oms.domain.events import PackedParcel
from oms.domain.fulfillment import FulfillmentOrder, Quantity
from oms.domain.order import Order, OrderStatus
from oms.domain.tracking import TrackingStatus, TrackingUpdate, scan
from oms.domain.watching import POLL_PARCELS, SILENCE, TrackingPolicy, silent
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud
NUMBER = "JD0002"
POLICY = TrackingPolicy(polled=("royal_mail",), every_hours=6, silent_days=8)


@dataclass
class Post:
    """A carrier as it answers: what it knows, and what went wrong."""

    known: list[tuple[TrackingStatus, datetime]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    failing: int = 0
    told: list[Due] = field(default_factory=list)

    def ask(self, carrier: str, number: str) -> tuple[TrackingUpdate, ...]:
        self.asked.append(number)
        if self.failing:
            self.failing -= 1
            raise NotAnswered("busy")
        scans = (scan(carrier, number, status, at, status.value) for status, at in self.known)
        return (TrackingUpdate(carrier, number, tuple(scans)),) if self.known else ()


@dataclass
class Yard:
    world: World
    post: Post = field(default_factory=Post)

    @property
    def agenda(self) -> Agenda:
        return Agenda(self.world.client, self.world.stock_name, PARCELS)

    def shipped(self, carrier: str = "royal_mail", *more: str) -> str:
        """In a parcel with each of the numbers."""
        numbers = (NUMBER, *more)
        self.world.receive("MUG", 5)
        order_id = self.world.place(an_order(("MUG", len(numbers)))).order_id
        self.world.pay(order_id)
        self.world.route(order_id)
        self.world.pack(order_id)
        (box,) = self.order(order_id).fulfillment_orders
        (line,) = box.lines
        each = (Quantity(line.line_id, 1),)
        parcels = tuple(PackedParcel(carrier, number, each) for number in numbers)
        self.world.do(order_id, c.ShipFulfillmentOrder(box.fulfillment_order_id, parcels))
        self.due(box, now())
        return order_id

    def due(self, box: FulfillmentOrder, at: datetime) -> None:
        from oms.adapters.dynamodb import transact

        writes = self.agenda.writes(POLL_PARCELS, box.fulfillment_order_id, at)
        transact(self.world.client, writes)

    def order(self, order_id: str) -> Order:
        return self.world.orders.get(order_id)

    def status(self, order_id: str) -> TrackingStatus:
        (box,) = self.order(order_id).fulfillment_orders
        return box.parcels[0].status

    def look(self, at: datetime | None = None) -> dict[str, int]:
        instant = at or now() + timedelta(seconds=1)
        watch = Watch(
            self.agenda,
            self.world.orders,
            ScanInbox(self.world.client, self.world.orders_name),
            POLICY,
            self.post.ask,
            self.post.told.append,
            lambda: False,
        )
        return look(watch, lambda: instant)

    def left(self) -> Iterable[Due]:
        return self.agenda.due(now() + timedelta(days=365), 10)


@pytest.fixture
def yard(dynamodb: Any) -> Yard:
    return Yard(World.new(dynamodb))


def test_a_parcel_is_asked_for_until_it_is_there(yard: Yard) -> None:
    order_id = yard.shipped()
    yard.post.known = [(TrackingStatus.IN_TRANSIT, now())]
    assert yard.look() == {"done": 1, "failed": 0}
    assert yard.status(order_id) is TrackingStatus.IN_TRANSIT
    (again,) = yard.left()
    assert timedelta(hours=5) < again.at - now() <= POLICY.pause + timedelta(seconds=1)

    yard.post.known.append((TrackingStatus.DELIVERED, now() + timedelta(hours=1)))
    yard.look(again.at)

    assert yard.status(order_id) is TrackingStatus.DELIVERED
    assert yard.order(order_id).status in (OrderStatus.IN_FULFILLMENT, OrderStatus.COMPLETED)
    assert list(yard.left()) == []


def test_what_its_carrier_tells_by_itself_is_not_asked_for(yard: Yard) -> None:
    yard.shipped("easypost")

    yard.look()

    assert yard.post.asked == []
    assert list(yard.left()) == []


def test_a_carrier_that_does_not_answer_is_asked_later_and_at_last_somebody_is_told(
    yard: Yard,
) -> None:
    order_id, at = yard.shipped(), now() + timedelta(seconds=1)
    yard.post.failing = TRIES
    for _ in range(TRIES):
        assert yard.look(at)["failed"] == 1
        (entry,) = yard.left()
        at = entry.at

    assert len(yard.post.told) == 1
    yard.post.known = [(TrackingStatus.IN_TRANSIT, now())]
    assert yard.look(at)["done"] == 1
    assert yard.status(order_id) is TrackingStatus.IN_TRANSIT


def test_a_parcel_that_cannot_be_asked_for_does_not_keep_another_of_its_order_from_its_turn(
    yard: Yard,
) -> None:
    order_id = yard.shipped("royal_mail", "JD0003")
    yard.post.known = [(TrackingStatus.IN_TRANSIT, now())]
    yard.post.failing = 1

    assert yard.look()["failed"] == 1

    (box,) = yard.order(order_id).fulfillment_orders
    assert yard.post.asked == [NUMBER, "JD0003"]
    assert [each.status for each in box.parcels] == ["label_created", "in_transit"]
    (entry,) = yard.left()
    assert entry.tries == 1


def test_of_what_nothing_was_heard_for_days_is_lost_until_it_is_heard_of(yard: Yard) -> None:
    order_id = yard.shipped()
    yard.post.known = [(TrackingStatus.IN_TRANSIT, now())]
    yard.look()
    (entry,) = yard.left()

    yard.look(entry.at + POLICY.silence)

    assert yard.status(order_id) is TrackingStatus.LOST
    assert "lost" in yard.order(order_id).attention
    found = now() + POLICY.silence + timedelta(days=1)
    yard.post.known.append((TrackingStatus.OUT_FOR_DELIVERY, found))
    (entry,) = yard.left()
    yard.look(entry.at)
    assert yard.status(order_id) is TrackingStatus.OUT_FOR_DELIVERY


def test_a_parcel_that_is_only_late_is_not_lost(yard: Yard) -> None:
    order_id = yard.shipped()
    yard.post.known = [(TrackingStatus.IN_TRANSIT, now())]
    yard.look()
    (entry,) = yard.left()

    yard.look(entry.at + POLICY.silence - timedelta(hours=12))

    assert yard.status(order_id) is TrackingStatus.IN_TRANSIT


def test_what_lies_at_a_pickup_point_is_not_lost_however_long(yard: Yard) -> None:
    order_id = yard.shipped()
    yard.post.known = [(TrackingStatus.AVAILABLE_FOR_PICKUP, now())]
    yard.look()

    assert not list(silent(yard.order(order_id), POLICY, now() + timedelta(days=60)))


def test_the_deadline_of_the_workflow_says_which_parcel_is_lost(yard: Yard) -> None:
    order_id = yard.shipped("easypost")
    moved = scan("easypost", NUMBER, TrackingStatus.IN_TRANSIT, now(), "in_transit")
    yard.world.do(order_id, c.RecordScans("easypost", NUMBER, (moved,)))
    event = {"order_id": order_id, "wait": "attention", "token": "t", "reason": "Not delivered"}

    await_outcome(yard.world.orders, event, now() + timedelta(days=10))

    assert yard.order(order_id).attention == f"parcel easypost {NUMBER}: lost"
    (box,) = yard.order(order_id).fulfillment_orders
    assert box.parcels[0].status is TrackingStatus.LOST
    assert SILENCE not in (moved.code,)
