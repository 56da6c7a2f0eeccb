"""`POST /payments/{provider}/webhooks`: the end of an operation that was pending."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.payments import PROVIDERS
from oms.adapters.payments.base import Ignored, Notice
from oms.adapters.secrets import secrets
from oms.contracts.api.views import Received
from oms.domain.commands import RecordPaymentResult
from oms.domain.errors import NotFound
from oms.domain.order import Order
from oms.domain.payment import Operation, operation_key

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "SECRET_ID")

app = HttpApi("ReceivePaymentWebhook")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/payments/{provider}/webhooks")
def receive(request: Request) -> Received:
    notice = verified(request, secrets().of(request.path["provider"]), datetime.now(UTC))
    if isinstance(notice, Ignored):
        return Received(ignored=notice.why)
    return record(orders_table(), request.path["provider"], notice, at=datetime.now(UTC))


def verified(request: Request, secret: str | None, now: datetime) -> Notice | Ignored:
    provider = PROVIDERS.get(request.path["provider"])
    if provider is None:
        raise Problem(404, "Not found", "there is no such payment provider")
    if secret is None or not provider.verify(request.headers, request.body, secret, now):
        raise Problem(401, "Bad signature", "the signature is not the provider's, or not fresh")
    return provider.read(request.body)


def record(orders: OrdersTable, provider: str, notice: Notice, *, at: datetime) -> Received:
    """Record the result once; a notice for an operation that has ended changes nothing."""
    order = orders.get(notice.order_id)
    operation = _operation(order, provider, notice.key)
    command = RecordPaymentResult(
        operation.operation_id,
        operation.attempt,
        notice.result.status,
        notice.result.reference,
        notice.result.reason,
    )
    orders.change(order.order_id, command, at=at, actor=f"provider:{provider}")
    return Received(order_id=order.order_id)


def _operation(order: Order, provider: str, key: str) -> Operation:
    """A provider knows its own operations only, whatever it has signed."""
    asked = order.payment.operations if order.payment.provider == provider else ()
    for operation in asked:
        if operation_key(order.order_id, operation) == key:
            return operation
    raise NotFound("payment operation", key[:40])
