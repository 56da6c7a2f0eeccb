"""`POST /carriers/{carrier}/webhooks`: what a carrier saw of our parcels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import Ignored
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.scan_inbox import ScanInbox, scan_inbox
from oms.adapters.secrets import Secrets, secrets
from oms.adapters.webhooks import Call
from oms.contracts.api.views import Received
from oms.domain.commands import Command, RecordReturnScans, RecordScans
from oms.domain.ids import order_of_fulfillment, order_of_return
from oms.domain.tracking import TrackingUpdate
from oms.observability import logger

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "SECRET_ID")

NOT_YET = "no parcel has this tracking number yet; its scans are kept"
OUTCOMES = ("accepted", "duplicate", "ignored")

Concerned = list[tuple[str, Command]]

app = HttpApi("ReceiveCarrierWebhook")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/carriers/{carrier}/webhooks")
def receive(request: Request) -> Received:
    at = datetime.now(UTC)
    call = Call(request.body, request.headers, first(request.query), request.url, at)
    updates = verified(call, request.path["carrier"], secrets())
    if isinstance(updates, Ignored):
        return Received("ignored", ignored=updates.why)
    told = [record_scans(orders_table(), scan_inbox(), each, at=at) for each in updates]
    return together(told)


def first(query: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in query.items()}


def verified(call: Call, code: str, known: Secrets) -> tuple[TrackingUpdate, ...] | Ignored:
    carrier = CARRIERS.get(code)
    if carrier is None:
        raise Problem(404, "Not found", "there is no such carrier")
    if not any(carrier.verify(call, secret) for secret in known.all_of(code)):
        raise Problem(401, "Bad signature", "the signature is not the carrier's")
    return carrier.read(call)


def together(told: Sequence[Received]) -> Received:
    """The answer to a message about several parcels: what most matters of theirs."""
    if not told:
        return Received("ignored", ignored="it is about no parcel")
    return min(told, key=lambda each: OUTCOMES.index(each.outcome))


def record_scans(
    orders: OrdersTable, inbox: ScanInbox, update: TrackingUpdate, *, at: datetime
) -> Received:
    """Record new scans on every order, and return, that shipped under the number; known ones
    change nothing."""
    received = _record(orders, inbox, update, at)
    if received.outcome != "duplicate":
        count_unread(update)
    return received


def _record(
    orders: OrdersTable, inbox: ScanInbox, update: TrackingUpdate, at: datetime
) -> Received:
    if concerned := _concerned(orders, update):
        return _recorded(orders, concerned, update, at)
    if not update.scans:
        return Received("ignored", ignored="no parcel has this tracking number")
    inbox.keep(update, at)
    concerned = _concerned(orders, update)  # it may have shipped before the scans were kept
    if not concerned:
        return Received("ignored", ignored=NOT_YET)
    received = _recorded(orders, concerned, update, at)
    inbox.drop(update)
    return received


def count_unread(update: TrackingUpdate) -> None:
    """One line for each code that no table has, and one for times without a zone; they are counted
    by carrier and code, and name no parcel."""
    for code in update.unknown:
        logger().warning("unknown_code", extra={"carrier": update.carrier, "code": code})
    if update.zoneless:
        told = {"carrier": update.carrier, "times": update.zoneless}
        logger().info("no_time_zone", extra=told)


def _concerned(orders: OrdersTable, update: TrackingUpdate) -> Concerned:
    """What the scans say of each order, as the carrier that its parcel was shipped with."""
    return [each for name in update.names for each in _shipped_as(orders, name, update)]


def _shipped_as(orders: OrdersTable, carrier: str, update: TrackingUpdate) -> Concerned:
    """Of a parcel to its customer, or back from there."""
    number = (carrier, update.tracking_number)
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
    """A duplicate is what none of them did not know already."""
    actor, changed = f"carrier:{update.carrier}", False
    for order_id, command in concerned:
        before = orders.get(order_id)
        after = orders.change(order_id, command, at=at, actor=actor, seen=before)
        changed = changed or after.version != before.version
    order_ids = {order_id for order_id, _ in concerned}
    outcome = "accepted" if changed else "duplicate"
    return Received(outcome, order_ids.pop() if len(order_ids) == 1 else "")
