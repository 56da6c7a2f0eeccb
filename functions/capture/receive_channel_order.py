"""`POST /channels/{channel}/webhooks`: orders that a sales channel took."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.capture.hold_rules import hold_rules
from functions.capture.placing import Desk
from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import Ignored, Message, Placed
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.items_table import items_table
from oms.adapters.orders_table import orders_table
from oms.adapters.secrets import Secrets, secrets
from oms.adapters.vault import vault
from oms.adapters.webhooks import Call
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
    at = datetime.now(UTC)
    query = {name: values[0] for name, values in request.query.items()}
    call = Call(request.body, request.headers, query, request.url, at)
    message = verified(call, request.path["channel"], secrets())
    (said,) = message.said
    if not isinstance(said, Placed):
        return Received("ignored", ignored=said.why if isinstance(said, Ignored) else "")
    desk = Desk(
        orders_table(),
        secrets().customer_id,
        vault().contact_write,
        resolve=items_table().resolve,
        rules=hold_rules(),
    )
    actor = f"channel:{said.order.channel}"
    # A channel sells what it sells: an unknown SKU waits for its stock, it is never refused.
    order, new = desk.place(said.order, at=at, actor=actor, request_key=None)
    return Received("accepted" if new else "duplicate", order.order_id)


def verified(call: Call, code: str, known: Secrets) -> Message:
    channel = CHANNELS.get(code)
    if channel is None:
        raise Problem(404, "Not found", "there is no such channel")
    believed = known.of_shop(code, channel.shop(call))
    if not any(channel.verify(call, secret) for secret in believed):
        raise Problem(401, "Bad signature", "the signature is not the channel's")
    return channel.read(call)
