"""Orders whose customers ask something, and those who answer them, over real tables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from functions.returns import tracking_page
from functions.service import api
from oms.adapters.inquiries_table import InquiriesTable, inquiries_table
from oms.adapters.mail import Mail
from oms.adapters.secrets import secrets
from oms.adapters.vault import vault
from oms.domain import commands as c
from oms.domain.contact import Contact
from oms.domain.order import Order
from tests.functions.doors import House

CLIENT = {"client_id": "desk"}
ALL = "oms/service oms/refunds oms/returns.write oms/orders.write"
KEY = "0123456789abcdef" * 2
ADDRESS = "ada@example.com"


def call(
    route: str,
    body: Any = None,
    *,
    key: str = "",
    query: str = "",
    scope: str = ALL,
    **path: str,
) -> tuple[int, Any]:
    event = {
        "routeKey": route,
        "rawQueryString": query,
        "pathParameters": path,
        "headers": {"idempotency-key": key} if key else {},
        "requestContext": {"authorizer": {"jwt": {"claims": {**CLIENT, "scope": scope}}}},
        "body": "" if body is None else json.dumps(body),
    }
    answer = api.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def post(inquiry_id: str, step: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    route = f"POST /inquiries/{{inquiry_id}}/{step}"
    return call(route, {} if body is None else body, inquiry_id=inquiry_id, **more)


def get(inquiry_id: str) -> Any:
    return call("GET /inquiries/{inquiry_id}", inquiry_id=inquiry_id)[1]


def listed(query: str = "") -> list[str]:
    status, page = call("GET /inquiries", query=query)
    assert status == 200, page
    return [each["inquiry_id"] for each in page["items"]]


def opened(order_id: str, key: str = "", **said: Any) -> str:
    body = {"order_id": order_id, "text": "Where is it?", "category": "where_is_it", **said}
    status, found = call("POST /inquiries", body, key=key)
    assert status in (200, 201), found
    return str(found["inquiry_id"])


def asked(token: str, key: str = KEY, **form: str) -> dict[str, Any]:
    said = {"category": "damaged", "text": "The mug is broken.", "key": key, **form}
    event = {
        "routeKey": "POST /track/{token}/inquiry",
        "pathParameters": {"token": token},
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": urlencode(said),
    }
    return tracking_page.handler(event, None)


def token_of(order_id: str) -> str:
    return secrets().tracking_token(order_id)


def reachable(house: House, order: Order) -> None:
    """The vault knows where its mails go."""
    from oms.adapters.dynamodb import transact

    write = vault().contact_write(
        order.customer_id, order.order_id, Contact(ADDRESS, "Ada Lovelace")
    )
    transact(house.cloud.client("dynamodb"), [write])


def table() -> InquiriesTable:
    return inquiries_table(with_texts=True)


def events_of(house: House, inquiry_id: str) -> list[dict[str, Any]]:
    """Outbox rows as the publisher reads them, in their order."""
    rows = [x for x in house.rows("orders") if x["PK"]["S"] == f"INQUIRY#{inquiry_id}"]
    return sorted(
        (row for row in rows if row["SK"]["S"].startswith("EVENT#")), key=lambda x: x["SK"]["S"]
    )


def do(house: House, order_id: str, command: c.Command) -> Order:
    return house.orders.change(order_id, command, at=datetime.now(UTC), actor="test")


@dataclass
class Outbox:
    """A mail service that keeps what it is given."""

    sent: list[tuple[str, Mail]] = field(default_factory=list)

    def send(self, address: str, mail: Mail) -> None:
        self.sent.append((address, mail))
