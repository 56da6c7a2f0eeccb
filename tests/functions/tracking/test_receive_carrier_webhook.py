import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.tracking import receive_carrier_webhook as webhook
from oms.adapters.carriers import easypost
from oms.domain.order import OrderStatus
from oms.domain.tracking import TrackingStatus
from oms.domain.waits import Wait, outcome
from tests.functions.doors import SECRETS, House, ask, house
from tests.functions.tracking.messages import of_today
from tests.functions.world import World, an_order, now

__all__ = ["house"]
pytestmark = pytest.mark.cloud

PAYLOADS = Path(__file__).parents[2] / "contracts/carriers/easypost"
ROUTE = "POST /carriers/{carrier}/webhooks"


def shipped(house: House, parcels: int = 1) -> World:
    """Orders under way, all in one parcel with one tracking number, as carriers use them again."""
    world = World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )
    house.stocked("MUG", 10)
    for _ in range(parcels):
        order_id = world.place(an_order(("MUG", 2))).order_id
        world.pay(order_id)
        world.route(order_id)
        world.pack(order_id)
        world.ship(order_id)
    return world


def message(world: World, order_id: str) -> Any:
    """A tracker of the order's parcel: label, way, delivery."""
    event = of_today(json.loads((PAYLOADS / "in_transit_to_delivered.json").read_bytes()))
    (box,) = world.orders.get(order_id).fulfillment_orders
    event["result"]["tracking_code"] = box.parcels[0].tracking_number
    return event


def tell(event: Any, carrier: str = "easypost", secret: str = SECRETS["easypost"]) -> Any:
    body = json.dumps(event, ensure_ascii=False).encode()
    headers = {"X-Hmac-Signature": easypost.signature(body, secret)}
    return ask(webhook, ROUTE, body, headers=headers, carrier=carrier)


def only(world: World) -> str:
    (order_id,) = world.orders.open_orders(before=now() + timedelta(days=1))
    return order_id


def test_a_carrier_delivers_and_the_order_is_complete(house: House) -> None:
    world = shipped(house)
    order_id = only(world)

    status, answer = tell(message(world, order_id))

    assert (status, answer["order_id"]) == (200, order_id)
    assert world.check(order_id).status is OrderStatus.COMPLETED


def test_the_same_scans_again_or_in_another_order_change_nothing(house: House) -> None:
    world = shipped(house)
    order_id = only(world)
    event = message(world, order_id)
    details = event["result"]["tracking_details"]

    early = {**event["result"], "tracking_details": details[:1], "status": "pre_transit"}
    tell(event)
    delivered = world.orders.get(order_id)
    tell(event)
    tell({**event, "result": {**event["result"], "tracking_details": details[::-1]}})
    tell({**event, "result": early})

    after = world.orders.get(order_id)
    assert after.version == delivered.version
    assert after.fulfillment_orders[0].parcels[0].status is TrackingStatus.DELIVERED


def test_only_the_carrier_is_believed(house: House) -> None:
    world = shipped(house)
    order_id = only(world)
    before = world.orders.get(order_id)

    assert tell(message(world, order_id), secret="guessed")[0] == 401
    assert ask(webhook, ROUTE, {}, carrier="easypost")[0] == 401
    assert ask(webhook, ROUTE, {}, carrier="manual")[0] in (401, 404)
    assert tell(message(world, order_id), carrier="pigeon")[0] == 404
    assert world.orders.get(order_id) == before


def test_a_parcel_of_somebody_else_is_acknowledged_and_ignored(house: House) -> None:
    world = shipped(house)
    event = message(world, only(world))
    event["result"]["tracking_code"] = "EZ-OF-ANOTHER-SHOP"

    status, answer = tell(event)

    assert (status, bool(answer["ignored"])) == (200, True)


def test_what_is_no_tracker_is_refused_or_ignored(house: House) -> None:
    assert tell({"description": "batch.created"})[1]["ignored"]
    nonsense: list[Any] = [[], {}, {"description": "tracker.updated"}]
    for event in nonsense:
        assert tell(event)[0] == 422


def test_a_parcel_on_its_way_back_needs_a_person(house: House) -> None:
    world = shipped(house)
    order_id = only(world)
    event = message(world, order_id)
    event["result"]["status"] = "return_to_sender"

    assert tell(event)[0] == 200

    order = world.check(order_id)
    assert order.attention.endswith("return_to_sender")
    assert outcome(order, Wait.FULFILLMENT) == "attention"
