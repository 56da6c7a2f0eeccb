"""The network at work: rates, rules, outages, capacity, stores, scarce stock, deadlines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from infra.local.client import Json, Refusal, accepted
from oms.adapters.agenda import Agenda
from oms.domain.agenda import DueKind
from tests.cloud import deployed_cloud, eventually
from tests.system.shop import Shop, at_once, box_of, identity

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

COSTS = {"SMALL": 100, "SOUTH": 400, "NORTH": 900, "STORE": 2_000}
LOCATIONS: dict[str, Json] = {
    "SMALL": {"daily_capacity": 1},
    "SOUTH": {},
    "NORTH": {},
    "STORE": {"kind": "store", "pickup": True},
}
TABLES = {
    "zones": ["zone,country,from_location", *(f"{x},US,{x}" for x in COSTS), "far,NZ,NORTH"],
    "charges": [
        "method,zone,currency,base",
        *(f"standard,{x},USD,{cost}" for x, cost in COSTS.items()),
        "express,NORTH,USD,2500",
        "standard,far,USD,4000",
    ],
    "transits": [
        "method,zone,min_days,max_days",
        *(f"standard,{x},2,4" for x in COSTS),
        "express,NORTH,1,1",
    ],
}
SCARCE = 3
GIFTS = {"name": "gifts", "when": {"tags_any": ["gift"]}, "then": {"exclude": ["SOUTH"]}}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A network of its own: rates and rules are everybody's."""
    with deployed_cloud() as app:
        shop = Shop(app)
        for location, said in LOCATIONS.items():
            body = {"name": location.title(), "country": "US", **said}
            shop.api.put(f"/locations/{location}", body)
        for table, rows in TABLES.items():
            import_table(shop, table, rows)
        house = shop.api.post("/routing/rule-sets", rule_set("house", "NORTH"))
        shop.api.post(f"/routing/rule-sets/{house['version']}/activate", {})
        yield shop


def import_table(shop: Shop, table: str, rows: list[str]) -> Json:
    path, headers = f"/rates/parcels/{table}", {"Content-Type": "text/csv"}
    octets = "\n".join(rows).encode()
    answer = shop.api.ask("PUT", path, octets, {**headers, **shop.api.authorization()})
    return dict(accepted("PUT", path, answer))


def boxes(shop: Shop, order_id: str) -> list[tuple[str, str]]:
    order = shop.order(order_id)
    return [(box["location_id"], box["status"]) for box in order["fulfillment_orders"]]


# --- promised and explained ----------------------------------------------------------------------


def test_each_method_is_promised_with_its_day_and_cost_once_rates_are_imported(shop: Shop) -> None:
    sku = shop.stocked(5, "NORTH", "SOUTH")

    def promised(country: str, postal_code: str) -> dict[str, tuple[int, list[str], bool]]:
        asked = {"sku": sku, "country": country, "postal_code": postal_code}
        found = shop.api.get("/availability", **asked)["promises"]
        return {x["method"]: (x["cost"], x["locations"], bool(x["deliver_by"])) for x in found}

    assert promised("US", "78701") == {
        "express": (2_500, ["NORTH"], True),
        "standard": (400, ["SOUTH"], True),
    }
    assert promised("NZ", "6011") == {"standard": (4_000, ["NORTH"], False)}
    assert promised("FR", "75001") == {}
    told = shop.api.ask("GET", "/rates/parcels/charges", headers=shop.api.authorization())
    assert b"express,NORTH,USD,2500" in told.body


def test_a_rule_set_is_tried_on_a_share_of_the_orders_and_taken_back(shop: Shop) -> None:
    saved = shop.api.post("/routing/rule-sets", rule_set("bold", "NORTH"))
    version = f"/routing/rule-sets/{saved['version']}"

    tried = shop.api.post(f"{version}/activate", {"percent": 20})
    ended = shop.api.post("/routing/rule-sets/rollback")
    switched = shop.api.post(f"{version}/activate", {})
    back = shop.api.post("/routing/rule-sets/rollback")

    assert (tried["active"], tried["canary"], tried["percent"]) == (1, 2, 20)
    assert (ended["active"], ended["canary"]) == (1, None)
    assert (switched["active"], back["active"], back["previous"]) == (2, 1, 2)
    with pytest.raises(Refusal, match="expects routed from SOUTH; it is routed from NORTH"):
        shop.api.post("/routing/rule-sets", rule_set("wrong", "SOUTH"))


