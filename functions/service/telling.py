"""What happened to an order and its inquiries, in words. No word of a person is among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from oms.domain import events as e
from oms.domain.currencies import amount_text
from oms.domain.payment import Operation

Telling = Callable[[Any, str], str]  # of an event and the order's currency

PAYMENT, RETURN = ("Payment", "Refund"), ("Return", "Exchange")
FULFILLMENT = ("Fulfillment", "Parcel", "Units")


def kind_of(name: str) -> str:
    """Of an event, by its name."""
    if name.startswith("Inquiry"):
        return "inquiry"
    if name.startswith(RETURN):
        return "return"
    if name.startswith(PAYMENT):
        return "payment"
    return "fulfillment" if name.startswith(FULFILLMENT) else "order"


def told(event: Any, currency: str) -> str:
    name = type(event).__name__
    if name in TELLINGS:
        return TELLINGS[name](event, currency)
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
    return words[0].upper() + words[1:]


def _placed(event: e.OrderPlaced, currency: str) -> str:
    total = amount_text(event.total, currency)
    after = f", in exchange for {event.linked_to}" if event.linked_to else ""
    return f"Order {event.external_id} was placed in {event.channel} for {total}{after}"


def _cancelled(event: e.OrderCancelled | e.OrderLinesCancelled, currency: str) -> str:  # noqa: ARG001
    what = "The order was" if isinstance(event, e.OrderCancelled) else f"{_units(event.units)} were"
    return f"{what} cancelled: {event.reason}"


def _requested(event: e.PaymentOperationRequested, currency: str) -> str:
    return f"{_operation(event.operation, currency)} was asked for"


def _operation(operation: Operation, currency: str) -> str:
    kind = operation.kind.value.capitalize()
    return f"{kind} {operation.operation_id} of {amount_text(operation.amount, currency)}"


def _money(text: str) -> Telling:
    return lambda event, currency: text.format(event, amount=amount_text(event.amount, currency))


def _plain(text: str) -> Telling:
    return lambda event, _: text.format(event)


def _shipped(event: e.FulfillmentOrderShipped, currency: str) -> str:  # noqa: ARG001
    parcels = ", ".join(f"{each.carrier} {each.tracking_number}" for each in event.parcels)
    return f"{event.fulfillment_order_id} was shipped from {event.location_id}: {parcels}"


def _scanned(event: e.ParcelScanned | e.ReturnParcelScanned, currency: str) -> str:  # noqa: ARG001
    last = f": {event.scans[-1].status}" if event.scans else ""
    return f"{event.carrier} scanned {event.tracking_number}{last}"


def _routed(event: e.OrderRouted, currency: str) -> str:  # noqa: ARG001
    places = ", ".join(dict.fromkeys(each.location_id for each in event.plan))
    return f"The order was routed to {places}"


def _backordered(event: e.OrderBackordered, currency: str) -> str:  # noqa: ARG001
    until = f", expected on {event.expected_on}" if event.expected_on else ""
    return f"{_units(event.lines)} wait for stock{until}"


def _return_requested(event: e.ReturnRequested, currency: str) -> str:  # noqa: ARG001
    why = f" ({event.override})" if event.override else ""
    units = _units(event.lines)
    return f"{event.return_id} was asked for: {units}, {event.resolution.value} wanted{why}"


def _settled(event: e.ReturnSettled, currency: str) -> str:
    return f"{event.return_id}: {amount_text(event.credit.amount, currency)} were given for it"


def _granted(event: e.RefundGranted, currency: str) -> str:
    credit = event.credit
    return f"Goodwill of {amount_text(credit.amount, currency)} was granted: {credit.reason}"


def _attention(event: e.OrderNeedsAttention, currency: str) -> str:  # noqa: ARG001
    return f"{event.return_id or 'The order'} needs a person: {event.reason}"


def _assigned(event: e.InquiryAssigned, currency: str) -> str:  # noqa: ARG001
    return f"It was given to {event.assignee}" if event.assignee else "It is nobody's again"


def _answered(event: e.InquiryAnswered, currency: str) -> str:  # noqa: ARG001
    return "The customer was answered" + (", and is awaited" if event.waits else "")


def _resolved(event: e.InquiryResolved, currency: str) -> str:
    amount = f" of {amount_text(event.amount, currency)}" if event.amount and currency else ""
    outcome = f" ({event.outcome})" if event.outcome else ""
    return f"It was resolved by {event.deed.value}{amount}{outcome}"


def _reopened(event: e.InquiryReopened, currency: str) -> str:  # noqa: ARG001
    return "It was opened again" + (" by a message of the customer" if event.text else "")


def _units(of: Iterable[Any]) -> str:
    return ", ".join(f"{each.quantity} of {each.line_id}" for each in of)


TELLINGS: Mapping[str, Telling] = {
    "OrderPlaced": _placed,
    "OrderCancelled": _cancelled,
    "OrderLinesCancelled": _cancelled,
    "OrderCompleted": _plain("The order is complete"),
    "OrderNeedsAttention": _attention,
    "AttentionResolved": _plain("A person has decided: {0.resolution}"),
    "HoldPlaced": _plain("It was put on hold ({0.type}): {0.reason}"),
    "HoldReleased": _plain("Hold {0.hold_id} was released: {0.reason}"),
    "OrderEditDeclined": _plain("Edit {0.edit_id} was declined: {0.reason}"),
    "PaymentAuthorized": _money("{amount} were authorized ({0.operation_id})"),
    "PaymentDeclined": _plain("{0.operation_id} was declined: {0.reason}"),
    "PaymentOperationRequested": _requested,
    "PaymentCaptured": _money("{amount} were captured ({0.operation_id})"),
    "PaymentVoided": _money("{amount} were let go ({0.operation_id})"),
    "PaymentRefunded": _money("{amount} were refunded ({0.operation_id})"),
    "PaymentOperationFailed": _plain("{0.operation_id} has failed: {0.reason}"),
    "PaymentDisputed": _money("{amount} are disputed: {0.reason}"),
    "RefundGranted": _granted,
    "OrderRouted": _routed,
    "OrderBackordered": _backordered,
    "OrderRoutingAbandoned": _plain("Its routing was given up: {0.reason}"),
    "FulfillmentOrderAccepted": _plain("{0.fulfillment_order_id} was accepted"),
    "FulfillmentOrderPicked": _plain("{0.fulfillment_order_id} was picked"),
    "FulfillmentOrderPacked": _plain("{0.fulfillment_order_id} was packed"),
    "FulfillmentOrderShipped": _shipped,
    "FulfillmentOrderDelivered": _plain("{0.fulfillment_order_id} was delivered"),
    "FulfillmentOrderReady": _plain("{0.fulfillment_order_id} can be collected"),
    "FulfillmentOrderCollected": _plain("{0.fulfillment_order_id} was collected"),
    "FulfillmentOrderRejected": _plain("{0.location_id} rejected its part: {0.reason}"),
    "FulfillmentOrderShortPicked": _plain("{0.location_id} picked less: {0.reason}"),
    "ParcelScanned": _scanned,
    "PromiseRevised": _plain("It is promised for {0.deliver_by} now: {0.reason}"),
    "ReturnRequested": _return_requested,
    "ReturnApproved": _plain("{0.return_id} was approved"),
    "ReturnDeclined": _plain("{0.return_id} was declined: {0.reason}"),
    "ReturnLabelIssued": _plain("{0.return_id} has a label: {0.carrier} {0.tracking_number}"),
    "ReturnParcelScanned": _scanned,
    "ReturnReceived": _plain("{0.return_id} was received at {0.location_id}"),
    "ReturnInspected": _plain("{0.return_id} was looked at"),
    "ReturnSettled": _settled,
    "ExchangePlaced": _plain("{0.linked_order} brings what replaces {0.return_id}"),
    "ReturnCompleted": _plain("{0.return_id} is complete"),
    "ReturnCancelled": _plain("{0.return_id} was called off: {0.reason}"),
    "ReturnExpired": _plain("{0.return_id} has expired"),
    "InquiryOpened": _plain("An inquiry was opened ({0.category}, by {0.origin.value})"),
    "InquiryClassified": _plain("It is {0.category} now, of {0.priority.value} priority"),
    "InquiryAssigned": _assigned,
    "InquiryMessageReceived": _plain("The customer has written"),
    "InquiryNoted": _plain("A note was made"),
    "InquiryAnswered": _answered,
    "InquiryResolved": _resolved,
    "InquiryReopened": _reopened,
    "InquiryOverdue": _plain("It is overdue: {0.missed.value}"),
    "InquiryClosed": _plain("The inquiry was closed"),
}
