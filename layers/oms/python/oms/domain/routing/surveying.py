"""The snapshot of a decision: the network as one order sees it at one moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, partial

from oms.domain.inventory import Level
from oms.domain.lines import Line
from oms.domain.locations import Location
from oms.domain.network.capacity import full_days
from oms.domain.network.quoting import NoQuote, Quote, quote
from oms.domain.network.rates import NO_TABLES, Load, Tables
from oms.domain.routing.decision import INACTIVE, Destination
from oms.domain.routing.filters import units_of
from oms.domain.routing.snapshot import At, LocationFacts, OrderFacts, Snapshot, Wanted

NOT_ASSIGNED = "not_assigned_to_channel"


@dataclass(frozen=True)
class Surroundings:
    """What routing knows beside the order.

    `floors` are units that must remain available there; `own` are units that are kept for this
    order already, by its cart's hold or by a lease; `assigned` are the locations of its channel,
    None all of them; `left` is what ship days with a limit have left; `held_back` are items that
    may not be sold yet; `daily_sales` are units a day of an item, where that is known.
    """

    locations: Sequence[Location]
    tables: Tables
    levels: Mapping[str, Sequence[Level]]
    floors: Mapping[At, int] = field(default_factory=dict)
    own: Mapping[At, int] = field(default_factory=dict)
    assigned: frozenset[str] | None = None
    left: Mapping[tuple[str, date], int] = field(default_factory=dict)
    loads: Mapping[str, Load] = field(default_factory=dict)
    held_back: frozenset[str] = frozenset()
    daily_sales: Mapping[str, int] = field(default_factory=dict)

    def available(self, item: str, location_id: str) -> int:
        if item in self.held_back:
            return 0
        at = (item, location_id)
        return max(0, self._free[at] - self.floors.get(at, 0)) + self.own.get(at, 0)

    def full_days(self, location_id: str, units: int) -> set[date]:
        return full_days(self._left_by_location[location_id], location_id, units)

    @cached_property
    def _free(self) -> Counter[At]:
        free: Counter[At] = Counter()
        for item, levels in self.levels.items():
            for level in levels:
                free[item, level.location] += level.available
        return free

    @cached_property
    def _left_by_location(self) -> Mapping[str, Mapping[tuple[str, date], int]]:
        found: defaultdict[str, dict[tuple[str, date], int]] = defaultdict(dict)
        for (location_id, day), room in self.left.items():
            found[location_id][location_id, day] = room
        return found


def survey(
    facts: OrderFacts,
    around: Surroundings,
    refused: Mapping[str, str],
    at: datetime,
) -> Snapshot:
    """`refused`: locations that this order may not go to, each with its reason."""
    items = sorted({part.item for wanted in facts.wanted for part in wanted.parts})
    loads = [_load(wanted, around) for wanted in facts.wanted]
    found = (_facts(each, facts, loads, items, around, at) for each in around.locations)
    locations = tuple(
        replace(each, refused=refused.get(each.location_id, "") or _unassigned(each, around))
        for each in found
    )
    return Snapshot(facts, locations, at)


def wanted_of(line: Line, quantity: int) -> Wanted:
    return Wanted(line.line_id, line.sku, quantity, line.takes, line.tags)


def to_store(snapshot: Snapshot, store: Location) -> OrderFacts:
    """The same order, shipped to the store where it will be collected."""
    return replace(
        snapshot.order,
        destination=_address(store),
        pickup_location="",
        brought_to=store.location_id,
    )


def _address(location: Location) -> Destination:
    return Destination(location.country, location.region, location.postal_code)


def _facts(
    location: Location,
    order: OrderFacts,
    loads: Sequence[Load],
    items: Sequence[str],
    around: Surroundings,
    at: datetime,
) -> LocationFacts:
    available = {item: around.available(item, location.location_id) for item in items}
    facts = LocationFacts(
        location_id=location.location_id,
        kind=location.kind,
        country=location.country,
        available=tuple(available.items()),
        fixed_cost=location.fixed_cost,
        unit_costs=(location.unit_cost,) * len(loads),
        closed="" if location.active else INACTIVE,
        methods=location.methods,
        handles=location.handles,
        tags=location.tags,
        pickup=location.pickup,
        cover_days=tuple(_cover(available, around.daily_sales)),
    )
    found = _quote(location, facts, order, loads, around, at)
    return _quoted(facts, found, around) if isinstance(found, Quote) else _not(facts, found.reason)


def _most(order: OrderFacts, facts: LocationFacts) -> int:
    """Units of the order that its stock suffices for, line by line."""
    return sum(min(wanted.quantity, units_of(wanted, facts)) for wanted in order.wanted)


def _quote(
    location: Location,
    facts: LocationFacts,
    order: OrderFacts,
    loads: Sequence[Load],
    around: Surroundings,
    at: datetime,
) -> Quote | NoQuote:
    """On the first day with room for all that it has of the order, or for as much as it ships a
    day; failing that, for any. What lies where it is collected needs no carrier: it is there when
    it is ready.
    """
    limit = location.daily_capacity
    method, here = "" if order.store else order.method, order.store == location.location_id
    ask = partial(
        quote,
        location,
        _address(location) if here else order.destination,
        method,
        loads,
        NO_TABLES if here else around.tables,
        at,
    )
    rooms = (max(1, min(_most(order, facts), limit)), 1) if limit is not None else (1,)
    for room in rooms:
        found = ask(around.full_days(location.location_id, room))
        if isinstance(found, Quote):
            break
    if isinstance(found, Quote) and here:
        return replace(found, deliver_by=found.ship_on)
    return found


def _quoted(facts: LocationFacts, found: Quote, around: Surroundings) -> LocationFacts:
    return replace(
        facts,
        fixed_cost=found.fixed_cost,
        unit_costs=found.unit_costs,
        capacity=around.left.get((facts.location_id, found.ship_on)),
        ship_on=found.ship_on,
        ship_by=found.ship_by,
        deliver_by=found.deliver_by,
        distance_km=found.distance_km,
        basis=found.basis,
    )


def _not(facts: LocationFacts, reason: str) -> LocationFacts:
    return replace(facts, unreachable=str(reason))


def _unassigned(location: LocationFacts, around: Surroundings) -> str:
    here = around.assigned is None or location.location_id in around.assigned
    return "" if here else NOT_ASSIGNED


def _cover(available: Mapping[str, int], daily: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for item, units in available.items():
        if daily.get(item):
            yield item, units // daily[item]


def _load(wanted: Wanted, around: Surroundings) -> Load:
    """Of one unit: all its parts in one parcel. Parts whose weight nobody told weigh nothing."""
    parts = [(around.loads.get(part.item), part.quantity) for part in wanted.parts]
    known = [(load, count) for load, count in parts if load is not None]
    grams = sum(load.weight_g * count for load, count in known)
    volume = sum(load.mm3 * count for load, count in known)
    return Load(wanted.quantity, grams, volume, 1, 1)
