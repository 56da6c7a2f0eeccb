"""What warehouses and stores report, as the gateway brings it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.fulfillment import api
from oms.adapters.agenda import Agenda, parcels_agenda
from oms.adapters.orders_table import Placement
from oms.adapters.policies_table import policies_table
from oms.contracts.routes import ROUTES
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.agenda import DueKind
from oms.domain.fulfillment import COLLECT_WITHIN, Delivery, Quantity
from oms.domain.ids import fulfillment_order_id
from oms.domain.order import Order
from oms.domain.watching import TrackingPolicy
from tests.builders import NOW, RECORD, Story, line, paid, placement
from tests.functions.doors import House, ask, house
from tests.functions.world import now

__all__ = ["house"]
pytestmark = pytest.mark.cloud


def routed(house: House, **changes: Any) -> str:
    """Three mugs that Austin has to ship, or to hand over."""
    house.stocked("MUG", 5)
    story = Story(placement(line(1, sku="MUG", quantity=3), **changes))
    house.orders.place(story.order_id, story.facts, story.order, Placement("body"))
    identity = fulfillment_order_id(story.order_id, 1)
    delivery = Delivery.PICKUP if story.order.pickup_location else Delivery.SHIP
    part = e.Assigned(identity, "AUSTIN", (Quantity("line_1", 3),), delivery=delivery)
    for command in (paid("op_1"), c.RecordRouting((part,), RECORD)):
        house.orders.change(story.order_id, command, at=NOW, actor="test")
    return identity


def post(step: str, identity: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    return ask(api, f"POST /fulfillment-orders/{{id}}/{step}", body, id=identity, **more)


def order_of(house: House, identity: str) -> Order:
    return house.orders.get("ord_" + identity.removeprefix("ful_").rpartition("-")[0])


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "FulfillmentApi"}

    assert api.app.routes == declared


def test_what_is_missing_leaves_the_box_and_the_stock(house: House) -> None:
    identity = routed(house)

    status, box = post("short-pick", identity, {"lines": [{"line_id": "line_1", "missing": 2}]})

    assert (status, box["lines"]) == (200, [{"line_id": "line_1", "quantity": 1}])
    (level,) = house.stock.levels(["MUG"])["MUG"]
    assert (level.on_hand, level.available, level.reserved) == (3, 2, 1)
    (refusal,) = order_of(house, identity).refused_by
    assert refusal.until is not None
    assert timedelta(hours=23) < refusal.until - now() < timedelta(hours=25)


def test_a_report_that_is_sent_again_counts_once(house: House) -> None:
    identity = routed(house)
    missing = {"lines": [{"line_id": "line_1", "missing": 1}]}
    found = {"lines": [{"line_id": "line_1", "found": 1}]}

    for _ in range(2):
        assert post("short-pick", identity, missing, headers={"Idempotency-Key": "k"})[0] == 200
    assert order_of(house, identity).line("line_1").open == 1
    for _ in range(2):
        assert post("short-pick", identity, found)[0] == 200
    assert order_of(house, identity).line("line_1").open == 2


@pytest.mark.parametrize(
    ("line_said", "field"),
    [
        ({"line_id": "line_1"}, "lines[0]"),
        ({"line_id": "line_1", "missing": 1, "found": 1}, "lines[0]"),
        ({"line_id": "line_1", "missing": 0}, "lines[0].missing"),
        ({"line_id": "line_1", "found": -1}, "lines[0].found"),
        ({"line_id": "line_1", "found": "2"}, "lines[0].found"),
        ({"found": 1}, "lines[0].line_id"),
    ],
)
def test_a_report_that_says_nothing_clear_is_refused_by_its_field(
    house: House, line_said: dict[str, Any], field: str
) -> None:
    identity = routed(house)
    version = order_of(house, identity).version

    status, problem = post("short-pick", identity, {"lines": [line_said]})

    assert status == 422
    assert field in [error["field"] for error in problem["errors"]]
    assert order_of(house, identity).version == version


def test_more_missing_than_there_was_is_a_conflict(house: House) -> None:
    identity = routed(house)

    assert post("short-pick", identity, {"lines": [{"line_id": "line_1", "missing": 4}]})[0] == 409


def test_what_nobody_has_begun_is_routed_elsewhere_when_a_person_asks(house: House) -> None:
    identity = routed(house)

    status, box = post("reroute", identity, {"reason": "too far away"})
    again = post("reroute", identity, {"reason": "once more"})[1]

    assert (status, box["status"], box["reason"]) == (200, "rejected", "too far away")
    assert again == box
    assert order_of(house, identity).line("line_1").open == 3
    assert post("reroute", identity, {})[0] == 422


def test_what_is_being_picked_is_not_routed_elsewhere(house: House) -> None:
    identity = routed(house)
    post("pick", identity)

    assert post("reroute", identity, {"reason": "too far away"})[0] == 409
    assert order_of(house, identity).line("line_1").open == 0


def test_a_rejection_is_over_after_a_day(house: House) -> None:
    identity = routed(house)

    assert post("reject", identity, {"reason": "printer broken"})[0] == 200

    (refusal,) = order_of(house, identity).refused_by
    assert refusal.until is not None
    assert timedelta(hours=23) < refusal.until - now() < timedelta(hours=25)
    agenda = Agenda(house.cloud.client("dynamodb"), house.environment["STOCK_TABLE"])
    assert "end_exclusion" in {each.kind for each in agenda.due(refusal.until, 10)}


def test_goods_that_are_ready_are_looked_after_until_they_are_collected(house: House) -> None:
    identity = routed(house, pickup_location="AUSTIN")
    for step in ("pick", "pack"):
        assert post(step, identity)[0] == 200

    status, box = post("ready", identity)

    assert (status, box["status"]) == (200, "ready_for_pickup")
    assert (box["delivery"], box["pickup_location"]) == ("pickup", "AUSTIN")
    assert box["ready_at"]
    (due,) = agenda(house).due(now() + COLLECT_WITHIN + timedelta(minutes=1), 9)
    assert (due.kind, due.subject) == (DueKind.CANCEL_PICKUP, identity)
    listed = ask(api, "GET /fulfillment-orders", query="location=AUSTIN&status=ready_for_pickup")
    assert [each["fulfillment_order_id"] for each in listed[1]["items"]] == [identity]
    assert post("collect", identity)[1]["status"] == "collected"
    assert order_of(house, identity).status == "completed"


def agenda(house: House) -> Agenda:
    return Agenda(house.cloud.client("dynamodb"), house.environment["STOCK_TABLE"])


def test_what_is_shipped_is_not_collected(house: House) -> None:
    identity = routed(house)
    for step in ("pick", "pack"):
        post(step, identity)

    assert post("ready", identity)[0] == 409
    assert post("collect", identity)[0] == 409


@pytest.mark.parametrize(("carrier", "asked_for"), [("usps", 1), ("easypost", 0)])
def test_a_parcel_of_a_carrier_that_tells_nobody_is_asked_for(
    house: House, carrier: str, asked_for: int
) -> None:
    policy = TrackingPolicy(polled=("usps",))
    policies_table().save("tracking", policy, expected=None, at=now(), actor="test")
    identity = routed(house)
    for step in ("pick", "pack"):
        post(step, identity)
    lines = [{"line_id": "line_1", "quantity": 3}]
    parcels = [{"carrier": carrier, "tracking_number": "94001", "lines": lines}]

    status, _ = post("ship", identity, {"parcels": parcels})

    assert status == 200
    due = parcels_agenda().due(now() + policy.pause + timedelta(minutes=1), 10)
    assert [each.subject for each in due] == [identity] * asked_for
