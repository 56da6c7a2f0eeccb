"""Labels and manifests, as the gateway brings what a packing station asks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from functions.labels import api, void_labels
from oms.adapters.files import files
from oms.adapters.network_table import NetworkTable
from oms.adapters.orders_table import Placement
from oms.adapters.vault import Vault
from oms.contracts.routes import ROUTES
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact, PostalAddress
from oms.domain.fulfillment import Delivery, Quantity
from oms.domain.ids import fulfillment_order_id, order_of_fulfillment
from oms.domain.locations import Location, LocationKind
from oms.domain.network.rates import Card, Charge, Transit, Zone
from tests.adapters.carriers.bars import said, seen
from tests.adapters.carriers.easypost_server import Account, served
from tests.builders import NOW, RECORD, Story, line, paid, placement
from tests.functions.doors import SECRETS, House, ask, forget, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

ADA = PostalAddress("US", "Ada Byron", "", "1 Main St", "", "Reno", "NV", "89501")
AUSTIN = Location(
    "AUSTIN",
    "Austin",
    LocationKind.WAREHOUSE,
    "US",
    "TX",
    "78701",
    line1="9 Dock Rd",
    city="Austin",
)
CARD = Card(
    "manual",
    zones=(Zone("near", "US"),),
    charges=(
        Charge("standard", "near", "USD", 500, 200, max_g=30_000),
        Charge("express", "near", "USD", 1_500, 300),
    ),
    transits=(Transit("standard", "near", 2, 4),),
)
PARCEL = {"weight_g": 2_500, "length_mm": 300, "width_mm": 200, "height_mm": 100}
WANTED = {"carrier": "manual", "service": "standard", "parcel": PARCEL}
PERSONAL = ("Ada", "Byron", "1 Main St", "89501")


@pytest.fixture
def easypost() -> Iterator[Account]:
    with served() as account:
        yield account


@pytest.fixture
def station(house: House, easypost: Account, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house with a card and an account of EasyPost's."""
    monkeypatch.setenv("LABEL_CARRIERS", "easypost,manual")
    monkeypatch.setenv("EASYPOST_API", f"{easypost.address}/v2")
    keep_secrets(house, {**SECRETS, "easypost/api": {"key": "EZTK"}})
    client = house.cloud.client("dynamodb")
    network = NetworkTable(client, house.environment["STOCK_TABLE"])
    network.put_location(AUSTIN)
    network.change_card("manual", lambda old: CARD)
    return house


def keep_secrets(house: House, known: dict[str, Any]) -> None:
    manager = house.cloud.client("secretsmanager")
    secret = house.environment["SECRET_ID"]
    manager.put_secret_value(SecretId=secret, SecretString=json.dumps(known))
    forget()


def routed(house: House, number: int = 1, contact: bool = True, **changes: Any) -> str:
    """Three mugs that Austin ships to Ada."""
    house.stock.receive("MUG", "AUSTIN", 5, at=NOW, actor="test")
    story = Story(placement(line(1, sku="MUG", quantity=3), external_id=f"A-{number}", **changes))
    house.orders.place(story.order_id, story.facts, story.order, Placement("body"))
    identity = fulfillment_order_id(story.order_id, 1)
    delivery = Delivery.PICKUP if story.order.pickup_location else Delivery.SHIP
    part = e.Assigned(identity, "AUSTIN", (Quantity("line_1", 3),), delivery=delivery)
    for command in (paid("op_1"), c.RecordRouting((part,), RECORD)):
        house.orders.change(story.order_id, command, at=NOW, actor="test")
    if contact:
        keep_contact(house, story.order.customer_id, story.order.contact_id)
    return identity


def keep_contact(house: House, customer_id: str, contact_id: str) -> None:
    client, environment = house.cloud.client("dynamodb"), house.environment
    vault = Vault(
        client,
        house.cloud.client("kms"),
        environment["CUSTOMERS_TABLE"],
        environment["VAULT_KEY_ID"],
    )
    write = vault.contact_write(customer_id, contact_id, Contact("a@b.c", "Ada Byron", address=ADA))
    client.transact_write_items(TransactItems=[dict(write.item)])


def post(route: str, body: Any = None, key: str = "k", **path: Any) -> tuple[int, Any]:
    return ask(api, f"POST {route}", body, headers={"Idempotency-Key": key}, **path)


def buy(identity: str, key: str = "k", **changes: Any) -> tuple[int, Any]:
    return post("/fulfillment-orders/{id}/labels", {**WANTED, **changes}, key, id=identity)


