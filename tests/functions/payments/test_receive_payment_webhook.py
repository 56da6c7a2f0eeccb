"""One provider tells of its own orders only."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.payments import receive_payment_webhook
from oms.adapters.agenda import Agenda
from oms.adapters.payments import sandbox
from oms.adapters.payments.base import Result
from oms.adapters.payments.settling import Books
from oms.domain.agenda import DueKind
from oms.domain.order import Order
from oms.domain.payment import OperationStatus, operation_key
from oms.domain.statuses import payment_status
from tests.functions.doors import SECRETS, House, ask, house
from tests.functions.world import World, an_order

__all__ = ["house"]
pytestmark = pytest.mark.cloud


def placed(house: House, provider: str) -> Order:
    client, names = house.cloud.client("dynamodb"), house.environment
    world = World(client, names["ORDERS_TABLE"], names["STOCK_TABLE"])
    return world.place(an_order(payment={"provider": provider, "token": "tok_3ds"}))


def tell(order: Order) -> tuple[int, Any]:
    """As the provider `test` would."""
    key = operation_key(order.order_id, order.payment.operations[0])
    told = {"event": "authorization.succeeded", "order_id": order.order_id, "key": key}
    body = json.dumps(told).encode()
    signed = {"Test-Signature": sandbox.signature(body, SECRETS["test"], int(time.time()))}
    route = "POST /payments/{provider}/webhooks"
    return ask(receive_payment_webhook, route, body, headers=signed, provider="test")


def test_a_provider_settles_its_own_operations(house: House) -> None:
    order = placed(house, "test")

    assert tell(order) == (200, {"outcome": "accepted", "order_id": order.order_id})
    assert house.orders.get(order.order_id).payment.authorized == order.total


@pytest.mark.parametrize("provider", ["external", "fake"])
def test_a_provider_settles_nobody_elses_operations(house: House, provider: str) -> None:
    order = placed(house, provider)

    status, problem = tell(order)

    assert (status, problem["title"]) == (404, "Not found")
    assert house.orders.get(order.order_id) == order


def told(order_id: str, **said: Any) -> tuple[int, Any]:
    """Whatever the provider `test` says of the order."""
    body = json.dumps({"order_id": order_id, **said}).encode()
    signed = {"Test-Signature": sandbox.signature(body, SECRETS["test"], int(time.time()))}
    route = "POST /payments/{provider}/webhooks"
    return ask(receive_payment_webhook, route, body, headers=signed, provider="test")


def test_a_dispute_is_opened_once_and_closed_once(house: House) -> None:
    order = placed(house, "test")
    tell(order)
    reference = house.orders.get(order.order_id).payment.operations[0].reference
    said = {"reference": reference, "dispute_id": "dp_1", "amount": 1000, "reason": "fraudulent"}

    for event in ("dispute.opened", "dispute.opened"):
        assert told(order.order_id, event=event, **said)[0] == 200
    opened = house.orders.get(order.order_id)
    assert (payment_status(opened), opened.payment.disputed) == ("disputed", 1000)
    assert "dp_1" in opened.attention

    for event in ("dispute.won", "dispute.won", "dispute.opened"):
        assert told(order.order_id, event=event, **said)[0] == 200
    closed = house.orders.get(order.order_id)
    assert (payment_status(closed), closed.payment.disputed) == ("authorized", 0)
    assert closed.version == opened.version + 1


def test_a_dispute_of_what_we_do_not_know_is_repeated_by_its_provider(house: House) -> None:
    order = placed(house, "test")
    said = {"event": "dispute.opened", "dispute_id": "dp_1", "amount": 1000}

    assert told(order.order_id, reference="test_guessed", **said)[0] == 404
    assert told("ord_nobody", reference="test_guessed", **said)[0] == 404
    assert house.orders.get(order.order_id) == order


def test_a_notice_of_an_order_that_is_still_on_its_way_is_taken_when_it_is_repeated(
    house: House,
) -> None:
    client, names = house.cloud.client("dynamodb"), house.environment
    world = World(client, names["ORDERS_TABLE"], names["STOCK_TABLE"])
    said = an_order(payment={"provider": "test", "token": "tok_3ds"})
    elsewhere = World.new(client).place(said)  # the same order, as its provider knows it

    assert tell(elsewhere)[0] == 404
    order = world.place(said)
    assert tell(elsewhere)[0] == 200
    assert house.orders.get(order.order_id).payment.authorized == order.total


def test_an_authorization_that_ends_is_looked_after_from_when_it_is_told(house: House) -> None:
    order = placed(house, "test")
    client, names = house.cloud.client("dynamodb"), house.environment
    until = datetime.now(UTC) + timedelta(days=7)
    books = Books(house.orders, datetime.now(UTC), "provider:test", agenda_of(client, names))

    said = Result(OperationStatus.SUCCEEDED, "ref", valid_until=until)
    for _ in range(2):
        books.record(order, order.payment.operations[0], said)

    due = agenda_of(client, names).due(until, 10)
    assert [(each.kind, each.subject, each.at) for each in due] == [
        (DueKind.RENEW_AUTHORIZATION, order.order_id, until - timedelta(days=1)),
        (DueKind.RENEW_AUTHORIZATION, order.order_id, until),
    ]


def agenda_of(client: Any, names: dict[str, str]) -> Agenda:
    return Agenda(client, names["STOCK_TABLE"])
