"""Returns: how much comes back, why, what becomes of it, and what that costs.

sold_units       units that left for customers, collected ones too: what a rate is of
returns          that were asked for; asked_units of them, by reason; declined: of the returns
received_units   that came back; damaged_units of them
<disposition>    units that were judged so at inspection; refused_units: that are not taken back
credited         what was given for them, in minor units; fees: what was taken off, as a positive
                 amount; goods: of what was credited, for the goods themselves

Each counts on the day it happened: the rate of a day is of what left on that day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from oms.domain import events as e
from oms.domain.order import Order
from oms.domain.refunds import Credit, PartKind
from oms.domain.reporting.base import Count, Known, Told, day_bucket, month_bucket
from oms.domain.returns import Acceptance, Disposition, Reception

RETURNS = "returns"
MARKET, SKU, REASON, DISPOSITION = "market", "sku", "reason", "disposition"
GOODS = frozenset({PartKind.PRICE, PartKind.DISCOUNT})
JUDGED = tuple(f"{each}_units" for each in Disposition)

Figures = Mapping[str, int]
BySku = Mapping[str, Figures]


class Returns:
    name = RETURNS
    kinds: frozenset[type[Any]] = frozenset(
        {
            e.FulfillmentOrderShipped,
            e.FulfillmentOrderCollected,
            e.ReturnRequested,
            e.ReturnDeclined,
            e.ReturnReceived,
            e.ReturnInspected,
            e.ReturnSettled,
        }
    )

    def counts(self, told: Told, known: Known) -> Iterable[Count]:
        return COUNTED[type(told.event)](told, known)

    def remembers(self, told: Told) -> Mapping[str, str]:  # noqa: ARG002
        return {}


def sold(told: Told, known: Known) -> Iterator[Count]:
    """What was brought to a store has left before it is collected there."""
    order = known.order()
    box = order.fulfillment_order(told.event.fulfillment_order_id)
    if box.in_warehouse:
        yield from _units(told, known, order, "sold_units", box.lines)


def requested(told: Told, known: Known) -> Iterator[Count]:
    event: e.ReturnRequested = told.event
    yield from _of_market(told, known, {"returns": 1})
    yield from _units(told, known, known.order(), "asked_units", event.lines)
    by_reason: Counter[str] = Counter()
    for line in event.lines:
        by_reason[line.reason] += line.quantity
    for reason, units in by_reason.items():
        of = (reason, str(event.resolution))
        yield from _of(REASON, of, told, known, {"asked_units": units})


def declined(told: Told, known: Known) -> Iterator[Count]:
    yield from _of_market(told, known, {"declined": 1})


def received(told: Told, known: Known) -> Iterator[Count]:
    event: e.ReturnReceived = told.event
    came = [each for each in event.lines if each.reception is Reception.RECEIVED]
    order = known.order()
    yield from _units(told, known, order, "received_units", [*came, *event.unexpected])
    yield from _units(told, known, order, "damaged_units", [x for x in came if x.damaged])


def inspected(told: Told, known: Known) -> Iterator[Count]:
    event: e.ReturnInspected = told.event
    order = known.order()
    for each in event.lines:
        accepted = each.acceptance is Acceptance.ACCEPTED
        name = f"{each.disposition}_units" if accepted else "refused_units"
        if each.acceptance is not Acceptance.MANUAL_REVIEW:
            yield from _units(told, known, order, name, [each])
            of = (str(each.disposition), each.location_id)
            yield from _of(DISPOSITION, of, told, known, {"judged_units": each.quantity})


def settled(told: Told, known: Known) -> Iterator[Count]:
    event: e.ReturnSettled = told.event
    figures = {
        "credited": event.credit.amount,
        "goods": _goods(event.credit).total(),
        "fees": -sum(
            part.amount for part in event.credit.parts if part.amount < 0 and _is_fee(part.kind)
        ),
    }
    yield from _of_market(told, known, figures)
    order = known.order()
    for sku, amount in _by_sku(order, _goods(event.credit)).items():
        yield from _of(SKU, (sku, order.currency), told, known, {"goods": amount})


COUNTED: dict[type[Any], Callable[[Told, Known], Iterable[Count]]] = {
    e.FulfillmentOrderShipped: sold,
    e.FulfillmentOrderCollected: sold,
    e.ReturnRequested: requested,
    e.ReturnDeclined: declined,
    e.ReturnReceived: received,
    e.ReturnInspected: inspected,
    e.ReturnSettled: settled,
}


def _is_fee(kind: PartKind) -> bool:
    return kind in (PartKind.RESTOCKING_FEE, PartKind.RETURN_SHIPPING)


def _goods(credit: Credit) -> Counter[str]:
    """What was for goods, by line."""
    found: Counter[str] = Counter()
    for part in credit.parts:
        if part.kind in GOODS:
            found[part.line_id] += part.amount
    return found


def _by_sku(order: Order, by_line: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for line_id, count in by_line.items():
        if line_id:
            found[order.line(line_id).sku] += count
    return found


def _units(
    told: Told, known: Known, order: Order, name: str, lines: Iterable[Any]
) -> Iterator[Count]:
    """Of the market, and of each SKU."""
    by_line: Counter[str] = Counter()
    for each in lines:
        by_line[each.line_id] += each.quantity
    if not by_line:
        return
    yield from _of_market(told, known, {name: by_line.total()})
    for sku, units in _by_sku(order, by_line).items():
        yield from _of(SKU, (sku, order.currency), told, known, {name: units})


def _of_market(told: Told, known: Known, figures: Figures) -> Iterator[Count]:
    header = known.header()
    of = (header.channel, header.currency, header.country)
    return _of(MARKET, of, told, known, figures)


def _of(
    axis: str, of: tuple[str, ...], told: Told, known: Known, figures: Figures
) -> Iterator[Count]:
    for bucket in (day_bucket(told.at, known.zone), month_bucket(told.at, known.zone)):
        yield Count(RETURNS, axis, bucket, of, figures)
