"""The provider of goods: what they pay is recorded, what is left of it becomes store credit."""

from __future__ import annotations

import pytest

from oms.adapters.payments import PROVIDERS
from oms.adapters.payments.exchange import Exchange
from oms.domain.payment import OperationKind, OperationStatus
from tests.fakes_psp import FakePsp

ACCOUNT = "credit:sc_cus_ada_USD"
DONE = OperationStatus.SUCCEEDED


@pytest.fixture
def credit() -> FakePsp:
    return FakePsp("store_credit")


def test_nobody_pays_so_by_asking_for_it(credit: FakePsp) -> None:
    exchange = Exchange(credit)
    asked = [
        exchange.authorize("k", 5, "USD", "tok_ok"),
        exchange.renew("k", 5, "USD", ACCOUNT),
        exchange.look_up("k", OperationKind.AUTHORIZE),
    ]
    assert [each.status for each in asked if each] == [OperationStatus.FAILED] * 3


def test_what_goods_pay_is_recorded_and_moves_nothing(credit: FakePsp) -> None:
    exchange = Exchange(credit)
    for result in (
        exchange.capture("k1", 5, "USD", ACCOUNT),
        exchange.void("k2", 5, "USD", ACCOUNT),
        exchange.refund("k3", 5, "USD", "exchange:ord_x"),
        exchange.look_up("k3", OperationKind.REFUND, reference="exchange:ord_x"),
    ):
        assert result
        assert result.status is DONE
    assert credit.calls == []


def test_what_is_left_of_it_becomes_store_credit_once(credit: FakePsp) -> None:
    exchange = Exchange(credit)
    assert exchange.look_up("k", OperationKind.REFUND, reference=ACCOUNT) is None
    for _ in range(2):
        assert exchange.refund("k", 5, "USD", ACCOUNT).status is DONE
    assert [(x.reference, x.amount) for x in credit.movements] == [(ACCOUNT, 5)]
    found = exchange.look_up("k", OperationKind.REFUND, reference=ACCOUNT)
    assert found
    assert found.status is DONE


def test_it_is_one_of_the_providers_and_no_stranger_speaks_for_it() -> None:
    exchange = PROVIDERS["exchange"]
    assert not exchange.prepaid
    assert not exchange.verify({}, b"", "s", None)  # type: ignore[arg-type]
