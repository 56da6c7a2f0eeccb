"""Scans that come before the warehouse has reported the parcel are not lost."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.fulfillment import api
from functions.tracking import receive_carrier_webhook as webhook
from oms.adapters.carriers import CARRIERS, easypost
from oms.adapters.carriers.base import Ignored
from oms.adapters.scan_inbox import ScanInbox
from oms.adapters.webhooks import Call
from oms.domain.order import OrderStatus
from oms.domain.tracking import TrackingUpdate
from tests.functions.doors import SECRETS, House, ask, house
from tests.functions.tracking.messages import of_today
from tests.functions.world import World, an_order, now

__all__ = ["house"]
pytestmark = pytest.mark.cloud

PAYLOADS = Path(__file__).parents[2] / "contracts/carriers/easypost"
SHIP = "POST /fulfillment-orders/{id}/ship"
SCAN = "POST /carriers/{carrier}/webhooks"
NUMBER = "EZ1000000001"


@pytest.fixture
def world(house: House) -> World:
    house.stocked("MUG", 10)
    return World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )


def packed(world: World) -> str:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    world.route(order_id)
    world.pack(order_id)
    return order_id


def scan(number: str = NUMBER) -> tuple[int, Any]:
    """Label, way and delivery, in one message."""
    event = of_today(json.loads((PAYLOADS / "in_transit_to_delivered.json").read_bytes()))
    event["result"]["tracking_code"] = number
    body = json.dumps(event, ensure_ascii=False).encode()
    headers = {"X-Hmac-Signature": easypost.signature(body, SECRETS["easypost"])}
    return ask(webhook, SCAN, body, headers=headers, carrier="easypost")


def ship(world: World, order_id: str, number: str = NUMBER) -> tuple[int, Any]:
    (box,) = world.orders.get(order_id).fulfillment_orders
    lines = [{"line_id": each.line_id, "quantity": each.quantity} for each in box.lines]
    parcel = {"carrier": "easypost", "tracking_number": number, "lines": lines}
    return ask(api, SHIP, {"parcels": [parcel]}, id=box.fulfillment_order_id)


def inbox(world: World) -> ScanInbox:
    return ScanInbox(world.client, world.orders_name)


def test_a_scan_of_a_parcel_that_nobody_has_reported_is_kept_and_counts_at_the_shipment(
    world: World,
) -> None:
    order_id = packed(world)
    status, answer = scan()
    assert (status, "kept" in answer["ignored"]) == (200, True)
    assert world.orders.parcels("easypost", NUMBER) == ()

    status, box = ship(world, order_id)

    assert (status, box["status"]) == (200, "delivered")
    assert world.check(order_id).status is OrderStatus.COMPLETED
    assert inbox(world).kept("easypost", NUMBER) == ()


def test_the_same_message_is_kept_once_for_each_carrier_and_for_a_while(
    house: House, world: World
) -> None:
    for _ in range(3):
        scan()

    rows = [row for row in house.rows("orders") if row["SK"]["S"].startswith("SCANS#")]
    carriers = {row["PK"]["S"].split("#")[1] for row in rows}
    assert (len(rows), carriers) == (2, {"easypost", "usps"})
    left = int(rows[0]["expires_at"]["N"]) - now().timestamp()
    assert timedelta(days=29).total_seconds() < left <= timedelta(days=30).total_seconds()


def test_a_shipment_that_is_reported_again_counts_what_was_left_of_the_first_time(
    world: World,
) -> None:
    order_id = packed(world)
    ship(world, order_id)
    before = world.orders.get(order_id)
    update = easypost_update()
    inbox(world).keep(update, now())  # the worker died between the shipment and the scans

    ship(world, order_id)
    after = world.orders.get(order_id)
    inbox(world).keep(update, now())  # or between the scans and the end
    ship(world, order_id)

    assert before.status is OrderStatus.IN_FULFILLMENT
    assert after.status is OrderStatus.COMPLETED
    assert world.check(order_id).version == after.version
    assert inbox(world).kept("easypost", NUMBER) == ()


def easypost_update() -> TrackingUpdate:
    event = of_today(json.loads((PAYLOADS / "in_transit_to_delivered.json").read_bytes()))
    event["result"]["tracking_code"] = NUMBER
    told = CARRIERS["easypost"].read(Call(json.dumps(event).encode()))
    assert not isinstance(told, Ignored)
    (update,) = told
    return update


def test_a_parcel_that_is_reported_while_its_scan_is_put_aside_is_not_missed(world: World) -> None:
    """The shipment looked into the inbox just before the scan got there."""
    order_id = packed(world)

    class Late(ScanInbox):
        def keep(self, update: TrackingUpdate, at: datetime) -> None:
            ship(world, order_id)
            super().keep(update, at)

    late = Late(world.client, world.orders_name)
    webhook.record_scans(world.orders, late, easypost_update(), at=now())

    assert world.check(order_id).status is OrderStatus.COMPLETED
    assert inbox(world).kept("easypost", NUMBER) == ()


def test_a_message_without_a_scan_is_not_kept(world: World) -> None:
    update = TrackingUpdate("easypost", NUMBER, ())

    answer = webhook.record_scans(world.orders, inbox(world), update, at=now())

    assert answer.ignored
    assert inbox(world).kept("easypost", NUMBER) == ()
