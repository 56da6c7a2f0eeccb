"""What speaks against a location before any plan is made, each thing by its name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from oms.domain.routing.decision import (
    BREAKS_PROMISE,
    METHOD_NOT_OFFERED,
    NO_CAPACITY,
    NO_PICKUP,
    NO_STOCK,
    NOT_THE_PICKUP_LOCATION,
    TAG_NOT_HANDLED,
)
from oms.domain.routing.rules import Effective
from oms.domain.routing.snapshot import LocationFacts, OrderFacts, Wanted


def objections(order: OrderFacts, location: LocationFacts, rules: Effective) -> Iterator[str]:
    yield from filter(None, (location.closed, location.refused))
    yield from _by_delivery(order, location)
    yield from rules.exclusions(location)
    yield from _by_stock(order, location)
    if rules.hard_promise and is_late(order, location):
        yield BREAKS_PROMISE


def _by_delivery(order: OrderFacts, location: LocationFacts) -> Iterator[str]:
    offered = not location.methods or bool(order.store) or order.method in location.methods
    if not offered:
        yield METHOD_NOT_OFFERED
    if order.pickup_location and location.location_id != order.pickup_location:
        yield NOT_THE_PICKUP_LOCATION
    elif order.pickup_location and not location.pickup:
        yield NO_PICKUP
    if location.unreachable and (offered or location.unreachable != METHOD_NOT_OFFERED):
        yield location.unreachable


def _by_stock(order: OrderFacts, location: LocationFacts) -> Iterator[str]:
    stocked = [wanted for wanted in order.wanted if units_of(wanted, location)]
    if not stocked:
        yield NO_STOCK
    elif not any(handles(location, wanted) for wanted in stocked):
        yield TAG_NOT_HANDLED
    if location.capacity == 0:
        yield NO_CAPACITY


def units_of(wanted: Wanted, location: LocationFacts) -> int:
    """Whole units that the stock of all parts suffices for, if nothing else is taken."""
    available = dict(location.available)
    takes = per_unit(wanted).items()
    return max(0, min(available.get(item, 0) // units for item, units in takes))


def per_unit(wanted: Wanted) -> dict[str, int]:
    """Units of each stock item in one of the line; an item named twice is summed."""
    takes: dict[str, int] = {}
    for part in wanted.parts:
        takes[part.item] = takes.get(part.item, 0) + part.quantity
    return takes


def handles(location: LocationFacts, wanted: Wanted) -> bool:
    return set(wanted.tags) <= set(location.handles)


def is_late(order: OrderFacts, location: LocationFacts) -> bool:
    """A location that cannot say when it delivers keeps no promise."""
    return order.deliver_by is not None and arrival(location) > order.deliver_by


def arrival(location: LocationFacts) -> date:
    return location.deliver_by or date.max
