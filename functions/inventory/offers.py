"""Availability as it is answered."""

from __future__ import annotations

from oms.adapters.offers import Offers
from oms.contracts.api.inventory import (
    AvailabilityItem,
    BackorderView,
    IncomingView,
    PlaceAvailability,
)


def answer(sku: str, found: Offers, *, by_location: bool) -> AvailabilityItem:
    if (known := found.offers.get(sku)) is None:
        return AvailabilityItem(sku, 0, locations=[] if by_location else None)
    places = [PlaceAvailability(*each) for each in known.locations]
    return AvailabilityItem(
        sku,
        known.available,
        locations=places if by_location else None,
        incoming=[IncomingView(*each) for each in known.incoming],
        backorder=BackorderView(known.backorders.mode, known.expected_on, known.backorders.limit),
    )
