"""The door for store credit and gift cards: issued once, seen as it is, no code given away."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.credit import api
from functions.inventory import run_agenda
from oms.adapters.credit_ledger import credit_ledger
from oms.adapters.payments import PROVIDERS
from oms.adapters.secrets import secrets
from oms.contracts.routes import ROUTES
from oms.domain.gift_cards import read_code
from oms.domain.store_credit import GIFT_CARD, STORE_CREDIT, reference_to
from tests.functions.doors import House, ask, house

pytestmark = pytest.mark.cloud

__all__ = ["house"]
CREDIT, CARDS = "/customers/{customer_id}/store-credit", "/gift-cards"
ISSUE = {"amount": 2500, "currency": "USD", "reason": "late parcel"}
CARD = {"amount": 5000, "currency": "USD"}


def post(route: str, body: Any, key: str | None = "k-1", **path: Any) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    return ask(api, f"POST {route}", body, headers=headers, **path)


def issue(key: str = "k-1", customer_id: str = "cus_ada", **said: Any) -> tuple[int, Any]:
    return post(CREDIT, ISSUE | said, key, customer_id=customer_id)


def credit(customer_id: str = "cus_ada", query: str = "currency=USD") -> tuple[int, Any]:
    return ask(api, f"GET {CREDIT}", query=query, customer_id=customer_id)


def look_up(code: Any) -> tuple[int, Any]:
    return post(f"{CARDS}/lookup", {"code": code})


def tomorrow(days: int = 1) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "CreditApi"}

    assert api.app.routes == declared


def test_credit_is_issued_once_for_each_key_and_seen_with_its_entries(house: House) -> None:
    first = issue(expires_on=tomorrow())
    again = issue(expires_on=tomorrow())
    issue("k-2", amount=500)

    assert (first[0], again) == (201, (200, first[1]))
    status, seen = credit()
    assert status == 200
    assert (seen["balance"], seen["held"], seen["available"]) == (3000, 0, 3000)
    assert seen["lots"] == [{"amount": 2500, "expires_on": tomorrow()}, {"amount": 500}]
    assert [(x["type"], x["amount"], x["reason"]) for x in seen["entries"]] == [
        ("issued", 500, "late parcel"),
        ("issued", 2500, "late parcel"),
    ]
    assert seen["entries"][0]["actor"] == "client:shop"


def test_a_customer_is_found_by_an_e_mail_address_that_no_log_shows(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        status, view = issue(customer_id="Ada@example.com")

    assert (status, view["customer_id"]) == (201, secrets().customer_id("ada@example.com"))
    assert credit("ada@example.com")[1] == credit(view["customer_id"])[1]
    assert "example.com" not in json.dumps([vars(r) for r in caplog.records], default=str).lower()


def test_another_body_under_a_key_is_a_conflict_and_no_key_is_refused(house: House) -> None:
    issue()

    assert issue(amount=1)[0] == 409
    assert issue("k-1", customer_id="cus_eve")[0] == 201
    for route, body, path in (
        (CREDIT, ISSUE, {"customer_id": "cus_ada"}),
        (f"{CREDIT}/adjustments", ISSUE, {"customer_id": "cus_ada"}),
        (CARDS, CARD, {}),
    ):
        assert post(route, body, None, **path)[0] == 400
    assert credit()[1]["balance"] == 2500


def test_an_adjustment_takes_at_most_what_is_available(house: House) -> None:
    issue()
    account = credit()[1]["account_id"]
    PROVIDERS[STORE_CREDIT].authorize("k", 2000, "USD", account)
    adjust, path = f"{CREDIT}/adjustments", {"customer_id": "cus_ada"}
    said = {"currency": "USD", "reason": "counted twice"}

    status, problem = post(adjust, {"amount": -501, **said}, "a-1", **path)
    assert (status, problem["type"]) == (409, "urn:oms:not-enough-credit")
    for _ in range(2):
        _, left = post(adjust, {"amount": -500, **said}, "a-2", **path)
    assert (left["balance"], left["held"], left["available"]) == (2000, 2000, 0)
    assert left["entries"][0]["amount"] == -500


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 10**16}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": None}, "currency"),
        ({"reason": ""}, "reason"),
        ({"reason": "\x00"}, "reason"),
        ({"expires_on": "soon"}, "expires_on"),
        ({"expires_on": "9999-12-31"}, "expires_on"),
        ({"more": 1}, "more"),
    ],
)
def test_what_cannot_be_issued_is_refused_by_its_name(
    house: House, fault: dict[str, Any], field: str
) -> None:
    status, problem = issue(**fault)

    assert status == 422
    assert [each["field"] for each in problem["errors"]] == [field]
    assert house.rows("orders") == []


def test_what_is_over_already_is_not_issued(house: House) -> None:
    assert issue(expires_on=tomorrow(-1))[0] == 409
    assert house.rows("orders") == []


@pytest.mark.parametrize("name", ["x", "cus_", "cus_A", "gc_x", "a@b", "cus_a#b", "%00", "@"])
def test_who_is_no_customer_is_refused(house: House, name: str) -> None:
    assert credit(name)[0] == 422
    assert issue(customer_id=name)[0] == 422


def test_a_customer_without_credit_has_none(house: House) -> None:
    status, seen = credit("cus_nobody")

    assert status == 200
    assert (seen["balance"], seen["lots"], seen["entries"]) == (0, [], [])
    assert credit(query="")[0] == 422


def test_entries_come_page_by_page(house: House) -> None:
    for number in range(5):
        issue(f"k-{number}", amount=number + 1)

    found, query = list[int](), "currency=USD&limit=2"
    while query:
        _, page = credit(query=query)
        found += [entry["amount"] for entry in page["entries"]]
        query = page["cursor"] and f"currency=USD&limit=2&cursor={page['cursor']}"

    assert found == [5, 4, 3, 2, 1]
    assert credit(query="currency=USD&cursor=x")[0] == 400


def test_the_code_of_a_gift_card_is_answered_to_its_issuer_and_kept_nowhere(house: House) -> None:
    status, card = post(CARDS, CARD | {"expires_on": tomorrow()})
    again = post(CARDS, CARD | {"expires_on": tomorrow()})
    code = card["code"]

    assert (status, again) == (201, (200, card))
    assert read_code(code)
    kept = json.dumps([house.rows("orders"), house.rows("stock")], default=str)
    assert code not in kept
    assert code.replace("-", "") not in kept
    _, seen = ask(api, f"GET {CARDS}/{{gift_card_id}}", gift_card_id=card["gift_card_id"])
    assert "code" not in seen
    assert post(CARDS, CARD, "k-2")[1]["code"] != code


def test_a_code_is_not_repeated_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    post(CARDS, CARD)
    monkeypatch.setattr(api, "REPEATED_FOR", timedelta(0))

    status, again = post(CARDS, CARD)

    assert (status, "code" in again) == (200, False)


def test_a_code_tells_what_can_be_spent_however_it_is_typed(house: House) -> None:
    _, card = post(CARDS, CARD | {"expires_on": tomorrow()})
    wanted = {
        "gift_card_id": card["gift_card_id"],
        "currency": "USD",
        "available": 5000,
        "expires_on": tomorrow(),
    }

    assert look_up(card["code"]) == (200, wanted)
    assert look_up(card["code"].lower().replace("-", " ")) == (200, wanted)


def test_codes_that_are_wrong_empty_cancelled_or_over_are_answered_alike(house: House) -> None:
    cards = [post(CARDS, CARD, f"k-{number}")[1] for number in range(2)]
    gift = PROVIDERS[GIFT_CARD]
    gift.authorize("a", 5000, "USD", cards[0]["gift_card_id"])
    path = {"gift_card_id": cards[1]["gift_card_id"]}
    post(f"{CARDS}/{{gift_card_id}}/cancel", {"reason": "stolen"}, None, **path)
    mistyped = cards[0]["code"][:-1] + ("0" if cards[0]["code"][-1] != "0" else "1")
    unknown = post(CARDS, CARD, "other")[1]["code"][:-1]

    ours = [cards[0]["gift_card_id"], *(card["code"] for card in cards)]
    answers = {json.dumps(look_up(code)) for code in ("", "x" * 200, mistyped, unknown, *ours)}

    assert len(answers) == 1
    assert look_up(cards[0]["code"])[0] == 404


def test_a_stolen_card_is_written_off_but_for_what_orders_hold(house: House) -> None:
    _, card = post(CARDS, CARD)
    gift, path = PROVIDERS[GIFT_CARD], {"gift_card_id": card["gift_card_id"]}
    held = gift.authorize("a", 2000, "USD", card["gift_card_id"])
    cancel = f"{CARDS}/{{gift_card_id}}/cancel"

    for _ in range(2):
        status, left = post(cancel, {"reason": "stolen"}, None, **path)

    assert (status, left["cancelled"], left["balance"], left["held"]) == (200, True, 2000, 2000)
    gift.void("v", 2000, "USD", held.reference)
    assert post(cancel, {"reason": "stolen"}, None, **path)[1]["balance"] == 0
    assert [e["type"] for e in post(cancel, {"reason": "x"}, None, **path)[1]["entries"]] == [
        "cancelled",
        "released",
        "cancelled",
        "held",
        "issued",
    ]


@pytest.mark.parametrize("name", ["gc_", "gc_" + "a" * 26, "sc_cus_ada_USD", "x"])
def test_a_card_that_is_none_is_not_found_or_refused(house: House, name: str) -> None:
    assert ask(api, f"GET {CARDS}/{{gift_card_id}}", gift_card_id=name)[0] in (404, 422)
    cancel = f"{CARDS}/{{gift_card_id}}/cancel"
    assert post(cancel, {"reason": "x"}, None, gift_card_id=name)[0] in (404, 422)
    assert house.rows("orders") == []


def test_the_agenda_takes_what_nobody_spent_on_its_day(house: House) -> None:
    issue(expires_on=tomorrow(0))
    account_id = credit()[1]["account_id"]
    paid = PROVIDERS[STORE_CREDIT].refund("k", 700, "USD", reference_to(account_id))
    handlers = run_agenda.handlers()

    assert not handlers["expire_credit"](account_id, datetime.now(UTC))
    assert handlers["expire_credit"](account_id, datetime.now(UTC) + timedelta(days=1))

    assert paid.reference == reference_to(account_id)
    account = credit_ledger().find(account_id)
    assert account
    assert account.balance == 700


RETURNED = "gc_" + "a" * 26 + "-1"


def paid_out(amount: int = 900) -> None:
    """A return whose buyer wanted a gift card."""
    gift = PROVIDERS[GIFT_CARD]
    assert gift.refund(f"r{amount}", amount, "USD", reference_to(RETURNED)).status == "succeeded"


def test_the_card_of_a_return_is_given_a_code_that_spends_it(house: House) -> None:
    paid_out()
    route, path = f"{CARDS}/{{gift_card_id}}/code", {"gift_card_id": RETURNED}

    status, card = post(route, None, "c-1", **path)
    again = post(route, None, "c-1", **path)

    assert (status, again) == (200, (200, card))
    assert look_up(card["code"])[1] == {
        "gift_card_id": RETURNED,
        "currency": "USD",
        "available": 900,
    }
    assert post(route, None, "c-2", **path)[0] == 409
    assert card["code"] not in json.dumps(house.rows("orders"), default=str)
    token = secrets().gift_card_id(card["code"])
    held = PROVIDERS[GIFT_CARD].authorize("a", 900, "USD", token)
    assert held.reference == reference_to(RETURNED, "a")
    assert look_up(card["code"])[0] == 404


def test_no_code_is_given_to_cards_that_have_one_or_are_none(house: House) -> None:
    _, card = post(CARDS, CARD)
    route = f"{CARDS}/{{gift_card_id}}/code"

    assert post(route, None, "c", gift_card_id=card["gift_card_id"])[0] == 409
    assert post(route, None, "c", gift_card_id=RETURNED)[0] == 404
    paid_out()
    assert post(route, None, None, gift_card_id=RETURNED)[0] == 400
    assert post(route, {"code": "MINE"}, "c", gift_card_id=RETURNED)[0] == 422


def test_a_code_that_is_given_for_an_id_is_not_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    code = post(CARDS, CARD)[1]["code"]
    with caplog.at_level(logging.INFO):
        status, problem = ask(api, f"GET {CARDS}/{{gift_card_id}}", gift_card_id=code)

    assert status == 422
    assert code not in json.dumps(problem)
    assert not any(code in str(vars(record)) for record in caplog.records)
