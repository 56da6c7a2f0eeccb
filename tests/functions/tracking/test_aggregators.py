"""Who tells of a parcel need not be who carries it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.fulfillment import api
from functions.tracking import receive_carrier_webhook as webhook
from oms.adapters.carriers import aftership, seventeen_track
from oms.adapters.scan_inbox import ScanInbox
from oms.domain.order import OrderStatus
from oms.domain.tracking import TrackingStatus
from tests.functions.doors import SECRETS, House, ask, house
from tests.functions.world import World, an_order, now

__all__ = ["house"]
pytestmark = pytest.mark.cloud

SHIP = "POST /fulfillment-orders/{id}/ship"
SCAN = "POST /carriers/{carrier}/webhooks"
NUMBER = "1Z00BATON000000001"
START = now()


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


def ship(world: World, order_id: str, *parcels: tuple[str, str]) -> int:
    """The order's units, one parcel after the other; one unit each, the rest in the last."""
    (box,) = world.orders.get(order_id).fulfillment_orders
    ((line_id, units),) = ((each.line_id, each.quantity) for each in box.lines)
    share = units // len(parcels)
    said = [
        {
            "carrier": carrier,
            "tracking_number": number,
            "lines": [{"line_id": line_id, "quantity": share}],
        }
        for carrier, number in parcels
    ]
    return ask(api, SHIP, {"parcels": said}, id=box.fulfillment_order_id)[0]


def aftership_says(tag: str, hours: int = 1, number: str = NUMBER, slug: str = "ups") -> Any:
    at = (START + timedelta(hours=hours)).isoformat()
    message = {"tracking_number": number, "slug": slug, "tag": tag}
    message["checkpoints"] = [{"slug": slug, "tag": tag, "checkpoint_time": at}]  # type: ignore[assignment]
    body = json.dumps({"event": "tracking_update", "msg": message}).encode()
    signed = aftership.signature(body, SECRETS["aftership"])
    headers = {"aftership-hmac-sha256": signed}
    status, answer = ask(webhook, SCAN, body, headers=headers, carrier="aftership")
    assert status == 200
    return answer


def ups_says(kind: str, hours: int = 1, number: str = NUMBER) -> Any:
    at = START + timedelta(hours=hours)
    event = {
        "trackingNumber": number,
        "activityStatus": {"type": kind},
        "gmtActivityDate": f"{at:%Y%m%d}",
        "gmtActivityTime": f"{at:%H%M%S}",
    }
    body = json.dumps(event).encode()
    return ask(webhook, SCAN, body, headers={"credential": SECRETS["ups"]}, carrier="ups")


def parcels(world: World, order_id: str) -> list[tuple[str, TrackingStatus]]:
    (box,) = world.orders.get(order_id).fulfillment_orders
    return [(each.carrier, each.status) for each in box.parcels]


def test_what_an_aggregator_says_is_of_the_parcel_of_the_carrier_it_names(world: World) -> None:
    order_id = packed(world)
    assert ship(world, order_id, ("ups", NUMBER)) == 200

    answer = aftership_says("Delivered")

    assert answer == {"outcome": "accepted", "order_id": order_id}
    assert parcels(world, order_id) == [("ups", TrackingStatus.DELIVERED)]
    assert world.check(order_id).status is OrderStatus.COMPLETED


def test_a_parcel_may_be_shipped_under_the_aggregators_own_name(world: World) -> None:
    order_id = packed(world)
    ship(world, order_id, ("aftership", NUMBER))

    assert aftership_says("Delivered", slug="yunexpress")["order_id"] == order_id
    assert world.check(order_id).status is OrderStatus.COMPLETED


def test_a_number_of_another_carrier_is_another_parcel(world: World) -> None:
    order_id = packed(world)
    ship(world, order_id, ("fedex", NUMBER))

    assert aftership_says("Delivered")["outcome"] == "ignored"
    assert parcels(world, order_id) == [("fedex", TrackingStatus.LABEL_CREATED)]


