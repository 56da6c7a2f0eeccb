"""`POST /carriers/{carrier}/webhooks`: what a carrier saw of our parcels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import Ignored
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.scan_inbox import ScanInbox, scan_inbox
from oms.adapters.secrets import secrets
from oms.contracts.api.views import Received
from oms.domain.commands import RecordScans
from oms.domain.ids import order_of_fulfillment
from oms.domain.tracking import TrackingUpdate

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "SECRET_ID")

app = HttpApi("ReceiveCarrierWebhook")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/carriers/{carrier}/webhooks")
def receive(request: Request) -> Received:
    update = verified(request, secrets().of(request.path["carrier"]))
    if isinstance(update, Ignored):
        return Received(ignored=update.why)
    return record_scans(orders_table(), scan_inbox(), update, at=datetime.now(UTC))


def verified(request: Request, secret: str | None) -> TrackingUpdate | Ignored:
    carrier = CARRIERS.get(request.path["carrier"])
    if carrier is None:
        raise Problem(404, "Not found", "there is no such carrier")
    if secret is None or not carrier.verify(request.headers, request.body, secret):
        raise Problem(401, "Bad signature", "the signature is not the carrier's")
    return carrier.read(request.body)


def record_scans(
    orders: OrdersTable, inbox: ScanInbox, update: TrackingUpdate, *, at: datetime
) -> Received:
    """Record new scans on every order that shipped under the number; known ones change nothing."""
    order_ids = _orders_of(orders, update)
    if order_ids:
        return _recorded(orders, order_ids, update, at)
    if not update.scans:
        return Received(ignored="no parcel has this tracking number")
    inbox.keep(update, at)
    order_ids = _orders_of(orders, update)  # it may have shipped before the scans were kept
    if not order_ids:
        return Received(ignored="no parcel has this tracking number yet; its scans are kept")
    received = _recorded(orders, order_ids, update, at)
    inbox.drop(update)
    return received


def _orders_of(orders: OrdersTable, update: TrackingUpdate) -> list[str]:
    found = orders.parcels(update.carrier, update.tracking_number)
    return sorted({order_of_fulfillment(identity) for identity in found})


def _recorded(
    orders: OrdersTable, order_ids: list[str], update: TrackingUpdate, at: datetime
) -> Received:
    command = RecordScans(update.carrier, update.tracking_number, update.scans)
    for order_id in order_ids:
        orders.change(order_id, command, at=at, actor=f"carrier:{update.carrier}")
    return Received(order_id=order_ids[0] if len(order_ids) == 1 else "")