def test_an_order_says_why_it_went_where_and_where_it_would_have_gone_otherwise(
    shop: Shop,
) -> None:
    sku = shop.stocked(2 * SCARCE, "NORTH", "SOUTH")
    order_id = shop.routed((sku, 1), tags=["gift"], channel="gifts")["order_id"]

    (decision,) = shop.api.get(f"/orders/{order_id}/routing")["decisions"]

    assert boxes(shop, order_id) == [("NORTH", "open")]
    assert (decision["rule_set_version"], decision["rules"]) == (1, ["gifts"])
    verdicts = {each["location_id"]: each for each in decision["locations"]}
    assert "gifts" in verdicts["SOUTH"]["words"]
    assert (verdicts["SOUTH"]["verdict"], verdicts["NORTH"]["verdict"]) == ("rejected", "chosen")
    assert_simulated(shop, order_id)


def assert_simulated(shop: Shop, order_id: str) -> None:
    """Without the rule the order would have gone from the cheaper place."""
    day = shop.order(order_id)["placed_at"][:10]
    asked = {"rule_set": 0, "from": day, "to": day, "channel": "gifts"}
    job_id = shop.api.post("/routing/simulations", asked, key=uuid4().hex)["job_id"]
    path = f"/routing/simulations/{job_id}"
    found = eventually(lambda: ended(shop.api.get(path)), 45)
    assert found["status"] == "done", found
    assert (found["changed"], found["before"]["orders"], found["after"]["orders"]) == (1, 1, 1)
    assert (found["before"]["load"], found["after"]["load"]) == ({"NORTH": 1}, {"SOUTH": 1})


def ended(job: Json) -> Json | None:
    return job if job["status"] not in ("queued", "running") else None


def rule_set(name: str, expects: str) -> Json:
    order = {"destination": {"country": "US"}, "lines": [{"sku": "MUG", "quantity": 1}]}
    places = [
        {"location_id": x, "country": "US", "stock": {"MUG": 5}, "fixed_cost": COSTS[x]}
        for x in ("SOUTH", "NORTH")
    ]
    example = {
        "name": "a gift",
        "order": {**order, "tags": ["gift"]},
        "locations": places,
        "expect": {"locations": [expects]},
    }
    return {
        "name": name,
        "objective": "cheapest",
        "window_seconds": 1,
        "scarce_below": SCARCE,
        "rules": [GIFTS],
        "examples": [example],
    }


# --- what locations cannot do --------------------------------------------------------------------


def test_the_open_work_of_a_location_that_is_out_ships_from_another(shop: Shop) -> None:
    sku = shop.stocked(5, "NORTH", "SOUTH")
    order_id = shop.routed((sku, 2))["order_id"]
    assert boxes(shop, order_id) == [("SOUTH", "open")]

    since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    closed = shop.api.post("/locations/SOUTH/outages", {"from": since, "reason": "flood"})

    eventually(lambda: boxes(shop, order_id)[1:], 45)
    assert boxes(shop, order_id) == [("SOUTH", "rejected"), ("NORTH", "open")]
    assert box_of(shop.order(order_id), 0)["reason"] == "outage: flood"
    assert shop.units(sku) == (10, 8, 2)
    (outage,) = closed["outages"]
    shop.api.post(f"/locations/SOUTH/outages/{outage['outage_id']}/end")
    shop.finish(order_id)
    assert shop.until(order_id, payment_status="paid")["paid"] == 2500


def test_a_location_of_one_unit_a_day_ships_one_unit_a_day(shop: Shop) -> None:
    sku = shop.stocked(2 * SCARCE, "SMALL")
    shop.receive(sku, 2 * SCARCE, "NORTH")

    placed = at_once([partial(shop.routed, (sku, 1))] * 3)

    capacity = shop.api.get("/locations/SMALL/capacity")["items"]
    at_small = [x for o in placed for x in o["fulfillment_orders"] if x["location_id"] == "SMALL"]
    assert {day["limit"] for day in capacity} == {1}
    assert sum(day["used"] for day in capacity) == len(at_small) >= 1
    assert max(day["used"] for day in capacity) == 1
    assert len({(x["location_id"], x["ship_by"]) for x in at_small}) == len(at_small)
    for order in placed:
        shop.cancel(order["order_id"])
    eventually(lambda: shop.units(sku)[2] == 0, 45)
    capacity = shop.api.get("/locations/SMALL/capacity")["items"]
    assert {day["used"] for day in capacity} == {0}


def test_work_that_nobody_has_begun_is_given_to_another_location(shop: Shop) -> None:
    sku = shop.stocked(2 * SCARCE, "SOUTH", "NORTH")
    order_id = (order := shop.routed((sku, 1)))["order_id"]

    shop.do(identity(box_of(order)), "reroute", reason="truck is full")

    eventually(lambda: boxes(shop, order_id)[1:], 45)
    assert boxes(shop, order_id) == [("SOUTH", "rejected"), ("NORTH", "open")]


def test_a_channel_sells_from_its_locations_above_its_safety_stock(shop: Shop) -> None:
    sku = shop.stocked(2 * SCARCE, "SOUTH", "NORTH")
    till = {"locations": ["NORTH"], "safety_stock": 2, "on_shortage": "cancel"}

    shop.api.put("/channels/till", till)

    (offered,) = shop.api.get("/availability", sku=sku, channel="till")["items"]
    assert offered["available"] == 2 * SCARCE - 2
    assert shop.api.get("/channels/till")["on_shortage"] == "cancel"


