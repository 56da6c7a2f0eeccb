"""Stock on its way: ordered, moved, bundled, renamed, missing, running low, wanted by too many."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from infra.local.client import Json
from tests.cloud import eventually
from tests.system.shop import Shop, at_once, box_of, identity

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

BUYERS, UNITS = 30, 10


def in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days)).isoformat()


def move(shop: Shop, path: str, **said: object) -> Json:
    return dict(shop.api.post(path, dict(said), key=uuid4().hex))


def lines(sku: str, quantity: int, **more: object) -> list[Json]:
    return [{"sku": sku, "quantity": quantity, **more}]


# --- on its way ----------------------------------------------------------------------------------


def test_what_a_supplier_brings_is_promised_for_its_day_and_serves_the_oldest_order_first(
    shop: Shop,
) -> None:
    sku, day = shop.stocked(1), in_days(9)
    ordered = move(
        shop,
        "/purchase-orders",
        supplier="Potters",
        location="NEAR",
        lines=lines(sku, 3, expected_on=day),
    )
    older, younger = shop.place((sku, 2)), shop.place((sku, 2))
    for order_id in (older, younger):
        told = shop.until(order_id, fulfillment_status="backordered")
        assert told["lines"][0]["expected_on"] == day

    receipts = f"/purchase-orders/{ordered['purchase_order_id']}/receipts"
    came = move(shop, receipts, lines=lines(sku, 2))["purchase_order"]

    assert (came["status"], came["lines"][0]["expected"]) == ("partially_received", 1)
    shop.until(older, status="in_fulfillment")
    assert shop.order(younger)["fulfillment_status"] == "backordered"
    rest = move(shop, receipts, lines=lines(sku, 2))
    assert rest["accepted"] == [{"sku": sku, "received": 1, "surplus": 1}]
    shop.finish(older, younger)
    assert shop.until_ended(younger) == ("SUCCEEDED", "Order completed")
    assert shop.units(sku) == (1, 1, 0)


def test_a_transfer_that_arrives_short_is_written_off_and_yesterday_stays_as_it_was(
    shop: Shop,
) -> None:
    sku = shop.stocked(10)
    before = datetime.now(UTC).isoformat()
    drafted = {"from": "NEAR", "to": "FAR", "expected_on": in_days(2), "lines": lines(sku, 6)}
    transfer = f"/transfers/{move(shop, '/transfers', **drafted)['transfer_id']}"

    move(shop, f"{transfer}/send")
    on_its_way = shop.api.get(f"/stock/{sku}")
    order_id = shop.place((sku, 7))
    waiting = shop.until(order_id, fulfillment_status="backordered")
    move(shop, f"{transfer}/receipts", lines=lines(sku, 5))
    closed = move(shop, f"{transfer}/close", reason="lost", disposition="write_off")

    assert (on_its_way["on_hand"], on_its_way["incoming"]) == (4, 6)
    assert waiting["lines"][0]["expected_on"] == in_days(2)
    assert (closed["status"], closed["lines"][0]["written_off"]) == ("received", 1)
    assert levels(shop.api.get(f"/stock/{sku}")) == {"NEAR": (4, 0), "FAR": (5, 0)}
    shop.until(order_id, status="in_fulfillment")
    assert levels(shop.api.get(f"/stock/{sku}", at=before)) == {"NEAR": (10, 0)}


def levels(stock: Json) -> dict[str, tuple[int, int]]:
    """On hand and announced, where there is any."""
    found = {each["location_id"]: (each["on_hand"], each["incoming"]) for each in stock["levels"]}
    return {location: units for location, units in found.items() if any(units)}


def test_what_will_not_come_is_moved_called_off_and_taken_back(shop: Shop) -> None:
    sku = shop.stocked(5)
    said = lines(sku, 4, expected_on=in_days(3))
    for last in ("close", "cancel"):
        order = {"supplier": "Potters", "location": "NEAR", "lines": said}
        bought = f"/purchase-orders/{move(shop, '/purchase-orders', **order)['purchase_order_id']}"
        move(shop, f"{bought}/reschedule", lines=[{"sku": sku, "expected_on": in_days(4)}])
        (expected,) = shop.api.get("/availability", sku=sku)["items"][0]["incoming"]
        assert expected == {"date": in_days(4), "quantity": 4}
        assert move(shop, f"{bought}/{last}", reason="bankrupt")["status"] == "cancelled"
    drafted = {"from": "NEAR", "to": "FAR", "expected_on": in_days(2), "lines": lines(sku, 2)}
    transfer = f"/transfers/{move(shop, '/transfers', **drafted)['transfer_id']}"
    move(shop, f"{transfer}/send")
    move(shop, f"{transfer}/reschedule", expected_on=in_days(5))
    move(shop, f"{transfer}/cancel", reason="turned round", disposition="back_to_source")

    assert levels(shop.api.get(f"/stock/{sku}")) == {"NEAR": (5, 0)}
    for listing in ("/purchase-orders", "/transfers"):
        assert {each["status"] for each in shop.api.pages(listing)} >= {"cancelled"}


# --- counted, held, named and bundled ------------------------------------------------------------


def test_a_kit_takes_its_components_also_when_one_has_another_name_by_now(shop: Shop) -> None:
    mug, tin = shop.stocked(8), shop.stocked(3)
    kit, renamed = f"{mug}-SET", f"{mug}-BLUE"
    parts = [{"sku": mug, "quantity": 2}, {"sku": tin}]
    shop.api.put(f"/items/{kit}", {"components": parts})
    early = shop.routed((kit, 1), (mug, 1))

    move(shop, f"/items/{mug}/rename", sku=renamed)
    late = shop.routed((kit, 1), (renamed, 1))

    assert shop.units(renamed) == (8, 2, 6)
    assert shop.api.get("/availability", sku=kit)["items"][0]["available"] == 1
    shop.finish(early["order_id"], late["order_id"])
    assert (shop.units(renamed), shop.units(tin), shop.units(kit)[1]) == ((2, 2, 0), (1, 1, 0), 1)


def test_what_was_counted_serves_who_waits_and_every_movement_says_why(shop: Shop) -> None:
    sku = shop.stocked(1)
    waiting = shop.place((sku, 2))
    shop.until(waiting, fulfillment_status="backordered")

    counted = move(shop, f"/stock/{sku}/NEAR/counts", counted=4, note="behind the door")

    assert counted["variance"] == 3
    shop.until(waiting, status="in_fulfillment")
    stock = shop.api.get(f"/stock/{sku}")
    assert [(each["kind"], each["quantity"]) for each in stock["reservations"]] == [("order", 2)]
    moved = [each["kind"] for each in shop.api.pages(f"/stock/{sku}/movements")]
    assert moved[-2:] == ["counted", "received"]


def test_a_cart_that_changes_its_mind_holds_what_it_has_become(shop: Shop) -> None:
    sku, other = shop.stocked(3), shop.stocked(3)
    cart = move(shop, "/holds", channel="web", lines=lines(sku, 3))
    path = f"/holds/{cart['hold_id']}"

    shop.api.put(path, {"lines": [*lines(sku, 1), *lines(other, 2)]})
    move(shop, f"{path}/extend", expires_in=3600)

    assert (shop.units(sku), shop.units(other)) == ((3, 2, 1), (3, 1, 2))
    assert move(shop, f"{path}/release")["state"] == "released"
    assert (shop.units(sku), shop.units(other)) == ((3, 3, 0), (3, 3, 0))


def test_a_sku_that_was_retired_may_be_that_of_another_item(shop: Shop) -> None:
    sku = shop.stocked(2)
    old = shop.api.get(f"/items/{sku}")

    shop.api.staff("DELETE", f"/items/{sku}")
    new = shop.api.put(f"/items/{sku}", {"weight_g": 400})
    shop.receive(sku, 5)

    assert (old["item_id"] != new["item_id"], new["active"]) == (True, True)
    assert shop.units(sku) == (5, 5, 0)


# --- too little ----------------------------------------------------------------------------------


def test_stock_that_runs_low_is_told_on_the_bus_once_until_it_has_recovered(shop: Shop) -> None:
    sku = shop.stocked(5)
    shop.api.put(f"/items/{sku}", {"low_stock": 2})
    with bus(shop, "StockLow", "StockOut") as heard:

        def told(*wanted: str) -> None:
            eventually(lambda: [kind for kind, of in heard() if of == sku] == [*wanted], 45)

        adjust = partial(move, shop, f"/stock/{sku}/NEAR/adjustments", reason="damaged")
        adjust(quantity=-3)
        told("StockLow")
        adjust(quantity=-1)
        adjust(quantity=-1)
        told("StockLow", "StockOut")
        shop.receive(sku, 9)
        eventually(lambda: alert(shop, sku, "NEAR") == "", 45)
        adjust(quantity=-8)
        told("StockLow", "StockOut", "StockLow")


def alert(shop: Shop, sku: str, location: str) -> str:
    """What was told last of the level."""
    key = {"PK": {"S": f"SKU#{sku}"}, "SK": {"S": f"LEVEL#{location}"}}
    found = shop.rows.get_item(TableName=shop.app.outputs["StockTable"], Key=key)
    return str(found["Item"]["alert"]["S"])


@contextmanager
def bus(shop: Shop, *kinds: str) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """Somebody else who listens; what was heard by now: kinds of events and their SKUs."""
    name, queues = f"heard-{uuid4().hex[:8]}", shop.cloud.client("sqs")
    rules, room = shop.cloud.client("events"), shop.app.outputs["EventBus"]
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"detail-type": kinds})
    rules.put_rule(Name=name, EventBusName=room, EventPattern=pattern)
    rules.put_targets(Rule=name, EventBusName=room, Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])
    found: list[tuple[str, str]] = []

    def heard() -> list[tuple[str, str]]:
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            found.append((event["detail-type"], event["detail"]["sku"]))
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    try:
        yield heard
    finally:
        rules.remove_targets(Rule=name, EventBusName=room, Ids=["1"])
        rules.delete_rule(Name=name, EventBusName=room)


def test_what_is_not_found_on_the_shelf_comes_from_elsewhere_and_is_gone_from_the_books(
    shop: Shop,
) -> None:
    sku = shop.stocked(4, "NEAR", "FAR")
    order = shop.routed((sku, 3))
    box = identity(box_of(order))

    shop.do(box, "pick")
    shop.do(box, "short-pick", lines=[{"line_id": "line_1", "missing": 2}])

    whole = eventually(lambda: second(shop, order["order_id"]), 45)
    assert (whole["location_id"], whole["lines"][0]["quantity"]) == ("FAR", 2)
    assert levels(shop.api.get(f"/stock/{sku}"))["NEAR"][0] == 2
    shop.finish(order["order_id"])
    assert shop.until(order["order_id"], payment_status="paid")["paid"] == 3500
    assert shop.units(sku)[2] == 0


def second(shop: Shop, order_id: str) -> Json | None:
    """The order's second fulfillment order, once there is one."""
    boxes = shop.order(order_id)["fulfillment_orders"]
    return dict(boxes[1]) if len(boxes) == 2 else None


def test_of_thirty_buyers_at_once_ten_get_the_ten_units_of_two_locations(shop: Shop) -> None:
    sku = shop.stocked(UNITS // 2, "NEAR", "FAR")

    placed = at_once([partial(shop.place, (sku, 1))] * BUYERS, threads=BUYERS)

    eventually(lambda: len(shop.line(sku)) == BUYERS - UNITS, 120)
    eventually(lambda: shop.units(sku) == (UNITS, 0, UNITS), 45)
    orders = at_once([partial(shop.order, order_id) for order_id in placed])
    said = Counter(order["fulfillment_status"] for order in orders)
    assert said == {"allocated": UNITS, "backordered": BUYERS - UNITS}