def void(label_id: str) -> tuple[int, Any]:
    return post("/labels/{id}/void", id=label_id)


def listed(key: str = "m", **body: Any) -> tuple[int, Any]:
    body = {"carrier": "manual", **body}
    return post("/locations/{location}/manifests", body, key, location="AUSTIN")


def document(view: Any, kind: str) -> bytes:
    assert kind in [each["format"] for each in view["documents"]]
    return b"".join(files().read(f"labels/{view['label_id']}.{kind}"))


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "LabelsApi"}

    assert api.app.routes == declared


def test_rates_of_all_carriers_are_told_the_cheapest_first(station: House) -> None:
    status, view = post("/fulfillment-orders/{id}/rates", PARCEL, id=routed(station))

    assert (status, view["silent"]) == (200, [])
    assert [(each["carrier"], each["service"], each["amount"]) for each in view["rates"]] == [
        ("easypost", "UPS.Ground", 549),
        ("easypost", "USPS.Priority", 742),
        ("manual", "standard", 800),
        ("manual", "express", 1_950),
        ("easypost", "USPS.Express", 3_415),
    ]


def test_a_carrier_that_does_not_answer_hides_no_other(station: House, easypost: Account) -> None:
    easypost.refuses = {"create": (503, "BUSY")}

    status, view = post("/fulfillment-orders/{id}/rates", PARCEL, id=routed(station))

    assert (status, len(view["rates"])) == (200, 2)
    (silent,) = view["silent"]
    assert silent["carrier"] == "easypost"
    assert not any(word in silent["reason"] for word in PERSONAL)


def test_without_a_key_of_theirs_easypost_is_silent(station: House) -> None:
    keep_secrets(station, SECRETS)

    _, view = post("/fulfillment-orders/{id}/rates", PARCEL, id=routed(station))

    assert [each["carrier"] for each in view["silent"]] == ["easypost"]


def test_a_label_is_bought_and_its_documents_are_linked(station: House) -> None:
    status, view = buy(routed(station))

    assert (status, view["status"], view["cost"], view["currency"]) == (200, "bought", 800, "USD")
    assert said(seen(document(view, "pdf"))) == view["tracking_number"]
    zpl = document(view, "zpl").decode()
    assert "Ada Byron" in zpl
    assert "9 Dock Rd" in zpl
    assert all(f"labels/{view['label_id']}." in each["link"] for each in view["documents"])
    assert ask(api, "GET /labels/{id}", id=view["label_id"])[1]["cost"] == 800


def test_a_label_of_easypost_is_bought_with_the_address_of_the_location(
    station: House, easypost: Account
) -> None:
    status, view = buy(routed(station), carrier="easypost", service="USPS.Priority")

    assert (status, view["cost"], view["carrier"]) == (200, 742, "easypost")
    told = easypost.asked[1]["shipment"]
    assert told["from_address"]["street1"] == "9 Dock Rd"
    assert told["to_address"]["name"] == "Ada Byron"
    assert document(view, "zpl").startswith(b"^XA")


def test_the_same_key_is_the_same_label_and_another_key_another(
    station: House, easypost: Account
) -> None:
    identity = routed(station)
    theirs = {"carrier": "easypost", "service": "UPS.Ground"}

    first, again, other = (buy(identity, key, **theirs)[1] for key in ("a", "a", "b"))

    assert first["label_id"] == again["label_id"] != other["label_id"]
    assert first["tracking_number"] == again["tracking_number"] != other["tracking_number"]
    assert easypost.paid.total() == 2


def test_the_labels_of_a_box_are_listed_the_oldest_first(station: House) -> None:
    identity, other = routed(station, 1), routed(station, 2)
    bought = [buy(identity, key)[1]["label_id"] for key in "abc"]
    buy(other)
    void(bought[1])

    status, view = ask(api, "GET /fulfillment-orders/{id}/labels", id=identity)

    assert status == 200
    assert [(each["label_id"], each["status"]) for each in view["items"]] == list(
        zip(bought, ("bought", "voided", "bought"), strict=True)
    )


def test_a_cancelled_order_gives_its_labels_back(station: House, easypost: Account) -> None:
    identity = routed(station)
    _, view = buy(identity, carrier="easypost", service="UPS.Ground")
    order_id = order_of_fulfillment(identity)
    told = {"detail": {"order_id": order_id, "data": {}}}
    assert void_labels.handler(told, None)["labels"] == {}
    station.orders.change(order_id, c.RejectFulfillmentOrder(identity, "x"), at=NOW, actor="test")

    for _ in range(2):
        void_labels.handler(told, None)

    assert ask(api, "GET /labels/{id}", id=view["label_id"])[1]["status"] == "voided"
    assert easypost.given_back.total() == 1


