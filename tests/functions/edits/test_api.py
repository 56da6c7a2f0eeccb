"""The door for edits: what it previews, what it refuses by name, and what it answers twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.capture import api as orders_api
from functions.edits import api
from functions.payments import refund_payment
from oms.adapters.agenda import agenda
from oms.adapters.vault import vault
from oms.contracts.routes import ROUTES
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.edits import PAY_WITHIN
from tests.functions.doors import House, ask, house
from tests.functions.world import an_order, now

pytestmark = pytest.mark.cloud

__all__ = ["house"]
POST, ONE = "POST /orders/{order_id}/edits", "/orders/{order_id}/edits/{edit_id}"
MUG = {"sku": "MUG", "quantity": 2, "unit_price": 1000, "taxes": [{"name": "VAT", "amount": 30}]}
ELSEWHERE = {
    "name": "Grace",
    "line1": "2 Side St",
    "city": "Reno",
    "region": "NV",
    "postal_code": "89501",
    "country": "US",
}


@pytest.fixture
def shop(house: House) -> House:
    house.stocked("MUG", 3)
    return house


def placed(provider: str = "test", quantity: int = 3, **said: Any) -> str:
    total = 500 + quantity * 1000
    payment: dict[str, Any] = {"provider": provider, "token": "tok_ok"}
    if provider == "external":
        payment = {"provider": provider, "captured": total}
    order = an_order(("MUG", quantity), payment=payment, **said)
    body = order.model_dump(mode="json", exclude={"payment_hold"}, exclude_none=True)
    status, answer = ask(orders_api, "POST /orders", body)
    assert status == 201, answer
    order_id: str = answer["order_id"]
    settled(order_id)
    return order_id


def settled(order_id: str) -> None:
    refund_payment.handler({"order_id": order_id}, None)


def propose(order_id: str, body: Any, **more: Any) -> tuple[int, Any]:
    return ask(api, POST, body, order_id=order_id, **more)


def apply(order_id: str, edit: Any, body: Any = None, **more: Any) -> tuple[int, Any]:
    names = {"order_id": order_id, "edit_id": edit["edit_id"]}
    return ask(api, f"POST {ONE}/apply", body or {}, **names, **more)


def seen(order_id: str, edit: Any) -> Any:
    return ask(api, f"GET {ONE}", order_id=order_id, edit_id=edit["edit_id"])[1]


def order_of(order_id: str) -> Any:
    return ask(orders_api, "GET /orders/{order_id}", order_id=order_id)[1]


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "EditsApi"}

    assert api.app.routes == declared


def test_a_preview_tells_what_it_comes_to_and_leaves_the_order_alone(shop: House) -> None:
    order_id = placed()
    before = order_of(order_id)

    status, edit = propose(
        order_id, {"add": [MUG], "remove": [{"line_id": "line_1", "quantity": 1}]}
    )

    assert status == 201
    assert (edit["status"], edit["due"]) == ("proposed", 1030)
    assert (edit["before"]["total"], edit["after"]["total"]) == (3500, 4530)
    assert (edit["before"]["taxes"], edit["after"]["taxes"]) == (0, 30)
    assert edit["stock"] == [{"sku": "MUG", "wanted": 2, "available": 3}]
    assert edit["based_on_version"] == before["version"]
    assert order_of(order_id) == before
    assert seen(order_id, edit) == edit
    assert ask(api, f"GET {POST.split()[1]}", order_id=order_id)[1]["items"] == [edit]


def test_what_costs_more_waits_for_its_money_and_is_applied_with_it(shop: House) -> None:
    order_id = placed()
    _, edit = propose(order_id, {"add": [MUG], "reason": "one more"})

    status, order = apply(order_id, edit, {"payment": {"provider": "test", "token": "tok_ok"}})

    assert status == 202
    assert [(x["status"], x["reason"]) for x in order["edits"]] == [
        ("awaiting_payment", "one more")
    ]
    assert len(order["lines"]) == 1
    settled(order_id)
    assert [len(order_of(order_id)[x]) for x in ("lines", "edits")] == [2, 1]
    assert order_of(order_id)["totals"]["total"] == 5530
    assert seen(order_id, edit)["status"] == "applied"
    assert apply(order_id, edit)[0] == 200


def test_what_costs_less_is_applied_at_once(shop: House) -> None:
    order_id = placed("external")
    _, edit = propose(order_id, {"remove": [{"line_id": "line_1", "quantity": 1}]})

    assert (edit["due"], edit["repaid"]) == (
        -1000,
        [{"operation_id": "op_1", "provider": "external", "amount": 1000}],
    )
    for _ in range(2):
        status, order = apply(order_id, edit)
        assert (status, order["lines"][0]["quantities"]["cancelled"]) == (200, 1)


def test_the_same_key_proposes_and_applies_once(shop: House) -> None:
    order_id = placed()
    body = {"remove": [{"line_id": "line_1", "quantity": 1}]}
    key = {"headers": {"Idempotency-Key": "e-1"}}

    first, again = propose(order_id, body, **dict(key)), propose(order_id, body, **dict(key))
    other = propose(order_id, body | {"reason": "other"}, headers={"Idempotency-Key": "e-1"})

    assert (first[0], again) == (201, (200, first[1]))
    assert other[0] == 409
    for _ in range(2):
        status, order = apply(order_id, first[1], headers={"Idempotency-Key": "a-1"})
        assert (status, order["lines"][0]["quantities"]["cancelled"]) == (200, 1)
    conflict = apply(
        order_id, first[1], {"expected": {"due": 1}}, headers={"Idempotency-Key": "a-1"}
    )
    assert conflict[0] == 409


def test_an_edit_that_comes_to_something_else_is_not_applied_unless_that_is_confirmed(
    shop: House,
) -> None:
    order_id = placed("external")
    _, edit = propose(order_id, {"add": [MUG]})
    cancelled = {"lines": [{"line_id": "line_1", "quantity": 1}]}
    ask(orders_api, "POST /orders/{order_id}/cancel", cancelled, order_id=order_id)
    shop.orders.change(  # what was to be repaid is paid with again
        order_id, c.PlaceHold("manual", "look"), at=now(), actor="test"
    )
    before = order_of(order_id)
    _, dearer = propose(order_id, {"add": [MUG, MUG]})

    payment = {"payment": {"provider": "test", "token": "tok_ok"}}
    status, problem = apply(order_id, edit, payment | {"expected": {"due": 7}})

    assert (status, problem["title"]) == (409, "The order has moved on")
    assert problem["errors"] == [
        {"field": "expected.due", "reason": "is 2030 by now, not 7"},
    ]
    assert order_of(order_id) == before
    assert dearer["due"] == 4060
    assert apply(order_id, edit, payment | {"expected": {"due": 2030}})[0] == 202


def test_a_second_edit_waits_and_the_first_can_be_discarded(shop: House) -> None:
    order_id = placed()
    _, first = propose(order_id, {"add": [MUG]})
    _, second = propose(order_id, {"remove": [{"line_id": "line_1", "quantity": 1}]})
    assert apply(order_id, first, {"payment": {"provider": "test", "token": "x"}})[0] == 202

    status, problem = apply(order_id, second)

    assert status == 409
    assert first["edit_id"] in problem["detail"]
    names = {"order_id": order_id, "edit_id": first["edit_id"]}
    for _ in range(2):
        status, gone = ask(api, f"POST {ONE}/discard", **names)
        assert (status, gone["status"], gone["declined"]) == (200, "declined", "discarded")
    assert apply(order_id, second)[0] == 200
    settled(order_id)
    assert order_of(order_id)["authorized"] == 3500


def test_a_discarded_edit_is_not_applied_and_an_applied_one_not_discarded(shop: House) -> None:
    order_id = placed()
    _, edit = propose(order_id, {"remove": [{"line_id": "line_1", "quantity": 1}]})
    _, other = propose(order_id, {"remove": [{"line_id": "line_1", "quantity": 1}]})
    names: dict[str, Any] = {"order_id": order_id}

    assert ask(api, f"POST {ONE}/discard", **names, edit_id=edit["edit_id"])[1]["status"] == (
        "discarded"
    )
    assert apply(order_id, edit)[0] == 409
    assert apply(order_id, other)[0] == 200
    assert ask(api, f"POST {ONE}/discard", **names, edit_id=other["edit_id"])[0] == 409


def test_an_expired_edit_is_proposed_again(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = placed()
    _, edit = propose(
        order_id, {"remove": [{"line_id": "line_1", "quantity": 1}], "expires_in": 60}
    )

    class Later:
        @staticmethod
        def now(zone: Any) -> Any:
            return now() + PAY_WITHIN

    monkeypatch.setattr(api, "datetime", Later)
    assert seen(order_id, edit)["status"] == "expired"
    assert apply(order_id, edit)[0] == 409


def test_another_address_is_in_the_vault_alone_and_the_letters_go_on(shop: House) -> None:
    order_id = placed()
    _, edit = propose(order_id, {"shipping_address": ELSEWHERE})

    assert vault().contact(shop.orders.get(order_id).customer_id, order_id)
    assert apply(order_id, edit)[0] == 200

    order = shop.orders.get(order_id)
    contact = vault().contact(order.customer_id, order.contact_id)
    assert contact is not None
    assert contact.address is not None
    assert (contact.address.line1, contact.email) == ("2 Side St", "ada@example.com")
    assert (order.destination.region, order.destination.postal_code) == ("NV", "895")
    everything = json.dumps([*shop.rows("orders"), *shop.rows("customers")], default=str)
    assert "Side St" not in everything
    assert "Grace" not in everything
    assert not any("expires_at" in row for row in shop.rows("customers"))


def test_the_address_of_an_edit_that_nobody_applies_is_not_kept(shop: House) -> None:
    order_id = placed()
    propose(order_id, {"shipping_address": ELSEWHERE})

    (row,) = (row for row in shop.rows("customers") if "expires_at" in row)
    assert row["SK"]["S"].startswith(f"CONTACT#{order_id}#edt_")


def test_money_that_nobody_pays_in_time_is_looked_after(shop: House) -> None:
    order_id = placed()
    _, edit = propose(order_id, {"add": [MUG]})
    apply(order_id, edit, {"payment": {"provider": "test", "token": "x"}})

    (due,) = (
        each for each in agenda().due(now() + PAY_WITHIN, 50) if each.kind == DueKind.DECLINE_EDIT
    )

    assert due.subject == f"{order_id}/{edit['edit_id']}"


def test_stock_that_is_short_is_told_of(shop: House) -> None:
    order_id = placed(quantity=1)

    _, edit = propose(order_id, {"add": [MUG | {"quantity": 9}]})

    assert edit["stock"] == [{"sku": "MUG", "wanted": 9, "available": 3}]
    assert "9 of MUG are wanted, 3 can be promised now" in edit["warnings"][0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"add": [MUG | {"sku": "NOBODYS"}]}, "add[0].sku"),
        ({"add": [MUG | {"quantity": 0}]}, "add[0].quantity"),
        ({"add": [MUG | {"discounts": [{"code": "X", "amount": 9999}]}]}, "add[0].discounts"),
        ({"add": [MUG | {"requires_shipping": False}]}, "add[0].requires_shipping"),
        ({"add": [MUG] * 101}, "add"),
        ({"remove": [{"line_id": "line_1", "quantity": 0}]}, "remove[0].quantity"),
        ({"shipping": {"method": "express"}}, "shipping.price"),
        ({"shipping_address": {"country": "US"}}, "shipping_address.name"),
        ({"shipping_address": ELSEWHERE | {"country": "XX"}}, "shipping_address.country"),
        ({"add": [MUG], "expires_in": 1}, "expires_in"),
        ({"add": [MUG], "price": 1}, "price"),
    ],
)
def test_a_request_that_is_none_is_refused_by_its_field(
    shop: House, body: dict[str, Any], field: str
) -> None:
    order_id = placed()
    before = len(shop.rows("orders"))

    status, problem = propose(order_id, body)

    assert status == 422
    assert field in [each["field"] for each in problem["errors"]]
    assert len(shop.rows("orders")) == before


def test_what_cannot_be_paid_with_is_named(shop: House) -> None:
    order_id = placed()
    _, edit = propose(order_id, {"add": [MUG]})

    status, problem = apply(order_id, edit, {"payment": {"provider": "nobody"}})

    assert (status, problem["errors"][0]["field"]) == (422, "payment.provider")
    assert order_of(order_id)["edits"] == []


def test_an_edit_that_no_order_allows_is_refused_when_it_is_proposed(shop: House) -> None:
    order_id = placed()

    for line_id, quantity, status in (("line_1", 3, 409), ("line_1", 9, 409), ("line_9", 1, 404)):
        body = {"remove": [{"line_id": line_id, "quantity": quantity}]}
        assert propose(order_id, body)[0] == status
    shop.orders.change(order_id, c.CancelOrder("requested"), at=now(), actor="test")
    status, problem = propose(order_id, {"add": [MUG]})
    assert status == 409
    assert "place a new order" in problem["detail"]
    assert propose("ord_nobodys", {"add": [MUG]})[0] == 404


def test_an_edit_that_no_event_could_carry_is_refused(shop: House) -> None:
    order_id = placed()
    taxes = [{"name": "T" * 200, "amount": 0}] * 50

    status, problem = propose(order_id, {"add": [MUG | {"taxes": taxes}] * 10})

    assert (status, problem["type"]) == (422, "urn:oms:edit-too-large")


def test_a_list_of_edits_goes_on_where_it_ended(shop: House) -> None:
    order_id = placed()
    body = {"remove": [{"line_id": "line_1", "quantity": 1}]}
    known = {propose(order_id, body)[1]["edit_id"] for _ in range(3)}
    found, query = set[str](), "limit=2"

    while query:
        _, page = ask(api, f"GET {POST.split()[1]}", order_id=order_id, query=query)
        found |= {each["edit_id"] for each in page["items"]}
        query = f"limit=2&cursor={page['cursor']}" if page["cursor"] else ""

    assert found == known
    listing = f"GET {POST.split()[1]}"
    assert ask(api, listing, order_id=order_id, query="cursor=nonsense")[0] == 400


def test_a_card_that_is_known_is_charged_again_and_money_from_elsewhere_is_not(
    shop: House,
) -> None:
    by_card, elsewhere = placed(), placed("external")

    edits = [propose(order_id, {"add": [MUG]})[1] for order_id in (by_card, elsewhere)]

    assert apply(by_card, edits[0])[0] == 202
    settled(by_card)
    assert order_of(by_card)["edits"][0]["status"] == "applied"
    status, problem = apply(elsewhere, edits[1])
    assert (status, problem["errors"][0]["field"]) == (422, "payment")
    assert apply(elsewhere, edits[1], {"payment": {"provider": "external"}})[0] == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (
            {"shipping": {"method": "x", "price": 1, "taxes": [{"name": "x", "amount": 10**15}]}},
            "shipping",
        ),
        ({"add": [{**MUG, "unit_price": 5 * 10**11, "quantity": 1_500}] * 2}, "add"),
        ({"add": [{"sku": "MUG", "quantity": 1_000, "unit_price": 10**12}]}, "body"),
    ],
)
def test_an_edit_makes_no_order_dearer_than_one_may_be(shop: House, body: Any, field: str) -> None:
    status, problem = propose(placed(), body)

    assert (status, [each["field"] for each in problem["errors"]]) == (422, [field])


@pytest.mark.parametrize("payment", [("test", ""), ("gift_card", ""), ("gift_card", "nonsense")])
def test_a_payment_that_names_no_instrument_is_refused_at_once(
    shop: House, monkeypatch: pytest.MonkeyPatch, payment: tuple[str, str]
) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDERS", "external,test,gift_card")
    order_id = placed()
    _, edit = propose(order_id, {"add": [MUG]})
    provider, token = payment

    status, problem = apply(order_id, edit, {"payment": {"provider": provider, "token": token}})

    assert (status, problem["errors"][0]["field"]) == (422, "payment.token")
    assert seen(order_id, edit)["status"] == "proposed"
