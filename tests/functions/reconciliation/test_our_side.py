"""What of stored orders a statement may speak of: read from the tables as they are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from oms.adapters.labels_table import LabelsTable
from oms.adapters.our_side import OurSide
from oms.adapters.reconciling import Position, position_of, written
from oms.domain.jobs import Job, Slice
from oms.domain.order import Order
from oms.domain.reconciling.entries import Entry, EntryKind, Ours, Scope, StatementKind
from tests.functions.world import World, an_order, now


@pytest.fixture
def world(dynamodb: Any) -> World:
    return World.new(dynamodb)


def side_of(world: World) -> OurSide:
    return OurSide(world.orders, LabelsTable(world.client, world.orders_name))


def shipped(world: World) -> Order:
    """And paid for."""
    order_id = world.place(an_order(("MUG", 1))).order_id
    world.pay(order_id)
    world.route(order_id)
    world.pack(order_id)
    world.ship(order_id)
    return world.pay(order_id)


def scope(kind: StatementKind, source: str, **more: Any) -> Scope:
    today = now().date()
    return Scope(kind, source, today - timedelta(days=1), today, **more)


def all_of(side: OurSide, asked: Scope, limit: int) -> list[Ours]:
    found: list[Ours] = []
    for day in (asked.first, asked.last):
        start: Any = None
        while True:
            page = side.page(asked, day, start, limit)
            found += page.ours
            if page.start is None:
                break
            start = json.loads(json.dumps(page.start))  # it goes through the cursor of a job
    return found


@pytest.mark.cloud
def test_captures_of_stored_orders_are_found_page_by_page(world: World) -> None:
    world.stock.receive("MUG", "AUSTIN", 10, at=now(), actor="test")
    orders = [shipped(world) for _ in range(3)]

    found = all_of(side_of(world), scope(StatementKind.PAYOUTS, "fake"), 2)

    assert {each.order_id for each in found} == {order.order_id for order in orders}
    assert {each.kind for each in found} == {EntryKind.CAPTURE}
    assert all(each.amount == world.orders.get(each.order_id).payment.captured for each in found)
    assert not all_of(side_of(world), scope(StatementKind.PAYOUTS, "stripe"), 2)


@pytest.mark.cloud
def test_a_parcel_is_found_by_its_number_and_an_order_by_its_own(world: World) -> None:
    world.stock.receive("MUG", "AUSTIN", 10, at=now(), actor="test")
    order = shipped(world)
    (parcel,) = order.fulfillment_orders[0].parcels
    side = side_of(world)

    number = parcel.tracking_number
    charge = Entry(2, EntryKind.PARCEL, 500, "USD", (number.upper(), number))
    (found,) = side.meant(scope(StatementKind.CARRIER_INVOICE, parcel.carrier), charge)
    told = Entry(2, EntryKind.ORDER, 500, "USD", ("none", order.external_id))
    (same,) = side.meant(scope(StatementKind.CHANNEL_ORDERS, order.channel), told)

    assert (found.order_id, found.amount) == (order.order_id, None)
    assert (same.order_id, same.amount) == (order.order_id, order.total)


def test_where_a_job_stands_is_read_back_as_it_was_written() -> None:
    at = Position(
        day=now().date(), start={"PK": {"S": "ORDER#1"}}, after=3, at=10, number=4, key="k"
    )
    job = Job("job_1", "reconciliation", {}, "test", now())

    assert position_of(job, Slice(0, {}, cursor=written(at))) == at