def test_the_same_key_for_another_label_is_a_conflict(station: House) -> None:
    identity = routed(station)
    buy(identity)

    status, problem = buy(identity, service="express")

    assert (status, problem["type"]) == (409, "urn:oms:conflict")


def test_without_a_key_nothing_is_bought(station: House) -> None:
    identity = routed(station)

    status, problem = ask(api, "POST /fulfillment-orders/{id}/labels", WANTED, id=identity)

    assert (status, problem["title"]) == (400, "Idempotency-Key is missing")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"carrier": "nobody"}, "carrier"),
        ({"carrier": "No Slug"}, "carrier"),
        ({"service": ""}, "service"),
        ({"parcel": {}}, "parcel.weight_g"),
        ({"parcel": {"weight_g": 0}}, "parcel.weight_g"),
        ({"parcel": {"weight_g": 1.5}}, "parcel.weight_g"),
        ({"parcel": {"weight_g": "1"}}, "parcel.weight_g"),
        ({"parcel": {"weight_g": 1_000_001}}, "parcel.weight_g"),
        ({"parcel": {"weight_g": 1, "width_mm": 1}}, "parcel.length_mm"),
        ({"parcel": {"weight_g": 1, "mass": 1}}, "parcel.mass"),
        ({"address": {}}, "address"),
    ],
)
def test_what_is_wrong_in_a_request_is_named_and_nothing_is_written(
    station: House, changes: Any, field: str
) -> None:
    identity = routed(station)
    before = station.rows("orders")

    status, problem = buy(identity, **changes)

    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert station.rows("orders") == before


def test_what_the_carrier_refuses_stays_refused_under_its_key(
    station: House, easypost: Account
) -> None:
    identity = routed(station)
    theirs = {"carrier": "easypost", "service": "UPS.Ground"}
    easypost.refuses = {"buy": (422, "SHIPMENT.PURCHASE.FAILURE")}
    assert buy(identity, **theirs)[0] == 422
    easypost.refuses = {}

    status, problem = buy(identity, **theirs)

    assert (status, problem["detail"]) == (422, "easypost: SHIPMENT.PURCHASE.FAILURE")
    assert buy(identity, "other", **theirs)[0] == 200


def test_an_answer_that_is_lost_is_found_under_the_same_key(
    station: House, easypost: Account
) -> None:
    identity = routed(station)
    theirs = {"carrier": "easypost", "service": "UPS.Ground"}
    easypost.loses = {"buy": 1}
    status, problem = buy(identity, **theirs)
    assert (status, problem["type"]) == (429, "urn:oms:unanswered")

    status, view = buy(identity, **theirs)

    assert (status, view["status"]) == (200, "bought")
    assert easypost.paid.total() == 1


def test_a_box_that_is_collected_is_given_no_label(station: House) -> None:
    identity = routed(station, pickup_location="AUSTIN")

    assert buy(identity)[0] == 409


def test_a_box_of_somebody_who_was_forgotten_is_given_none(station: House) -> None:
    status, problem = buy(routed(station, contact=False))

    assert (status, problem["type"]) == (409, "urn:oms:no-address")


def test_what_there_is_not_is_not_found(station: House) -> None:
    assert ask(api, "GET /labels/{id}", id="lbl_none")[0] == 404
    assert void("lbl_none")[0] == 404
    assert buy("ful_none-1")[0] == 404
    assert buy("none")[0] == 404


def test_nothing_that_is_kept_beside_an_order_names_its_customer(station: House) -> None:
    buy(routed(station))
    listed()

    told = json.dumps(station.rows("orders"), default=repr)
    assert not any(word in told for word in PERSONAL)


def test_a_label_is_voided_once(station: House, easypost: Account) -> None:
    _, view = buy(routed(station), carrier="easypost", service="UPS.Ground")

    answers = [void(view["label_id"]) for _ in range(3)]

    assert [status for status, _ in answers] == [200, 200, 200]
    assert [body["outcome"] for _, body in answers] == ["voided", "already", "already"]
    assert answers[0][1]["label"]["status"] == "voided"
    assert easypost.given_back.total() == 1


def test_a_label_whose_carrier_gives_nothing_back_can_still_be_used(
    station: House, easypost: Account
) -> None:
    _, view = buy(routed(station), carrier="easypost", service="UPS.Ground")
    easypost.refund_status = "rejected"

    status, problem = void(view["label_id"])

    assert (status, problem["detail"]) == (409, "easypost: rejected")
    assert ask(api, "GET /labels/{id}", id=view["label_id"])[1]["status"] == "bought"
    assert listed(carrier="easypost")[0] == 200


