"""What it costs to ship from a location, and when that would arrive; or why it cannot be shipped.

The solver needs costs that add up: one of the shipment and one of each unit. A carrier's charge is
that from its first kilogram on, so what is further than the first is spread over the units by
their weight.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from oms.domain.locations import Location
from oms.domain.network.calendars import ShipDay, next_ship_day, nth_day
from oms.domain.network.geography import distance_km, place_of
from oms.domain.network.lanes import Basis, Lane, Measured
from oms.domain.network.rates import Card, Charge, Load, Tables, Transit

if TYPE_CHECKING:  # which itself knows locations
    from oms.domain.routing.decision import Destination

CROSS_BORDER_SURCHARGE = 1_500  # minor units, once per shipment, where no carrier's card tells


class Reason(StrEnum):
    METHOD_NOT_OFFERED = "method_not_offered"
    NO_ZONE = "no_zone"
    NO_RATE = "no_rate"
    TOO_HEAVY = "too_heavy"
    NO_SHIP_DAY = "no_ship_day"


@dataclass(frozen=True, slots=True)
class NoQuote:
    location_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Quote:
    """`unit_costs` are of one unit of each load, in the order of the loads.

    `ship_on` is the location's local day, `deliver_from` to `deliver_by` the destination's. Without
    a carrier: no card was there to ask. Without `deliver_by`: its card tells no transit time, and
    none was measured. `basis` says what the days were made of, where a carrier has a card.
    """

    location_id: str
    method: str
    fixed_cost: int
    unit_costs: tuple[int, ...]
    ship_on: date
    ship_by: datetime
    carrier: str = ""
    version: int = 0
    zone: str = ""
    deliver_from: date | None = None
    deliver_by: date | None = None
    distance_km: int | None = None
    basis: Basis | None = None

    def cost(self, loads: Sequence[Load]) -> int:
        units = zip(self.unit_costs, loads, strict=True)
        return self.fixed_cost + sum(cost * load.quantity for cost, load in units)


class _Offer(NamedTuple):
    """A carrier's charge for a destination, and what it makes of the loads."""

    card: Card
    charge: Charge
    fixed: int
    units: tuple[int, ...]


def quote(
    location: Location,
    destination: Destination,
    method: str,
    loads: Sequence[Load],
    tables: Tables,
    at: datetime,
    full: Collection[date] = (),
) -> Quote | NoQuote:
    """The cheapest that any carrier asks by this method, or by any where none is named.

    `full` are days on which the location has no capacity left.
    """
    if not location.offers(method):
        return NoQuote(location.location_id, Reason.METHOD_NOT_OFFERED)
    if not tables.cards:
        return _flat(location, destination, method, loads, at, full)
    km = kilometres(location, destination)
    offers = _offers(location, destination, method, loads, tables, km)
    if isinstance(offers, Reason):
        return NoQuote(location.location_id, offers)
    quotes = [_quoted(location, offer, tables, at, full, km) for offer in offers]
    known = [(_rank(each, loads), each) for each in quotes if each is not None]
    if not known:
        return NoQuote(location.location_id, Reason.NO_SHIP_DAY)
    return _with_clock(min(known, key=lambda each: each[0])[1], destination)


def _with_clock(found: Quote, destination: Destination) -> Quote:
    """Fifteen degrees of longitude are an hour."""
    there = place_of(destination.country, destination.postal_code)
    if found.basis is None or there is None:
        return found
    hours = round(there.point.longitude / 15)
    return replace(found, basis=replace(found.basis, utc_hours=hours))


def kilometres(location: Location, destination: Destination) -> int | None:
    here, there = location.place, place_of(destination.country, destination.postal_code)
    return round(distance_km(here.point, there.point)) if here and there else None


def _flat(
    location: Location,
    destination: Destination,
    method: str,
    loads: Sequence[Load],
    at: datetime,
    full: Collection[date],
) -> Quote | NoQuote:
    """Without cards: the location's own costs, and a surcharge over a border."""
    ship = next_ship_day(location.calendar, location.outages, method, at, full)
    if ship is None:
        return NoQuote(location.location_id, Reason.NO_SHIP_DAY)
    abroad = location.country != destination.country
    return Quote(
        location.location_id,
        method,
        location.fixed_cost + (CROSS_BORDER_SURCHARGE if abroad else 0),
        (location.unit_cost,) * len(loads),
        ship.day,
        ship.by,
        distance_km=kilometres(location, destination),
    )


