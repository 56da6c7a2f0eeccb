"""Sales: what was ordered, what of it was called off, what was given back.

Money is in minor units and as the channel states its prices: with tax inside where they include it.

gross       price times units, of all that was ordered
discounts   taken off: the lines' own, and their shares of the order's
cancelled   what units that were cancelled had cost, less their discounts
returned    of refunds, what was for goods that came back, less their discounts, and for goodwill
refunds     cancelled and returned: what of the goods' price the customer does not pay, or has back
net         gross less discounts and refunds: what of the goods' price stays with the shop. Shipping
            and taxes are apart, and not in it
refunded    all that was granted beside cancellations, with shipping, taxes, and less its fees

An order counts on the day it was placed; what cancels, edits or refunds it, on its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from oms.domain import events as e
from oms.domain.fulfillment import Quantity
from oms.domain.lines import Line, Shipping
from oms.domain.order import Order
from oms.domain.refunds import Credit, PartKind
from oms.domain.reporting.base import (
    Count,
    Known,
    Told,
    day_bucket,
    hour_bucket,
    month_bucket,
)

SALES = "sales"
MARKET, SKU, LOCATION = "market", "sku", "location"
BUYERS, BUYERS_BY_COUNTRY = "buyers", "buyers_by_country"
GOODS = frozenset({PartKind.PRICE, PartKind.DISCOUNT, PartKind.GOODWILL})

Figures = dict[str, int]
Buckets = tuple[str, ...]


class Sales:
    name = SALES
    kinds: frozenset[type[Any]] = frozenset(
        {
            e.OrderPlaced,
            e.OrderLinesCancelled,
            e.OrderCancelled,
            e.OrderEdited,
            e.RefundGranted,
            e.ReturnSettled,
            e.FulfillmentOrderShipped,
            e.FulfillmentOrderCollected,
        }
    )

    def counts(self, told: Told, known: Known) -> Iterable[Count]:
        return COUNTED[type(told.event)](told, known)

    def remembers(self, told: Told) -> Mapping[str, str]:  # noqa: ARG002
        return {}


def placed(told: Told, known: Known) -> Iterator[Count]:
    event: e.OrderPlaced = told.event
    days = _days(event.placed_at, known)
    yield from _of_market(known, event.placed_at, figures_of(event))
    yield from _of_skus(known, days, _sold(event.lines), orders=1)
    yield from _of_buyers(known, days[-1])


def cancelled(told: Told, known: Known) -> Iterator[Count]:
    """The last units of a line are the first to go."""
    event: e.OrderCancelled | e.OrderLinesCancelled = told.event
    by_sku, units = _called_off(known.order(), event.units), _units(event.units)
    figures = {
        "cancelled_orders": int(isinstance(event, e.OrderCancelled)),
        "cancelled_units": units,
        "cancelled": sum(each["cancelled"] for each in by_sku.values()),
    }
    yield from _of_market(known, told.at, figures)
    yield from _of_skus(known, _days(told.at, known), by_sku)


def edited(told: Told, known: Known) -> Iterator[Count]:
    """What it adds is sold, what it takes away is cancelled."""
    event: e.OrderEdited = told.event
    by_sku = _called_off(known.order(), event.units)
    added, now = event.edit.changes.added, event.edit.changes.shipping
    before = event.shipping_before if now else None
    figures = _figures_of_lines(added) | {
        "shipping": (now.price if now else 0) - (before.price if before else 0),
        "cancelled_units": _units(event.units),
        "cancelled": sum(each["cancelled"] for each in by_sku.values()),
    }
    figures["taxes"] += _taxes(now) - _taxes(before)
    yield from _of_market(known, told.at, figures)
    yield from _of_skus(known, _days(told.at, known), _summed([by_sku, _sold(added)]))


def refunded(told: Told, known: Known) -> Iterator[Count]:
    """A replacement gives no money."""
    event: e.RefundGranted | e.ReturnSettled = told.event
    came_back = event.lines if isinstance(event, e.ReturnSettled) else ()
    figures = {
        "refund_count": int(event.credit.amount > 0),
        "refunded": event.credit.amount,
        "returned": sum(_goods(event.credit).values()),
        "returned_units": _units(came_back),
    }
    yield from _of_market(known, told.at, figures)
    by_sku = _given_back(known.order(), event.credit, came_back)
    yield from _of_skus(known, _days(told.at, known), by_sku)


def shipped(told: Told, known: Known) -> Iterator[Count]:
    event: e.FulfillmentOrderShipped = told.event
    lines = [line for parcel in event.parcels for line in parcel.lines]
    yield from _of_location(told, known, event.location_id, lines)


def collected(told: Told, known: Known) -> Iterator[Count]:
    """What was brought to the store has left its location before."""
    event: e.FulfillmentOrderCollected = told.event
    box = known.order().fulfillment_order(event.fulfillment_order_id)
    if box.in_warehouse:
        yield from _of_location(told, known, event.location_id, box.lines)


COUNTED: dict[type[Any], Callable[[Told, Known], Iterable[Count]]] = {
    e.OrderPlaced: placed,
    e.OrderLinesCancelled: cancelled,
    e.OrderCancelled: cancelled,
    e.OrderEdited: edited,
    e.RefundGranted: refunded,
    e.ReturnSettled: refunded,
    e.FulfillmentOrderShipped: shipped,
    e.FulfillmentOrderCollected: collected,
}


def figures_of(event: e.OrderPlaced) -> Figures:
    figures = _figures_of_lines(event.lines) | {"orders": 1, "shipping": event.shipping.price}
    figures["taxes"] += _taxes(event.shipping)
    return figures


def discounts_of(line: Line) -> int:
    return sum(each.amount for each in line.discounts) + line.order_discount


def worth(line: Line, start: int, count: int) -> tuple[int, int]:
    """Price of the units `start … start+count-1`, and the discounts on them."""
    discounts = sum(share for _, share in line.discount_shares(start, count))
    return line.unit_price * count, discounts


def _figures_of_lines(lines: Iterable[Line]) -> Figures:
    figures = Counter({"units": 0, "gross": 0, "discounts": 0, "taxes": 0})
    for line in lines:
        figures["units"] += line.quantity
        figures["gross"] += line.gross
        figures["discounts"] += discounts_of(line)
        figures["taxes"] += sum(tax.amount for tax in line.taxes)
    return dict(figures)


def _taxes(shipping: Shipping | None) -> int:
    return sum(tax.amount for tax in shipping.taxes) if shipping else 0


def _units(lines: Iterable[Quantity | e.CancelledUnits]) -> int:
    return sum(line.quantity for line in lines)


def _sold(lines: Iterable[Line]) -> dict[str, Figures]:
    return _by_sku((line.sku, _figures_of_lines([line])) for line in lines)


def _called_off(order: Order, units: Iterable[e.CancelledUnits]) -> dict[str, Figures]:
    gone: Counter[str] = Counter()
    for unit in units:
        gone[unit.line_id] += unit.quantity
    return _by_sku(
        (line.sku, _called_off_line(line, gone[line.line_id]))
        for line in order.lines
        if line.line_id in gone
    )


def _called_off_line(line: Line, count: int) -> Figures:
    gross, discounts = worth(line, line.quantity - line.cancelled - count, count)
    return {"cancelled_units": count, "cancelled": gross - discounts}


def _goods(credit: Credit) -> dict[str, int]:
    """What was for goods and goodwill, by line; under no line, what is for the whole order."""
    found: Counter[str] = Counter()
    for part in credit.parts:
        if part.kind in GOODS:
            found[part.line_id] += part.amount
    return found


def _given_back(order: Order, credit: Credit, came_back: Iterable[Quantity]) -> dict[str, Figures]:
    """What is for the whole order is no SKU's."""
    goods = _goods(credit)
    goods.pop("", None)
    figures = [(order.line(line_id).sku, {"returned": sum_}) for line_id, sum_ in goods.items()]
    units = [(order.line(q.line_id).sku, {"returned_units": q.quantity}) for q in came_back]
    return _by_sku([*figures, *units])