def test_what_an_aggregator_said_before_the_shipment_counts_at_it(world: World) -> None:
    order_id = packed(world)
    assert "kept" in aftership_says("Delivered")["ignored"]
    inbox = ScanInbox(world.client, world.orders_name)
    assert inbox.kept("ups", NUMBER) == inbox.kept("aftership", NUMBER) != ()

    ship(world, order_id, ("ups", NUMBER))

    assert world.check(order_id).status is OrderStatus.COMPLETED
    assert inbox.kept("ups", NUMBER) == inbox.kept("aftership", NUMBER) == ()


def test_the_carrier_and_an_aggregator_may_both_tell_of_a_parcel(world: World) -> None:
    order_id = packed(world)
    ship(world, order_id, ("ups", NUMBER))

    aftership_says("InTransit", hours=1)
    assert ups_says("I", hours=2)[1]["outcome"] == "accepted"
    assert ups_says("D", hours=3)[1]["outcome"] == "accepted"
    aftership_says("InTransit", hours=4)

    assert world.check(order_id).status is OrderStatus.COMPLETED


def test_what_is_known_already_is_a_duplicate_and_changes_nothing(world: World) -> None:
    order_id = packed(world)
    ship(world, order_id, ("ups", NUMBER))
    aftership_says("InTransit")
    before = world.orders.get(order_id)

    answers = [aftership_says("InTransit") for _ in range(3)]

    assert answers == [{"outcome": "duplicate", "order_id": order_id}] * 3
    assert world.orders.get(order_id) == before


def test_a_delivery_of_the_number_before_the_order_was_there_is_not_its_delivery(
    world: World,
) -> None:
    order_id = packed(world)
    ship(world, order_id, ("ups", NUMBER))

    assert aftership_says("Delivered", hours=-24 * 200)["outcome"] == "duplicate"
    assert parcels(world, order_id) == [("ups", TrackingStatus.LABEL_CREATED)]


def test_an_order_of_two_parcels_is_delivered_when_both_are(world: World) -> None:
    order_id = packed(world)
    ship(world, order_id, ("ups", NUMBER), ("usps", "9400"))

    aftership_says("Delivered")
    assert world.check(order_id).status is OrderStatus.IN_FULFILLMENT
    aftership_says("Delivered", number="9400", slug="usps")

    assert world.check(order_id).status is OrderStatus.COMPLETED


def seventeen_says(*numbers: str) -> Any:
    at = (START + timedelta(hours=1)).isoformat()
    told = [
        {
            "number": number,
            "carrier": 100002,
            "track_info": {
                "latest_status": {"status": "InTransit", "sub_status": "InTransit_Other"},
                "latest_event": {"time_iso": at},
            },
        }
        for number in numbers
    ]
    body = json.dumps({"event": "TRACKING_UPDATED", "data": told}).encode()
    headers = {"sign": seventeen_track.signature(body, SECRETS["17track"])}
    return ask(webhook, SCAN, body, headers=headers, carrier="17track")


def test_one_message_tells_of_several_parcels_and_of_strangers(world: World) -> None:
    first, second = packed(world), packed(world)
    ship(world, first, ("ups", NUMBER))
    ship(world, second, ("ups", "1Z2"))

    status, answer = seventeen_says("1Z-of-another-shop", NUMBER, "1Z2")

    assert (status, answer["outcome"]) == (200, "accepted")
    for order_id in (first, second):
        assert parcels(world, order_id) == [("ups", TrackingStatus.IN_TRANSIT)]


def test_a_code_that_nobody_knows_is_counted_once_and_delivers_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    order_id = packed(world)
    ship(world, order_id, ("ups", NUMBER))

    for _ in range(2):
        aftership_says("DeliveredToTheMoon")

    (counted,) = [vars(x) for x in caplog.records if x.message == "unknown_code"]
    assert (counted["carrier"], counted["code"]) == ("aftership", "DeliveredToTheMoon")
    assert NUMBER not in repr(counted)
    assert parcels(world, order_id) == [("ups", TrackingStatus.LABEL_CREATED)]
