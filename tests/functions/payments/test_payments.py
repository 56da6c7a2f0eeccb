"""The steps and webhooks of payments, with the built-in provider."""

import json
import time
from typing import Any

import pytest

from functions.payments import (
    authorize_payment,
    capture_payment,
    receive_payment_webhook,
    refund_payment,
)
from oms.adapters.payments import sandbox
from oms.domain import commands as c
from oms.domain.events import Assigned, PackedParcel
from oms.domain.fulfillment import Quantity
from oms.domain.order import Order
from oms.domain.payment import operation_key
from tests.builders import RECORD
from tests.functions.doors import SECRETS, House, ask, house
from tests.functions.world import World, an_order, now

__all__ = ["house"]
pytestmark = pytest.mark.cloud

ROUTE = "POST /payments/{provider}/webhooks"


def placed(house: House, token: str = "tok_ok") -> str:
    world = World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )
    house.stocked("MUG", 5)
    payment = {"provider": "test", "token": token}
    return world.place(an_order(("MUG", 2), payment=payment)).order_id


def step(function: Any, order_id: str) -> str:
    return str(function.handler({"order_id": order_id}, None)["outcome"])


def told(function: Any, order_id: str) -> None:
    function.handler({"detail-type": "Any", "detail": {"order_id": order_id}}, None)


def tell(order: Order, event: str, at: float | None = None, **changes: str) -> tuple[int, Any]:
    key = operation_key(order.order_id, order.payment.operations[0])
    body = json.dumps({"event": event, "order_id": order.order_id, "key": key, **changes}).encode()
    signature = sandbox.signature(body, SECRETS["test"], int(time.time() if at is None else at))
    headers = {"Test-Signature": signature}
    return ask(receive_payment_webhook, ROUTE, body, headers=headers, provider="test")


@pytest.mark.parametrize(
    ("token", "outcome", "authorized"),
    [
        ("tok_ok", "authorized", 2500),
        ("tok_timeout_then_ok", "authorized", 2500),
        ("tok_declined", "declined", 0),
        ("tok_unheard_of", "declined", 0),
        ("tok_3ds", "payment_pending", 0),
    ],
)
def test_each_token_has_its_outcome_however_often_it_is_asked(
    house: House, token: str, outcome: str, authorized: int
) -> None:
    order_id = placed(house, token)

    outcomes = [step(authorize_payment, order_id) for _ in range(3)]

    assert outcomes == [outcome] * 3
    order = house.orders.get(order_id)
    assert (order.payment.authorized, order.version) == (authorized, 2)


def test_the_token_is_forgotten_once_the_money_is_reserved(house: House) -> None:
    order_id = placed(house)
    assert "tok_ok" in str(house.rows("orders"))

    step(authorize_payment, order_id)

    assert "tok_ok" not in str(house.rows("orders"))


def test_what_was_shipped_is_captured_once(house: House) -> None:
    order_id = placed(house)
    step(authorize_payment, order_id)
    shipped(house, order_id)

    for _ in range(3):
        told(capture_payment, order_id)

    assert house.orders.get(order_id).payment.captured == 2500


def shipped(house: House, order_id: str) -> None:
    box = f"ful_{order_id.removeprefix('ord_')}-1"
    all_of_it = (Quantity("line_1", 2),)
    for command in (
        c.RecordRouting((Assigned(box, "AUSTIN", all_of_it),), RECORD),
        c.PickFulfillmentOrder(box),
        c.PackFulfillmentOrder(box),
        c.ShipFulfillmentOrder(box, (PackedParcel("easypost", "EZ1", all_of_it),)),
    ):
        house.orders.change(order_id, command, at=now(), actor="test")


def test_what_was_reserved_for_a_cancelled_order_is_given_back_once(house: House) -> None:
    order_id = placed(house)
    step(authorize_payment, order_id)
    house.orders.change(order_id, c.CancelOrder("requested"), at=now(), actor="test")

    assert [step(refund_payment, order_id) for _ in range(2)] == ["cancelled"] * 2
    told(refund_payment, order_id)

    payment = house.orders.get(order_id).payment
    assert (payment.voided, payment.captured) == (2500, 0)


def test_the_bank_tells_the_end_of_what_was_pending(house: House) -> None:
    order_id = placed(house, "tok_3ds")
    step(authorize_payment, order_id)
    order = house.orders.get(order_id)

    assert tell(order, "authorization.succeeded") == tell(order, "authorization.succeeded")
    assert tell(order, "authorization.failed")[0] == 200

    after = house.orders.get(order_id)
    assert (after.payment.authorized, after.version) == (2500, order.version + 1)


def test_the_bank_may_tell_the_end_before_we_have_asked(house: House) -> None:
    order_id = placed(house, "tok_3ds")

    tell(house.orders.get(order_id), "authorization.succeeded")

    assert step(authorize_payment, order_id) == "authorized"
    assert house.orders.get(order_id).payment.authorized == 2500


def test_only_the_bank_is_believed_and_only_for_five_minutes(house: House) -> None:
    order = house.orders.get(placed(house, "tok_3ds"))

    for at in (time.time() - 400, time.time() + 400, 0):
        assert tell(order, "authorization.succeeded", at)[0] == 401
    body, webhook = b"{}", receive_payment_webhook
    for forged in ("", "t=1", "t=1,v1=", sandbox.signature(body, "guess", int(time.time()))):
        headers = {"Test-Signature": forged}
        assert ask(webhook, ROUTE, body, headers=headers, provider="test")[0] == 401
    assert ask(webhook, ROUTE, body, provider="external")[0] == 401
    assert ask(webhook, ROUTE, body, provider="nobank")[0] == 404
    assert house.orders.get(order.order_id) == order


def test_a_notice_of_nothing_we_know_is_not_found_or_ignored(house: House) -> None:
    order = house.orders.get(placed(house, "tok_3ds"))

    assert tell(order, "authorization.succeeded", key="guessed")[0] == 404
    assert tell(order, "authorization.succeeded", order_id="ord_nobody")[0] == 404
    assert tell(order, "authorization.dreamt_of")[1]["ignored"]
    assert house.orders.get(order.order_id) == order
