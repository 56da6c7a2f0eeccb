"""`POST /channels/{channel}/webhooks`: orders that a sales channel took."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.capture.hold_rules import hold_rules
from functions.capture.placing import Desk
from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import Ignored
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.items_table import items_table
from oms.adapters.orders_table import orders_table
from oms.adapters.secrets import secrets
from oms.adapters.vault import vault
from oms.contracts.api.orders import ChannelOrder
from oms.contracts.api.views import Received

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
)

app = HttpApi("ReceiveChannelOrder")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/channels/{channel}/webhooks")
def receive(request: Request) -> Received:
    said = verified(request, secrets().of(request.path["channel"]))
    if isinstance(said, Ignored):
        return Received(ignored=said.why)
    desk = Desk(
        orders_table(),
        secrets().customer_id,
        vault().contact_write,
        resolve=items_table().resolve,
        rules=hold_rules(),
    )
    actor = f"channel:{said.channel}"
    # A channel sells what it sells: an unknown SKU waits for its stock, it is never refused.
    order, _ = desk.place(said, at=datetime.now(UTC), actor=actor, request_key=None)
    return Received(order_id=order.order_id)


def verified(request: Request, secret: str | None) -> ChannelOrder | Ignored:
    channel = CHANNELS.get(request.path["channel"])
    if channel is None:
        raise Problem(404, "Not found", "there is no such channel")
    if secret is None or not channel.verify(request.headers, request.body, secret):
        raise Problem(401, "Bad signature", "the signature is not the channel's")
    return channel.read(request.body, request.headers)