# --- stores --------------------------------------------------------------------------------------


def test_what_lies_in_the_store_is_made_ready_and_collected_there(shop: Shop) -> None:
    sku = shop.stocked(5, "STORE", "SOUTH")
    order = shop.routed((sku, 1), pickup_location="STORE", shipping_address=None)
    box, order_id = box_of(order), order["order_id"]
    assert (box["location_id"], box["delivery"]) == ("STORE", "pickup")

    shop.do(identity(box), "pick", "ready")
    assert shop.order(order_id)["status"] == "in_fulfillment"
    assert eventually(lambda: "is ready" in shop.mails(order), 20)
    shop.do(identity(box), "collect")

    shop.until(order_id, status="completed", payment_status="paid")
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")
    assert shop.units(sku) == (9, 9, 0)


def test_what_is_brought_to_the_store_is_completed_when_it_is_collected(shop: Shop) -> None:
    sku = shop.stocked(5, "SOUTH")
    order = shop.routed((sku, 1), pickup_location="STORE")
    box, order_id = box_of(order), order["order_id"]
    assert (box["location_id"], box["delivery"]) == ("SOUTH", "ship_to_store")
    shop.do(identity(box), "pick", "pack")

    shop.scan(shop.ship(box), "delivered")
    arrived = shop.order(order_id)
    shop.do(identity(box), "ready", "collect")

    assert (arrived["status"], box_of(arrived)["status"]) == ("in_fulfillment", "arrived")
    shop.until(order_id, status="completed", payment_status="paid")
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")


# --- what is looked at later ---------------------------------------------------------------------


def test_two_orders_that_want_the_last_unit_wait_for_each_other_and_one_gets_it(
    shop: Shop,
) -> None:
    sku = shop.stocked(1, "SOUTH")
    placed = at_once([partial(shop.place, (sku, 1))] * 2)

    def told() -> list[str]:
        shop.invoke("RunAgenda", {})
        return sorted(shop.order(each)["fulfillment_status"] for each in placed)

    eventually(lambda: told() == ["allocated", "backordered"], 45)

    history = [shop.history(each) for each in placed]
    assert all("OrderRoutingDeferred" in each for each in history)
    assert shop.units(sku) == (1, 0, 1)


def purse_of(shop: Shop, customer_id: str) -> str:
    said = {"amount": 500, "currency": "USD", "reason": "thanks"}
    shop.api.post(f"/customers/{customer_id}/store-credit", said, key=uuid4().hex)
    return f"sc_{customer_id}_USD"


def test_every_kind_of_deadline_can_be_acted_on_where_it_is_deployed(shop: Shop) -> None:
    sku = shop.stocked(1, "SOUTH")
    shop.receive(sku, 5, "NORTH")
    order = shop.routed((sku, 2))
    waiting = shop.place((sku, 9))
    shop.until(waiting, fulfillment_status="backordered")
    box = identity(box_of(order))
    cart = {"channel": "web", "lines": [{"sku": sku, "quantity": 1}]}
    asked = shop.api.post("/inquiries", {"order_id": order["order_id"], "text": "Where is it?"})
    subjects = {
        DueKind.EXPIRE_HOLD: shop.api.post("/holds", cart)["hold_id"],
        DueKind.RELEASE_HOLD: order["order_id"],
        DueKind.RELEASE_PREORDER: waiting,
        DueKind.CANCEL_BACKORDER: waiting,
        DueKind.CANCEL_PICKUP: box,
        DueKind.RETELL_DAYS: sku,
        DueKind.END_EXCLUSION: waiting,
        DueKind.ROUTING_WINDOW: "20260101T000000000",
        DueKind.PROMISE_AT_RISK: box,
        DueKind.REROUTE_WORK: "NORTH",
        DueKind.RENEW_AUTHORIZATION: order["order_id"],
        DueKind.EXPIRE_CREDIT: purse_of(shop, order["customer_id"]),
        DueKind.DECLINE_EDIT: f"{order['order_id']}/edt_none",
        DueKind.TEND_INQUIRY: asked["inquiry_id"],
    }
    assert subjects.keys() == set(DueKind)
    agenda = Agenda(shop.rows, shop.app.outputs["StockTable"])
    for kind, subject in subjects.items():
        for write in agenda.writes(kind, subject, datetime.now(UTC)):
            shop.rows.put_item(**write.item["Put"])

    said = shop.invoke("RunAgenda", {})

    assert said["failed"] == 0, said
    assert said["done"] >= len(subjects)
    assert shop.invoke("ReclaimLeases", {})["abandoned"] == 0
