"""Fulfillment: how long each step takes, what leaves and arrives in time, who cannot do what.

routed_orders    orders whose first plan was made; split_orders: of them, from several locations;
                 planned_cost: what those plans cost by the carriers' cards and the locations'
                 own costs, in minor units, which is what it costs to serve an order
assigned         fulfillment orders that a location was given; rejected, short_picked: that it could
                 not do, or not whole; shipped: that left it, collected ones too
due, on_time     of those that left: with a time at which the carrier had to have them; kept
arrived          that the customer has; promised, kept: with a day of arrival, and by it
<step>_seconds   the time of all that took the step, their number is <step>_count: picking (assigned
                 to picked), packing (picked to packed), leaving (packed to shipped), transit
                 (shipped to arrived)

Each counts when it happened. A step that was left out takes the time of the one before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from oms.domain import events as e
from oms.domain.fulfillment import FulfillmentOrder
from oms.domain.order import Fact
from oms.domain.reporting.base import Count, Known, Told, day_bucket, month_bucket

FULFILLMENT = "fulfillment"
LOCATION, CARRIER, MARKET = "location", "carrier", "market"
OF_STEPS = tuple(
    f"{step}_{what}" for step in ("picking", "packing", "leaving") for what in ("seconds", "count")
)

Figures = Mapping[str, int]
Steps = Mapping[type[Any], datetime]


class Fulfillment:
    name = FULFILLMENT
    kinds: frozenset[type[Any]] = frozenset(
        {
            e.OrderRouted,
            e.FulfillmentOrderRejected,
            e.FulfillmentOrderShortPicked,
            e.FulfillmentOrderShipped,
            e.FulfillmentOrderCollected,
            e.FulfillmentOrderDelivered,
        }
    )

    def counts(self, told: Told, known: Known) -> Iterable[Count]:
        return COUNTED[type(told.event)](told, known)

    def remembers(self, told: Told) -> Mapping[str, str]:  # noqa: ARG002
        return {}


def routed(told: Told, known: Known) -> Iterator[Count]:
    """Work that is routed again is assigned again; the order is split, or not, by its first."""
    event: e.OrderRouted = told.event
    for each in event.plan:
        yield from _of(
            LOCATION, (each.location_id, str(each.delivery)), told, known, {"assigned": 1}
        )
    if not known.order().fulfillment_orders:
        places = {each.location_id for each in event.plan}
        figures = {
            "planned_cost": event.record.cost,
            "routed_orders": 1,
            "split_orders": int(len(places) > 1),
            "boxes": len(event.plan),
        }
        yield from _of_market(told, known, figures)


def rejected(told: Told, known: Known) -> Iterator[Count]:
    yield from _of_location(told, known, {"rejected": 1})


def short_picked(told: Told, known: Known) -> Iterator[Count]:
    units = sum(each.quantity for each in told.event.lines)
    yield from _of_location(told, known, {"short_picked": 1, "missing_units": units})


def collected(told: Told, known: Known) -> Iterator[Count]:
    """The customer has it; what was brought to the store has left its location before."""
    box = known.order().fulfillment_order(told.event.fulfillment_order_id)
    if box.in_warehouse:
        yield from left(told, known)
    yield from _of_location(told, known, {"arrived": 1})


def left(told: Told, known: Known) -> Iterator[Count]:
    event: e.FulfillmentOrderShipped | e.FulfillmentOrderCollected = told.event
    box = known.order().fulfillment_order(event.fulfillment_order_id)
    figures = {
        "shipped": 1,
        "shipped_units": sum(each.quantity for each in box.lines),
        "due": int(box.ship_by is not None),
        "on_time": int(box.ship_by is not None and told.at <= box.ship_by),
        **_durations(_steps(known.facts(), box), told.at),
    }
    yield from _of_location(told, known, figures)
    if isinstance(event, e.FulfillmentOrderShipped):
        for carrier in sorted({parcel.carrier for parcel in event.parcels}):
            parcels = sum(parcel.carrier == carrier for parcel in event.parcels)
            yield from _of(CARRIER, (carrier,), told, known, {"sent": 1, "parcels": parcels})


def arrived(told: Told, known: Known) -> Iterator[Count]:
    """By the carrier's time, where it told one."""
    event: e.FulfillmentOrderDelivered = told.event
    box = known.order().fulfillment_order(event.fulfillment_order_id)
    at = _arrived_at(event, box) or told.at
    figures = {
        "arrived": 1,
        "promised": int(bool(box.deliver_by)),
        "kept": int(bool(box.deliver_by) and day_bucket(at, known.zone) <= box.deliver_by),
    }
    if (sent := _sent_at(known.facts(), box)) is not None:
        figures |= _taken("transit", sent, at)
    for carrier in sorted({parcel.carrier for parcel in box.parcels}):
        yield from _of(CARRIER, (carrier,), told, known, figures)
    yield from _of_location(told, known, {n: figures[n] for n in ("arrived", "promised", "kept")})


