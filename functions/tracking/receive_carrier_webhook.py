"""`POST /carriers/{carrier}/webhooks`: what a carrier saw of our parcels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import Ignored
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.orders_table import OrdersTable, orders_table
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
    return record_scans(orders_table(), update, at=datetime.now(UTC))


def verified(request: Request, secret: str | None) -> TrackingUpdate | Ignored:
    carrier = CARRIERS.get(request.path["carrier"])
    if carrier is None:
        raise Problem(404, "Not found", "there is no such carrier")
    if secret is None or not carrier.verify(request.headers, request.body, secret):
        raise Problem(401, "Bad signature", "the signature is not the carrier's")
    return carrier.read(request.body)


def record_scans(orders: OrdersTable, update: TrackingUpdate, *, at: datetime) -> Received:
    """Record new scans on every order that shipped under the number; known ones change nothing."""
    found = orders.parcels(update.carrier, update.tracking_number)
    if not found:
        return Received(ignored="no parcel has this tracking number")
    command = RecordScans(update.carrier, update.tracking_number, update.scans)
    order_ids = sorted({order_of_fulfillment(identity) for identity in found})
    for order_id in order_ids:
        orders.change(order_id, command, at=at, actor=f"carrier:{update.carrier}")
    return Received(order_id=order_ids[0] if len(order_ids) == 1 else "")
