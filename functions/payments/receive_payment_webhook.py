"""`POST /payments/{provider}/webhooks`: how operations ended, and what the buyer's bank disputes.

A notice of an order that we do not know (yet) is not found: providers repeat whatever was not
answered with a 2xx, and the reconciler looks up what nobody has told.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.orders_table import orders_table
from oms.adapters.payments import PROVIDERS, SETTINGS
from oms.adapters.payments.base import DisputeNotice, Ignored, Notice
from oms.adapters.payments.settling import Books
from oms.adapters.secrets import secrets
from oms.contracts.api.views import Received
from oms.domain.commands import RecordDispute
from oms.domain.errors import NotFound
from oms.domain.order import Order
from oms.domain.payment import Operation, operation_key

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", *SETTINGS)

app = HttpApi("ReceivePaymentWebhook")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/payments/{provider}/webhooks")
def receive(request: Request) -> Received:
    provider, at = request.path["provider"], datetime.now(UTC)
    notice = verified(request, secrets().of(provider), at)
    if isinstance(notice, Ignored):
        return Received("ignored", ignored=notice.why)
    books = Books(orders_table(with_stock=True), at, f"provider:{provider}")
    if isinstance(notice, DisputeNotice):
        return record_dispute(books, provider, notice)
    return record(books, provider, notice)


def verified(
    request: Request, secret: str | None, now: datetime
) -> Notice | DisputeNotice | Ignored:
    provider = PROVIDERS.get(request.path["provider"])
    if provider is None:
        raise Problem(404, "Not found", "there is no such payment provider")
    if secret is None or not provider.verify(request.headers, request.body, secret, now):
        raise Problem(401, "Bad signature", "the signature is not the provider's, or not fresh")
    return provider.read(request.body)


def record(books: Books, provider: str, notice: Notice) -> Received:
    """Record the result once; a notice for an operation that has ended changes nothing, but for
    one that says more has moved."""
    order = books.orders.get(notice.order_id)
    books.record(order, _operation(order, provider, notice.key), notice.result)
    return Received("accepted", order.order_id)


def record_dispute(books: Books, provider: str, notice: DisputeNotice) -> Received:
    command = RecordDispute(
        provider,
        notice.reference,
        notice.dispute_id,
        notice.amount,
        notice.status,
        notice.reason,
    )
    books.orders.change(notice.order_id, command, at=books.at, actor=books.actor)
    return Received("accepted", notice.order_id)


def _operation(order: Order, provider: str, key: str) -> Operation:
    """A provider knows its own operations only, whatever it has signed."""
    for operation in order.payment.operations:
        its_own = order.payment.provider_of(operation) == provider
        if its_own and operation_key(order.order_id, operation) == key:
            return operation
    raise NotFound("payment operation", key[:40])