COUNTED: dict[type[Any], Callable[[Told, Known], Iterable[Count]]] = {
    e.OrderRouted: routed,
    e.FulfillmentOrderRejected: rejected,
    e.FulfillmentOrderShortPicked: short_picked,
    e.FulfillmentOrderShipped: left,
    e.FulfillmentOrderCollected: collected,
    e.FulfillmentOrderDelivered: arrived,
}


def _steps(facts: Sequence[Fact], box: FulfillmentOrder) -> Steps:
    """When each was last taken: work that is begun anew is timed anew."""
    found: dict[type[Any], datetime] = {}
    for fact in facts:
        if isinstance(fact.event, e.OrderRouted):
            if any(box.fulfillment_order_id == x.fulfillment_order_id for x in fact.event.plan):
                found[e.OrderRouted] = fact.at
        elif getattr(fact.event, "fulfillment_order_id", "") == box.fulfillment_order_id:
            found[type(fact.event)] = fact.at
    return found


def _durations(steps: Steps, left_at: datetime) -> Figures:
    figures: dict[str, int] = {}
    since = steps.get(e.OrderRouted)
    for name, at in (
        ("picking", steps.get(e.FulfillmentOrderPicked)),
        ("packing", steps.get(e.FulfillmentOrderPacked)),
        ("leaving", left_at),
    ):
        if at is not None and since is not None:
            figures |= _taken(name, since, at)
        since = at or since
    return figures


def _taken(step: str, since: datetime, at: datetime) -> Figures:
    seconds = max(0, int((at - since).total_seconds()))
    return {f"{step}_seconds": seconds, f"{step}_count": 1}


def _arrived_at(event: e.FulfillmentOrderDelivered, box: FulfillmentOrder) -> datetime | None:
    scans = [scan.at for scan in event.scanned.scans] if event.scanned else []
    known = [parcel.scanned_at for parcel in box.parcels if parcel.scanned_at]
    return max([*scans, *known], default=None)


def _sent_at(facts: Sequence[Fact], box: FulfillmentOrder) -> datetime | None:
    return _steps(facts, box).get(e.FulfillmentOrderShipped)


def _of_location(told: Told, known: Known, figures: Figures) -> Iterator[Count]:
    box = known.order().fulfillment_order(told.event.fulfillment_order_id)
    return _of(LOCATION, (box.location_id, str(box.delivery)), told, known, figures)


def _of_market(told: Told, known: Known, figures: Figures) -> Iterator[Count]:
    header = known.header()
    of = (header.channel, header.currency, header.country)
    return _of(MARKET, of, told, known, figures)


def _of(
    axis: str, of: tuple[str, ...], told: Told, known: Known, figures: Figures
) -> Iterator[Count]:
    for bucket in (day_bucket(told.at, known.zone), month_bucket(told.at, known.zone)):
        yield Count(FULFILLMENT, axis, bucket, of, figures)