def test_the_label_of_a_parcel_that_has_left_is_not_voided(station: House) -> None:
    identity = routed(station)
    _, view = buy(identity)
    parcel = e.PackedParcel("manual", view["tracking_number"], (Quantity("line_1", 3),))
    order_id = order_of_fulfillment(identity)
    steps = (c.PickFulfillmentOrder(identity), c.PackFulfillmentOrder(identity))
    for command in (*steps, c.ShipFulfillmentOrder(identity, (parcel,))):
        station.orders.change(order_id, command, at=NOW, actor="test")

    status, problem = void(view["label_id"])

    assert (status, problem["detail"]) == (409, "its parcel has been shipped")
    assert buy(identity, "another")[0] == 409


def test_a_manifest_lists_what_waits_and_each_parcel_once(station: House) -> None:
    ids = [buy(routed(station, number))[1]["label_id"] for number in range(3)]
    void(ids[1])

    status, view = listed()

    assert (status, view["status"], view["number"]) == (200, "made", 1)
    assert sorted(view["labels"]) == sorted([ids[0], ids[2]])
    page = b"".join(files().read(f"labels/{view['manifest_id']}.pdf"))
    assert said(seen(page)) == view["manifest_id"]
    assert f"labels/{view['manifest_id']}.pdf" in view["document"]
    status, problem = listed("other")
    assert (status, problem["type"]) == (409, "urn:oms:nothing-to-hand-over")


def test_manifests_of_a_day_are_numbered(station: House) -> None:
    numbers = []
    for number in range(3):
        buy(routed(station, number))
        numbers += [listed(f"m-{number}")[1]["number"], listed(f"m-{number}")[1]["number"]]

    assert numbers == [1, 1, 2, 2, 3, 3]


def test_a_manifest_takes_its_carriers_parcels_alone(station: House) -> None:
    _, ours = buy(routed(station, 1))
    _, ups = buy(routed(station, 2), carrier="easypost", service="UPS.Ground")
    _, usps = buy(routed(station, 3), carrier="easypost", service="USPS.Priority")

    _, of_usps = listed("a", carrier="easypost", service="USPS.")
    _, of_the_rest = listed("b", carrier="easypost")
    _, of_ours = listed("c")

    assert of_usps["labels"] == [usps["label_id"]]
    assert of_the_rest["labels"] == [ups["label_id"]]
    assert of_ours["labels"] == [ours["label_id"]]


def test_what_is_on_a_manifest_is_not_voided(station: House) -> None:
    _, view = buy(routed(station))
    _, manifest = listed()

    status, problem = void(view["label_id"])

    assert (status, problem["detail"]) == (409, f"its parcel is on {manifest['manifest_id']}")


def test_parcels_of_a_manifest_that_is_refused_wait_for_another(
    station: House, easypost: Account
) -> None:
    _, view = buy(routed(station), carrier="easypost", service="UPS.Ground")
    easypost.refuses = {"list": (422, "SCAN_FORM.MIXED")}
    assert listed("a", carrier="easypost")[0] == 422
    easypost.refuses = {}

    assert listed("a", carrier="easypost")[0] == 422
    status, manifest = listed("b", carrier="easypost")
    assert (status, manifest["labels"]) == (200, [view["label_id"]])


def test_a_scan_form_whose_answer_is_lost_is_found_under_its_key(
    station: House, easypost: Account
) -> None:
    buy(routed(station), carrier="easypost", service="UPS.Ground")
    easypost.loses = {"list": 1}
    assert listed(carrier="easypost")[0] == 429

    status, view = listed(carrier="easypost")

    assert (status, view["number"]) == (200, 1)
    assert len(easypost.forms) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "carrier"), ({"carrier": "nobody"}, "carrier"), ({"day": "x"}, "carrier")],
)
def test_what_is_wrong_in_a_listing_is_named(station: House, body: Any, field: str) -> None:
    route = "POST /locations/{location}/manifests"
    status, problem = ask(api, route, body, headers={"Idempotency-Key": "m"}, location="AUSTIN")

    assert (status, problem["errors"][0]["field"]) == (422, field)


def test_a_cold_start_reads_neither_easyposts_library_nor_the_printers() -> None:
    late = "{'easypost', 'reportlab', 'requests'}"
    code = f"import sys, functions.labels.api; assert not {late} & sys.modules.keys()"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
