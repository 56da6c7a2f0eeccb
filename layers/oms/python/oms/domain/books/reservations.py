"""Whose the reserved units are: what the ledger has for an order is what the order holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from oms.domain.books.difference import Difference
from oms.domain.order import Order

HELD = "a reservation is what its order holds"

Place = tuple[str, str]  # stock item and location
Whose = tuple[str, str]  # location and reservation, of one stock item


def held_by(order: Order) -> Iterator[tuple[str, Whose, int]]:
    """Units of stock items that lie in warehouses for the order; of a kit, those of its parts."""
    for each in order.fulfillment_orders:
        whose = each.location_id, each.fulfillment_order_id
        for q in each.lines if each.in_warehouse else ():
            for part in order.line(q.line_id).parts:
                yield part.item, whose, part.quantity * q.quantity


def held_of(order: Order, sku: str) -> Counter[Whose]:
    held: Counter[Whose] = Counter()
    for item, whose, units in held_by(order):
        if item == sku:
            held[whose] += units
    return held


def is_moving(order: Order) -> bool:
    """Its stock is moved in batches at this time: some of it is in the counters, some is not."""
    return bool(order.owed_stock) or order.routing_plan is not None


def suspects(held: Mapping[Whose, int], reserved: Mapping[Whose, int]) -> set[Whose]:
    """What differs, were it all of one moment; it has to be looked at again."""
    return {
        whose
        for whose in held.keys() | reserved.keys()
        if held.get(whose, 0) != reserved.get(whose, 0)
    }


def unmatched(
    sku: str, held: Mapping[Whose, int], reserved: Mapping[Whose, int]
) -> Iterator[Difference]:
    """Units without a name were reserved before reservations had names: they are anybody's."""
    unnamed = Counter({location: units for (location, name), units in reserved.items() if not name})
    for location, name in sorted(suspects(held, reserved)):
        expected, actual = held.get((location, name), 0), reserved.get((location, name), 0)
        spared = min(unnamed[location], max(0, expected - actual))
        unnamed[location] -= spared
        if name and expected != actual + spared:
            yield Difference(f"{sku} {location} {name}", HELD, expected, actual)
