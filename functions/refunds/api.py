"""Money back as goodwill, for staff and for agents, each within the limits of its role."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.http_api import HttpApi, Request
from oms.adapters.orders_table import once_key, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.roles import roles
from oms.contracts.api.refunds import GrantRefund
from oms.contracts.api.views import OrderView
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render import order_view
from oms.domain import commands as c
from oms.domain.order import Order
from oms.domain.refund_policy import RefundPolicy

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE",)

app = HttpApi("RefundsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/orders/{order_id}/refunds")
def grant_refund(request: Request) -> OrderView:
    """The same Idempotency-Key grants it once. The limit is decided with the order itself."""
    said, order_id = request.read(GrantRefund), request.path["order_id"]
    order = orders_table().get(order_id)
    check_line(order, said)
    policy, _ = policies_table().current("refunds", RefundPolicy)
    command = c.GrantRefund(
        said.amount,
        said.reason,
        said.line_id or "",
        as_store_credit=said.destination == "store_credit",
        most=policy.most(roles(request.claims), order.currency),
    )
    once = once_key(f"{request.route} {order_id}", request.idempotency_key, request.json())
    at, actor = datetime.now(UTC), request.actor
    return order_view(orders_table().change(order_id, command, at=at, actor=actor, once=once))


def check_line(order: Order, said: GrantRefund) -> None:
    if said.line_id and all(line.line_id != said.line_id for line in order.lines):
        raise InvalidRequest([Fault("line_id", f"the order has no {said.line_id}")])
