"""Orders of people in a house, told to their profiles as the archive has them."""

from __future__ import annotations

import json
from typing import Any

from functions.customers import api, learn_profiles
from oms.adapters.bus import detail
from oms.adapters.event_log import event_log
from oms.adapters.placing import Desk
from oms.adapters.secrets import secrets
from oms.adapters.vault import vault
from oms.contracts.events import envelope
from oms.domain.order import Order
from tests.functions.doors import House, ask
from tests.functions.world import an_order, now

ONE = "/customers/{customer_id}"
ADDRESS = {"name": "Ada Byron", "line1": "1 Main St", "city": "Austin", "country": "US"}


def ordered(house: House, email: str | None = "ada@example.com", **said: Any) -> Order:
    """`name`, `phone`, `address` of who orders, and anything of the order."""
    who = {"name": said.pop("name", "Ada Byron"), "phone": said.pop("phone", "")}
    given: dict[str, Any] = {"shipping_address": said.pop("address", ADDRESS), **said}
    given["customer"] = {"email": email, **who} if email else who
    at = given.pop("at", now())
    desk = Desk(house.orders, secrets().customer_id, vault().contact_write)
    return desk.place(an_order(**given), at=at, actor="client:shop", request_key=None)[0]


def told(house: House, *orders: Order) -> list[dict[str, Any]]:
    """Everything that has happened to them, as on the bus."""
    return [
        json.loads(detail(envelope(order.order_id, fact)))
        for order in orders
        for fact in house.orders.whole_history(order.order_id)
    ]


def learned(house: House, *orders: Order) -> None:
    event_log().append(told(house, *orders))
    learn_profiles.handler({}, None)


def known(house: House, email: str | None = "ada@example.com", **said: Any) -> str:
    """The id of somebody who has ordered and has a profile."""
    order = ordered(house, email, **said)
    learned(house, order)
    return order.customer_id


def get(customer_id: str, what: str = "", query: str = "") -> tuple[int, Any]:
    return ask(api, f"GET {ONE}{what}", query=query, customer_id=customer_id)


def put(customer_id: str, version: int, **said: Any) -> tuple[int, Any]:
    return ask(api, f"PUT {ONE}", {"version": version, **said}, customer_id=customer_id)


def post(customer_id: str, what: str, /, **said: Any) -> tuple[int, Any]:
    return ask(api, f"POST {ONE}/{what}", said, customer_id=customer_id)


def found(query: str) -> list[str]:
    status, page = ask(api, "GET /customers", query=query)
    assert status == 200, page
    return [each["customer_id"] for each in page["items"]]
