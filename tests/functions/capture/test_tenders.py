"""Orders that are paid from several purses: each asked for its part, and none by a stranger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from oms.adapters.credit_ledger import CreditLedger, credit_ledger
from oms.adapters.orders_table import fingerprint_of
from oms.adapters.payments.settling import settle
from oms.adapters.placing import unsaid
from oms.adapters.secrets import secrets
from oms.contracts.api.orders import PlaceOrder
from oms.domain.gift_cards import code_of
from oms.domain.order import Order
from oms.domain.payment import OperationStatus
from oms.domain.store_credit import Deed, EntryKind, store_credit_account
from tests.functions.capture.test_api import basket, place
from tests.functions.doors import House, house

pytestmark = pytest.mark.cloud

__all__ = ["house"]
CODE = code_of(b"a seed of a card")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CREDIT = {"provider": "store_credit", "amount": 500}
CARD = {"provider": "gift_card", "token": CODE, "amount": 1000}


@dataclass
class Shop:
    house: House

    @property
    def ledger(self) -> CreditLedger:
        return credit_ledger()

    @property
    def ada(self) -> str:
        return store_credit_account(secrets().customer_id("ada@example.com"), "USD")

    @property
    def card(self) -> str:
        return secrets().gift_card_id(CODE)

    def issue(self, account_id: str, amount: int) -> None:
        deed = Deed(EntryKind.ISSUED, amount, "USD")
        self.ledger.post(account_id, deed, at=NOW, actor="test", key=f"{account_id} {amount}")

    def worth(self, account_id: str) -> tuple[int, int]:
        account = self.ledger.find(account_id)
        assert account
        return account.balance, account.held

    def pay(self, order_id: str) -> Order:
        return settle(self.house.orders, order_id, at=datetime.now(UTC))

    def rows(self) -> str:
        return json.dumps(self.house.rows("orders"), default=str)


@pytest.fixture
def shop(house: House, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PAYMENT_PROVIDERS", "external,test,store_credit,gift_card")
    house.stocked("MUG", 5)
    return Shop(house)


def faults(answer: tuple[int, Any]) -> list[tuple[str, str]]:
    assert answer[0] == 422
    return [(each["field"], each["reason"]) for each in answer[1]["errors"]]


def test_a_card_store_credit_and_a_bank_each_pay_their_part(shop: Shop) -> None:
    shop.issue(shop.card, 1000)
    shop.issue(shop.ada, 800)

    status, order = place(basket(tenders=[CARD, CREDIT]))
    paid = shop.pay(order["order_id"])

    assert status == 201
    asked = [(o.provider, o.amount, o.status) for o in paid.payment.authorizations]
    done = OperationStatus.SUCCEEDED
    assert asked == [("gift_card", 1000, done), ("store_credit", 500, done), ("", 1000, done)]
    assert (shop.worth(shop.card), shop.worth(shop.ada)) == ((1000, 1000), (800, 500))
    assert paid.payment.operation("op_1").reference.startswith(f"credit:{shop.card}:")


def test_no_code_is_kept_anywhere(shop: Shop) -> None:
    shop.issue(shop.card, 1000)

    _, order = place(basket(tenders=[CARD]))

    assert CODE not in shop.rows()
    assert CODE.replace("-", "") not in shop.rows()
    shop.pay(order["order_id"])
    assert CODE not in shop.rows()


@pytest.mark.parametrize(
    "payment", [{"provider": "store_credit"}, {"provider": "gift_card", "token": CODE.lower()}]
)
def test_a_whole_order_is_paid_from_one_purse(shop: Shop, payment: dict[str, Any]) -> None:
    for account_id in (shop.ada, shop.card):
        shop.issue(account_id, 2500)

    status, order = place(basket(payment=payment))
    paid = shop.pay(order["order_id"])

    assert status == 201
    assert [o.status for o in paid.payment.authorizations] == [OperationStatus.SUCCEEDED]
    assert sum(shop.worth(account_id)[1] for account_id in (shop.ada, shop.card)) == 2500


def test_tenders_that_pay_all_leave_nothing_to_the_other_provider(shop: Shop) -> None:
    shop.issue(shop.card, 2500)

    _, order = place(basket(tenders=[CARD | {"amount": 2500}], payment={"provider": "test"}))
    paid = shop.pay(order["order_id"])

    assert [(o.provider, o.amount) for o in paid.payment.authorizations] == [("gift_card", 2500)]
    assert paid.payment.authorized == 2500


def test_a_token_does_not_choose_whose_credit_is_spent(shop: Shop) -> None:
    shop.issue("sc_cus_eve_USD", 5000)
    payment = {"provider": "store_credit", "token": "sc_cus_eve_USD"}

    assert faults(place(basket(payment=payment))) == [("payment", "cannot pay 2500 USD")]
    card = CARD | {"token": shop.card}
    shop.issue(shop.card, 5000)
    assert faults(place(basket(tenders=[card]))) == [("tenders[0]", "cannot pay 1000 USD")]
    assert shop.worth("sc_cus_eve_USD") == (5000, 0)


def test_cards_that_are_wrong_empty_or_foreign_are_refused_alike(shop: Shop) -> None:
    shop.issue(shop.card, 999)
    codes = [CODE, CODE[:-1], "", code_of(b"another seed of a card")]

    said = {
        json.dumps(faults(place(basket(tenders=[CARD | {"token": code}]))))
        for code in codes
        if code
    }

    assert said == {json.dumps([("tenders[0]", "cannot pay 1000 USD")])}
    assert [row for row in shop.house.rows("orders") if row["SK"]["S"] == "ORDER"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tenders": [CARD | {"amount": 2501}]}, "tenders"),
        ({"tenders": [CARD | {"amount": 0}]}, "tenders[0].amount"),
        ({"tenders": [CARD | {"amount": -1}]}, "tenders[0].amount"),
        ({"tenders": [CARD | {"token": ""}]}, "tenders[0].token"),
        ({"tenders": [{"provider": "nobody", "token": "x", "amount": 1}]}, "tenders[0].provider"),
        ({"tenders": [{"provider": "external", "amount": 1}]}, "tenders[0].provider"),
        ({"tenders": [CREDIT, CREDIT]}, "tenders[1]"),
        ({"tenders": [CREDIT], "customer": None}, "customer"),
        ({"payment": {"provider": "store_credit"}, "customer": None}, "customer"),
        ({"tenders": [CARD], "payment": {"provider": "test"}}, "payment.token"),
        ({"tenders": [CARD], "payment": {"provider": "external", "captured": 1}}, "tenders"),
        ({"tenders": [CARD] * 11}, "tenders"),
    ],
)
def test_tenders_that_are_none_are_refused_by_their_names(
    shop: Shop, changes: dict[str, Any], field: str
) -> None:
    shop.issue(shop.card, 5000)

    assert [name for name, _ in faults(place(basket(**changes)))][:1] == [field]


def test_the_same_order_again_is_answered_though_the_money_is_held_by_now(shop: Shop) -> None:
    shop.issue(shop.card, 1000)
    body = basket(tenders=[CARD])
    _, first = place(body)
    shop.pay(first["order_id"])

    assert place(body)[0] == 200
    assert place(body | {"tenders": [CARD | {"amount": 999}]})[0] in (409, 422)


def test_an_order_without_tenders_says_the_same_as_before_there_were_any() -> None:
    said = PlaceOrder.read(basket(tenders=[]))
    body = said.model_dump(mode="json", exclude=unsaid(said))

    assert "tenders" not in body
    old = PlaceOrder.read(body)
    assert fingerprint_of(old.model_dump(mode="json", exclude=unsaid(old))) == fingerprint_of(body)


def test_a_card_pays_once_however_its_code_is_written(shop: Shop) -> None:
    shop.issue(shop.card, 1000)
    parts = [{**CARD, "amount": 800}, {**CARD, "token": CODE.lower(), "amount": 800}]

    assert faults(place(basket(tenders=parts))) == [("tenders[1]", "cannot pay 800 USD")]
    assert shop.worth(shop.card) == (1000, 0)