def _by_sku(figures: Iterable[tuple[str, Figures]]) -> dict[str, Figures]:
    return _summed({sku: each} for sku, each in figures)


def _summed(many: Iterable[Mapping[str, Figures]]) -> dict[str, Figures]:
    found: dict[str, Counter[str]] = {}
    for each in many:
        for sku, figures in each.items():
            found.setdefault(sku, Counter()).update(figures)
    return {sku: dict(figures) for sku, figures in found.items()}


def _days(at: Any, known: Known) -> Buckets:
    return day_bucket(at, known.zone), month_bucket(at, known.zone)


def _of_market(known: Known, at: Any, figures: Figures) -> Iterator[Count]:
    header = known.header()
    market = (header.channel, header.currency, header.country)
    for bucket in (hour_bucket(at), *_days(at, known)):
        yield Count(SALES, MARKET, bucket, market, figures)


def _of_skus(
    known: Known, buckets: Buckets, by_sku: Mapping[str, Figures], **more: int
) -> Iterator[Count]:
    currency = known.header().currency
    for sku, figures in by_sku.items():
        for bucket in buckets:
            yield Count(SALES, SKU, bucket, (sku, currency), {**figures, **more})


def _of_buyers(known: Known, month: str) -> Iterator[Count]:
    header, one = known.header(), {"customers": 1}
    who = header.customer_id
    yield Count(SALES, BUYERS, month, (header.currency,), one, once=who)
    of = (header.currency, header.country)
    yield Count(SALES, BUYERS_BY_COUNTRY, month, of, one, once=who)


def _of_location(
    told: Told, known: Known, location: str, lines: Iterable[Quantity]
) -> Iterator[Count]:
    """The first units of a line are the first to leave."""
    sent: Counter[str] = Counter()
    for quantity in lines:
        sent[quantity.line_id] += quantity.quantity
    order = known.order()
    figures = {"shipped_units": sent.total(), "shipped_gross": 0, "shipped_discounts": 0}
    for line_id, count in sent.items():
        line = order.line(line_id)
        gross, discounts = worth(line, line.dispatched, count)
        figures["shipped_gross"] += gross
        figures["shipped_discounts"] += discounts
    for bucket in _days(told.at, known):
        yield Count(SALES, LOCATION, bucket, (location, order.currency), figures)
