"""What a template can say of an order, for each kind of notice: from what the order is now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from oms.domain.fulfillment import COLLECT_WITHIN, Quantity, quantities, totals
from oms.domain.notices.templates import Value
from oms.domain.notices.wording import written_amount, written_number
from oms.domain.order import Order
from oms.domain.payment import OperationKind
from oms.domain.returns import Reception, Resolution
from oms.domain.written_days import written_day

MAX_ITEMS = 50
# Reasons of ours, by which customers learn why; any other is their own wish.
WHY = ("out_of_stock", "not_collected")
AS = {
    Resolution.REFUND: "as_refund",
    Resolution.STORE_CREDIT: "as_store_credit",
    Resolution.GIFT_CARD: "as_gift_card",
    Resolution.EXCHANGE: "as_exchange",
    Resolution.REPLACEMENT: "as_exchange",
}
Said = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Told:
    """An event, the order as it is now, and the language that numbers and days are written in."""

    kind: str
    order: Order
    data: Mapping[str, Any]
    language: str = "en"

    def amount(self, minor: int) -> str:
        return written_amount(minor, self.order.currency, self.language) if minor else ""

    def day(self, said: str | datetime | None) -> str:
        if not said:
            return ""
        when = said.date() if isinstance(said, datetime) else date.fromisoformat(said)
        return written_day(when, self.language)

    def items(self, units: Iterable[Quantity]) -> Said:
        skus = {line.line_id: line.sku for line in self.order.lines}
        return self.listed([(each.quantity, skus[each.line_id]) for each in units])

    def listed(self, units: list[tuple[int, str]]) -> Said:
        shown = [
            {"quantity": written_number(quantity, self.language), "sku": sku}
            for quantity, sku in units[:MAX_ITEMS]
        ]
        more = len(units) - MAX_ITEMS
        return {
            "items": shown,
            "has_items": bool(shown),
            "more_items": written_number(more, self.language) if more > 0 else "",
        }


def values_of(told: Told, name: str, page: str) -> Said:
    said: Said = {"order_number": told.order.external_id, "customer_name": name, "page": page}
    return said | told.listed([]) | VALUES[told.kind](told)


def _confirmed(told: Told) -> Said:
    lines = [(line.quantity, line.sku) for line in told.order.lines]
    return told.listed(lines) | {"total": _always(told, told.order.total)}


def _always(told: Told, minor: int) -> str:
    """Of nothing, too."""
    return written_amount(minor, told.order.currency, told.language)


def _shipped(told: Told) -> Said:
    shipped = told.order.fulfillment_order(told.data["fulfillment_order_id"])
    parcels = [{"carrier": x.carrier, "number": x.tracking_number} for x in shipped.parcels]
    return told.items(shipped.lines) | {"parcels": parcels}


def _delivered(told: Told) -> Said:
    return told.items(told.order.fulfillment_order(told.data["fulfillment_order_id"]).lines)


def _ready(told: Told) -> Said:
    return _delivered(told) | {
        "location": str(told.data["location_id"]),
        "keep_days": str(COLLECT_WITHIN.days),
    }


def _cancelled(told: Told) -> Said:
    expired = bool(told.data.get("expired"))
    return {**({} if expired else _why(told)), "expired": expired, **_money_returned(told)}


def _why(told: Told) -> Said:
    return {each: told.data.get("reason") == each for each in WHY}


def _money_returned(told: Told) -> Said:
    refund = told.amount(told.order.payment.committed(OperationKind.REFUND))
    return {"refund": refund, "not_charged": not refund and not told.order.payment.captured}


def _lines_cancelled(told: Told) -> Said:
    units = (Quantity(each["line_id"], each["quantity"]) for each in told.data["units"])
    return told.items(quantities(totals(units))) | _why(told) | _money_returned(told)


def _backordered(told: Told) -> Said:
    short = (Quantity(each["line_id"], each["quantity"]) for each in told.data["lines"])
    return told.items(short) | _expected(told) | {"preorder": bool(told.data.get("preorder"))}


def _rescheduled(told: Told) -> Said:
    waiting = {each: told.order.line(each).backordered for each in told.data["line_ids"]}
    return told.items(quantities(waiting)) | _expected(told)


def _expected(told: Told) -> Said:
    return {"expected_on": told.day(told.data.get("expected_on"))}


def _released(told: Told) -> Said:
    lines = (told.order.line(each.line_id) for each in told.order.backorders)
    return told.items(quantities({line.line_id: line.open for line in lines}))


def _edited(told: Told) -> Said:
    """As it is now; what was taken out, and what was not there before, it does not tell apart."""
    order = told.order
    kept = (Quantity(x.line_id, x.quantity - x.cancelled) for x in order.lines)
    refund = order.payment.committed(OperationKind.REFUND) - order.payment.refunded
    return told.items(each for each in kept if each.quantity) | {
        "total": _always(told, order.payable),
        "new_address": bool(told.data["edit"]["changes"].get("contact")),
        "refund": told.amount(refund),
    }


def _return_approved(told: Told) -> Said:
    found = told.order.return_(told.data["return_id"])
    terms = found.terms
    return _returned(told) | {
        "keep": terms.keep,
        "in_store": found.in_store,
        "hand_over_by": "" if terms.keep else told.day(found.expires_at),
        "fee_percent": f"{terms.restocking_fee_bp / 100:g}" if terms.restocking_fee_bp else "",
        "return_shipping": told.amount(terms.return_shipping),
    }


def _returned(told: Told) -> Said:
    lines = told.order.return_(told.data["return_id"]).lines
    return told.items(Quantity(each.line_id, each.quantity) for each in lines)


def _return_received(told: Told) -> Said:
    came = (x for x in told.data["lines"] if x.get("reception", "received") == Reception.RECEIVED)
    units = (Quantity(each["line_id"], each["quantity"]) for each in came)
    return told.items(quantities(totals(units)))


def _return_settled(told: Told) -> Said:
    found = told.order.return_(told.data["return_id"])
    units = (Quantity(each["line_id"], each["quantity"]) for each in told.data["lines"])
    return told.items(units) | _credited(told) | {AS[found.resolution]: True}


def _credited(told: Told) -> Said:
    return {"amount": told.amount(told.data["credit"]["amount"])}


def _revised(told: Told) -> Said:
    undelivered = (Quantity(x.line_id, x.allocated + x.shipped) for x in told.order.lines)
    return told.items(each for each in undelivered if each.quantity) | {
        "day": told.day(told.data["deliver_by"]),
        "before": told.day(told.data["instead_of"]),
    }


VALUES: Mapping[str, Callable[[Told], Said]] = {
    "PaymentAuthorized": _confirmed,
    "OrderBackordered": _backordered,
    "BackorderRescheduled": _rescheduled,
    "BackorderReleased": _released,
    "FulfillmentOrderShipped": _shipped,
    "FulfillmentOrderDelivered": _delivered,
    "FulfillmentOrderReady": _ready,
    "OrderLinesCancelled": _lines_cancelled,
    "OrderCancelled": _cancelled,
    "OrderEdited": _edited,
    "ReturnApproved": _return_approved,
    "ReturnDeclined": _returned,
    "ReturnReceived": _return_received,
    "ReturnSettled": _return_settled,
    "ReturnExpired": _returned,
    "RefundGranted": _credited,
    "PromiseRevised": _revised,
}
