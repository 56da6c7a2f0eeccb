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
from oms.domain.commands import Command, RecordReturnScans, RecordScans
from oms.domain.ids import order_of_fulfillment, order_of_return
from oms.domain.tracking import TrackingUpdate

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "SECRET_ID")

Concerned = list[tuple[str, Command]]

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
    """Record new scans on every order, and return, that shipped under the number; known ones
    change nothing."""
    if concerned := _concerned(orders, update):
        return _recorded(orders, concerned, update, at)
    if not update.scans:
        return Received(ignored="no parcel has this tracking number")
    inbox.keep(update, at)
    concerned = _concerned(orders, update)  # it may have shipped before the scans were kept
    if not concerned:
        return Received(ignored="no parcel has this tracking number yet; its scans are kept")
    received = _recorded(orders, concerned, update, at)
    inbox.drop(update)
    return received


def _concerned(orders: OrdersTable, update: TrackingUpdate) -> Concerned:
    """What the scans say of each order: of a parcel to its customer, or back from there."""
    number = (update.carrier, update.tracking_number)
    parcels = orders.parcels(*number)
    back = [each for each in parcels if each.startswith("ret_")]
    shipped = {order_of_fulfillment(each) for each in parcels if each not in back}
    sent: Concerned = [(each, RecordScans(*number, update.scans)) for each in sorted(shipped)]
    return sent + [
        (order_of_return(each), RecordReturnScans(each, *number, update.scans)) for each in back
    ]


def _recorded(
    orders: OrdersTable, concerned: Concerned, update: TrackingUpdate, at: datetime
) -> Received:
    for order_id, command in concerned:
        orders.change(order_id, command, at=at, actor=f"carrier:{update.carrier}")
    order_ids = {order_id for order_id, _ in concerned}
    return Received(order_id=order_ids.pop() if len(order_ids) == 1 else "")