def _offers(
    location: Location,
    destination: Destination,
    method: str,
    loads: Sequence[Load],
    tables: Tables,
    km: int | None,
) -> list[_Offer] | Reason:
    """Of every carrier that goes there and takes the goods, or how far the best of them got."""
    zones = [
        (card, zone)
        for card in tables.cards
        if (zone := tables.zone(card, location, destination.country, destination.postal_code, km))
        is not None
    ]
    charges = [
        (card, charge)
        for card, zone in zones
        for charge in tables.charges(card, zone, method)
        if location.offers(charge.method)
    ]
    offers = [o for each in charges if (o := _offer(location, *each, loads)) is not None]
    if offers:
        return offers
    return Reason.TOO_HEAVY if charges else Reason.NO_RATE if zones else Reason.NO_ZONE


def _offer(location: Location, card: Card, charge: Charge, loads: Sequence[Load]) -> _Offer | None:
    """None when a single unit is too heavy for a parcel."""
    grams = [load.billable_g(card.cm3_per_kg) for load in loads]
    if charge.max_g is not None and max(grams, default=0) > charge.max_g:
        return None
    fixed, units = _linear(charge, grams, [load.quantity for load in loads])
    units = tuple(location.unit_cost + each for each in units)
    return _Offer(card, charge, location.fixed_cost + fixed, units)


def _linear(
    charge: Charge, grams: Sequence[int], quantities: Sequence[int]
) -> tuple[int, tuple[int, ...]]:
    """The charge as a sum of the shipment's and each unit's, for all of these.

    What rounding makes of many light units is the shipment's, so all together cost what the
    carrier asks; a part that is lighter than the first kilogram of a parcel may cost up to that
    kilogram more.
    """
    total_g = sum(map(mul, grams, quantities))
    parcels = max(1, -(-total_g // charge.max_g)) if charge.max_g else 1
    further = total_g - parcels * charge.first_g
    if further <= 0:
        return parcels * charge.base, (0,) * len(grams)
    whole = parcels * charge.base + _rounded(charge.per_kg * further, 1_000)
    units = tuple(_rounded(charge.per_kg * each, 1_000) for each in grams)
    if sum(map(mul, units, quantities)) > whole:
        units = tuple(charge.per_kg * each // 1_000 for each in grams)
    return max(0, whole - sum(map(mul, units, quantities))), units


def _rounded(amount: int, parts: int) -> int:
    return (2 * amount + parts) // (2 * parts)


def _quoted(
    location: Location,
    offer: _Offer,
    tables: Tables,
    at: datetime,
    full: Collection[date],
    km: int | None,
) -> Quote | None:
    method, zone = offer.charge.method, offer.charge.zone
    ship = next_ship_day(location.calendar, location.outages, method, at, full)
    if ship is None:
        return None
    transit = tables.transit(offer.card, zone, method)
    basis = _basis(location, offer, transit, tables)
    arrives = _arrival(ship, transit, basis)
    return Quote(
        location.location_id,
        method,
        offer.fixed,
        offer.units,
        ship.day,
        ship.by,
        offer.card.carrier,
        offer.card.version,
        zone,
        *arrives,
        distance_km=km,
        basis=basis,
    )


def _basis(location: Location, offer: _Offer, transit: Transit | None, tables: Tables) -> Basis:
    """What the carrier's table tells, unless enough parcels have told better."""
    method, zone = offer.charge.method, offer.charge.zone
    known = tables.measured(Lane(offer.card.carrier, method, zone, location.location_id))
    told = transit.max_days if transit else None
    basis = Basis(
        offer.card.carrier,
        method,
        zone,
        offer.card.version,
        told,
        cut_off=location.calendar.cut_off(method),
        time_zone=location.calendar.time_zone,
    )
    basis = replace(basis, weekdays=transit.weekdays) if transit else basis
    return _as_measured(basis, known, told) if known else basis


def _as_measured(basis: Basis, known: Measured, told: int | None) -> Basis:
    """What is sure to arrive by a day is as sure to by a later one."""
    least = 0 if told is None or known.earlier else told
    return replace(
        basis,
        days=max(least, known.days),
        transit=None if known.transit is None else max(least, known.transit),
        parcels=known.parcels,
        on_time=known.on_time,
        confidence=known.confidence,
    )


def _arrival(
    ship: ShipDay, transit: Transit | None, basis: Basis
) -> tuple[date | None, date | None]:
    """The first and the last day on which it may arrive; holidays on the way are not known."""
    if basis.days is None:
        return None, None
    soonest = min(transit.min_days, basis.days) if transit else basis.days
    first = nth_day(ship.day, soonest, basis.weekdays)
    return first, nth_day(ship.day, basis.days, basis.weekdays)


def _rank(quote: Quote, loads: Sequence[Load]) -> tuple[int, date, str, str]:
    return quote.cost(loads), quote.deliver_by or date.max, quote.carrier, quote.method
