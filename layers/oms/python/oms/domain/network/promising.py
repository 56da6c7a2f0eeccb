"""What can be promised to a destination: by each method, from when on and at what cost.

A promise is made of what is there now and reserves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from oms.domain.locations import Location
from oms.domain.network.capacity import full_days
from oms.domain.network.lanes import Basis
from oms.domain.network.quoting import Quote, quote
from oms.domain.network.rates import Load, Tables

if TYPE_CHECKING:
    from oms.domain.routing.decision import Destination

STANDARD = "standard"  # the method of a network that names none


@dataclass(frozen=True, slots=True)
class Asked:
    """Units of a SKU, and how many of them each location can promise."""

    load: Load
    available: Mapping[str, int]

    def fits(self, location: Location) -> bool:
        return self.available.get(location.location_id, 0) >= self.load.quantity


@dataclass(frozen=True, slots=True)
class Leg:
    """What one location would ship; `items` are places in what was asked."""

    location_id: str
    ship_by: datetime
    deliver_by: date | None
    items: tuple[int, ...]
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """By one method, for all that was asked; `deliver_by` only where every carrier tells.

    `cost` is what the shipments cost us, in minor units, not what the buyer pays.
    """

    method: str
    ship_by: datetime
    deliver_by: date | None
    cost: int
    location_ids: tuple[str, ...]
    legs: tuple[Leg, ...] = ()

    @property
    def confidence(self) -> int:
        """With how many percent all of it is there by then; 0 where a carrier's table alone tells.
        What may be late in one part may be in another."""
        known = [leg.basis.confidence if leg.basis else 0 for leg in self.legs]
        return max(0, 100 - sum(100 - each for each in known)) if known and all(known) else 0

    @property
    def parcels(self) -> int:
        """That were measured, of the leg of which the fewest were."""
        return min((leg.basis.parcels if leg.basis else 0 for leg in self.legs), default=0)


def methods_of(locations: Sequence[Location], tables: Tables) -> tuple[str, ...]:
    named = {method for location in locations for method in location.methods}
    return tuple(sorted(named | set(tables.methods))) or (STANDARD,)


def promises(
    destination: Destination,
    asked: Sequence[Asked],
    locations: Sequence[Location],
    tables: Tables,
    at: datetime,
    left: Mapping[tuple[str, date], int] | None = None,
) -> tuple[Promise, ...]:
    """One for each method by which all of it can go, in the order of their names.

    From one location if any has it all, else each SKU from the one that has it first. `left` is
    the capacity of locations with a limit, by location and day.
    """
    if not asked:
        return ()
    open_ = [location for location in locations if location.active]
    found = (
        _promise(method, destination, asked, open_, tables, at, left or {})
        for method in methods_of(open_, tables)
    )
    return tuple(promise for promise in found if promise is not None)


def _promise(
    method: str,
    destination: Destination,
    asked: Sequence[Asked],
    locations: Sequence[Location],
    tables: Tables,
    at: datetime,
    left: Mapping[tuple[str, date], int],
) -> Promise | None:
    def best(places: Sequence[int]) -> _Shipment | None:
        """The soonest of the locations that have all of it, the cheapest of those."""
        wanted = [asked[place] for place in places]
        found = (
            _shipment(location, destination, method, wanted, tables, at, left)
            for location in locations
            if all(each.fits(location) for each in wanted)
        )
        shipments = (replace(each, items=tuple(places)) for each in found if each is not None)
        return min(shipments, key=_Shipment.rank, default=None)

    if (whole := best(range(len(asked)))) is not None:
        return _told(method, [whole])
    parts = [best([place]) for place in range(len(asked))]
    known = [part for part in parts if part is not None]
    return _told(method, known) if len(known) == len(parts) else None


@dataclass(frozen=True, slots=True)
class _Shipment:
    quote: Quote
    units: int
    items: tuple[int, ...] = ()

    @property
    def cost(self) -> int:
        return self.quote.fixed_cost + self.units

    def rank(self) -> tuple[date, datetime, int, str]:
        quote = self.quote
        return quote.deliver_by or date.max, quote.ship_by, self.cost, quote.location_id


def _shipment(
    location: Location,
    destination: Destination,
    method: str,
    wanted: Sequence[Asked],
    tables: Tables,
    at: datetime,
    left: Mapping[tuple[str, date], int],
) -> _Shipment | None:
    loads = [each.load for each in wanted]
    full = full_days(left, location.location_id, sum(load.quantity for load in loads))
    found = quote(location, destination, method, loads, tables, at, full)
    if not isinstance(found, Quote):
        return None
    return _Shipment(found, found.cost(loads) - found.fixed_cost)


def _told(method: str, shipments: Sequence[_Shipment]) -> Promise:
    """What goes from one location goes in one shipment: its fixed cost is paid once."""
    by_location = {each.quote.location_id: each.quote for each in shipments}
    arrivals = [each.quote.deliver_by for each in shipments]
    known = [day for day in arrivals if day is not None]
    fixed = sum(quote.fixed_cost for quote in by_location.values())
    return Promise(
        method,
        max(each.quote.ship_by for each in shipments),
        max(known) if len(known) == len(arrivals) else None,
        fixed + sum(each.units for each in shipments),
        tuple(sorted(by_location)),
        tuple(_legs(shipments)),
    )


def _legs(shipments: Sequence[_Shipment]) -> Iterator[Leg]:
    """One of each location: what goes from there leaves with the last of it."""
    for location_id in sorted({each.quote.location_id for each in shipments}):
        here = [each for each in shipments if each.quote.location_id == location_id]
        quotes = [each.quote for each in here]
        last = max(quotes, key=lambda found: (found.deliver_by or date.max, found.ship_by))
        items = tuple(sorted(item for each in here for item in each.items))
        yield Leg(location_id, last.ship_by, last.deliver_by, items, last.basis)
