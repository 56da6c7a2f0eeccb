"""One order before the network: what is there for it, and what the rules decide about that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from oms.adapters.capacity_slots import CapacitySlots
from oms.adapters.holds_table import HoldsTable
from oms.adapters.items_table import ItemsTable
from oms.adapters.routing.knowledge import Knowledge, Known
from oms.domain.availability import Channel, OnShortage, floors
from oms.domain.inventory import Level
from oms.domain.items import StockItem
from oms.domain.locations import Location
from oms.domain.network.calendars import HORIZON_DAYS, next_ship_day
from oms.domain.network.capacity import full_days
from oms.domain.network.rates import Load
from oms.domain.order import Order, awaited_items, excluded, preordered_items, waited_for
from oms.domain.promising.standing import promised_day
from oms.domain.routing import Decision, RoutingOutcome
from oms.domain.routing.deciding import route_order
from oms.domain.routing.hopeless import hopeless
from oms.domain.routing.kept import KeptDecision
from oms.domain.routing.rules import RuleSet, effective
from oms.domain.routing.snapshot import OrderFacts, Snapshot
from oms.domain.routing.surveying import Surroundings, survey, to_store, wanted_of
from oms.domain.stock_holds import Where, may_be_taken_by

BUDGET = 0.5  # seconds of one decision; what is not proved by then says so
DAYS_AHEAD = 14  # for which capacity is looked at


class Levels(Protocol):
    """Stock as whoever routes may take it."""

    def levels(
        self, items: Iterable[str], *, consistent: bool = True
    ) -> dict[str, tuple[Level, ...]]: ...


@dataclass(frozen=True, slots=True)
class Sourced:
    """A decision, with what it was made of. `floors` are units that must remain, by stock item and
    location; `items` are the stock items of the order; `store` is where it will be collected."""

    snapshot: Snapshot
    decision: Decision
    rule_set: RuleSet
    channel: Channel
    items: Mapping[str, StockItem]
    floors: Mapping[tuple[str, str], int]
    locations: Mapping[str, Location]
    store: str = ""

    @property
    def is_routed(self) -> bool:
        return _ships(self.decision)

    @property
    def hopeless(self) -> str:
        """Why neither stock nor time will let it be shipped; empty while they may."""
        return hopeless(self.snapshot, self.decision, self.rule_set, self.limits, BUDGET)

    @property
    def limits(self) -> dict[str, int]:
        return limits_of(self.locations.values())

    @property
    def kept(self) -> KeptDecision:
        return KeptDecision(self.snapshot, self.decision)


class Sourcing:
    def __init__(
        self,
        levels: Levels,
        knowledge: Knowledge,
        items: ItemsTable,
        capacity: CapacitySlots,
        holds: HoldsTable,
        at: datetime,
    ) -> None:
        self._levels, self._knowledge, self._items = levels, knowledge, items
        self._capacity, self._holds, self._at = capacity, holds, at

    def source(
        self,
        order: Order,
        *,
        fresh: bool = False,
        levels: Mapping[str, Sequence[Level]] | None = None,
        refused: Mapping[str, str] | None = None,
    ) -> Sourced:
        """Decide from what is there now; `fresh`: what was read in vain is read anew.

        `levels` in the place of the table's own; `refused` in the place of those that have
        rejected the order.
        """
        known = self._knowledge.now(fresh=fresh)
        rule_set = self._knowledge.rule_set_for(order.order_id)
        channel = known.channel(order.channel)
        items = self._items.of(items_of(order))
        segments = self._knowledge.segments_for(rule_set, order.customer_id)
        facts = replace(facts_of(order, channel, items.values()), segments=segments)
        around = self._around(order, known, channel, items, levels, fresh)
        out = excluded(order, self._at) if refused is None else refused
        snapshot, decision = decided(facts, around, out, rule_set, self._at)
        return Sourced(
            snapshot=snapshot,
            decision=decision,
            rule_set=rule_set,
            channel=channel,
            items=items,
            floors=around.floors,
            locations={each.location_id: each for each in known.locations},
            store=order.pickup_location,
        )

    def limits(self) -> dict[str, int]:
        return limits_of(self._knowledge.now().locations)

    def floors(self, order: Order) -> dict[Where, int]:
        """Units that its channel leaves, by stock item and location."""
        known = self._knowledge.now()
        items = self._items.of(items_of(order)).values()
        locations = (each.location_id for each in known.locations)
        return floors(known.channel(order.channel), items, locations)

    def rule_set_for(self, order: Order) -> RuleSet:
        return self._knowledge.rule_set_for(order.order_id)

    def own(self, order: Order) -> Mapping[Where, int]:
        """Units that its cart has held for it: what is one's own never keeps one waiting."""
        with_hold = order.stock_hold_id and may_be_taken_by(order)
        return self._holds.held(order.stock_hold_id) if with_hold else {}

    def ships_ahead(self, order: Order) -> bool:
        """Whether what is there of it may be shipped before the rest."""
        channel = self._knowledge.now().channel(order.channel)
        return facts_of(order, channel, self._items.of(items_of(order)).values()).allow_partial

    def by_the_rules(self, order: Order, *, ships_ahead: bool) -> bool:
        """The same, where a rule may say otherwise of such an order."""
        channel = self._knowledge.now().channel(order.channel)
        rule_set = self.rule_set_for(order)
        segments = self._knowledge.segments_for(rule_set, order.customer_id)
        facts = facts_of(order, channel, ())
        facts = replace(facts, allow_partial=ships_ahead, segments=segments)
        return effective(rule_set, facts).allow_partial

    def shipping_locations(self) -> frozenset[str]:
        return frozenset(x.location_id for x in self._knowledge.now().locations if x.active)

    def lies_with_refusers(
        self, order: Order, levels: Mapping[str, Sequence[Level]] | None = None
    ) -> bool:
        """Whether those that have rejected the order have what the others lack. Who is out is
        waited for."""
        are_out = waited_for(order, self._at)
        return excluded(order, self._at).keys() > are_out.keys() and (
            self.source(order, levels=levels, refused=are_out).is_routed
        )

    def would_end_otherwise(
        self, order: Order, sourced: Sourced, levels: Mapping[str, Sequence[Level]] | None = None
    ) -> bool:
        """Whether a waiting order should be routed again: it can be filled, or a person must
        decide, or it stands in no line for what it lacks."""
        short = (order.line(line_id) for line_id, _ in sourced.decision.backordered)
        lacking = {part.item for line in short for part in line.parts}
        return (
            sourced.is_routed
            or self.lies_with_refusers(order, levels)
            or bool(sourced.hopeless)
            or lacking.isdisjoint(awaited_items(order))
        )

    def _around(
        self,
        order: Order,
        known: Known,
        channel: Channel,
        items: Mapping[str, StockItem],
        levels: Mapping[str, Sequence[Level]] | None,
        fresh: bool,
    ) -> Surroundings:
        today = self._at.date()
        if levels is None:
            levels = self._levels.levels(items_of(order), consistent=fresh)
        return Surroundings(
            locations=known.locations,
            tables=known.tables,
            levels=levels,
            floors=floors(channel, items.values(), (x.location_id for x in known.locations)),
            own=self.own(order),
            assigned=None if channel.locations is None else frozenset(channel.locations),
            left=self._left(known.locations, sum(line.unrouted for line in order.lines)),
            loads=loads_of(items.values()) if known.tables.cards else {},
            daily_sales={x.item: x.policy.daily_sales or 0 for x in items.values()},
            held_back=preordered_items(order, self._at)
            | {x.item for x in items.values() if not x.policy.backorders.is_released(today)},
        )

    def _left(self, locations: Sequence[Location], units: int) -> Mapping[tuple[str, date], int]:
        """Of the locations that have a limit; their own day may be one before or after ours. Who is
        booked out for all of these days, or closed, is looked at further."""
        limited = [each for each in locations if each.daily_capacity is not None]
        if not limited:
            return {}
        first = self._at.date() - timedelta(days=1)
        days = [first + timedelta(days=number) for number in range(HORIZON_DAYS + 2)]
        near, far = days[:DAYS_AHEAD], days[DAYS_AHEAD:]
        left = self._capacity.left(limited, near)
        late = [each for each in limited if self._ships_after(near[-1], each, units, left)]
        return {**left, **self._capacity.left(late, far)} if late else left

    def _ships_after(
        self, last: date, location: Location, units: int, left: Mapping[tuple[str, date], int]
    ) -> bool:
        """A cut-off that is missed costs a day at most."""
        room = min(units, location.daily_capacity or 1)
        full = full_days(left, location.location_id, room)
        tomorrow = self._at + timedelta(days=1)
        ship = next_ship_day(location.calendar, location.outages, "", tomorrow, full)
        return ship is None or ship.day > last


def limits_of(locations: Iterable[Location]) -> dict[str, int]:
    """Units that a location ships a day, where it has a limit."""
    limited = ((each.location_id, each.daily_capacity) for each in locations)
    return {location_id: limit for location_id, limit in limited if limit is not None}


def decided(
    facts: OrderFacts,
    around: Surroundings,
    refused: Mapping[str, str],
    rule_set: RuleSet,
    at: datetime,
) -> tuple[Snapshot, Decision]:
    """What is to be collected is looked for in its store, then wherever it can be brought from:
    if more of it can be had so, and somebody is there to hand it over."""
    snapshot = survey(facts, around, refused, at)
    decision = route_order(snapshot, rule_set, budget=BUDGET)
    store = next((x for x in around.locations if x.location_id == facts.pickup_location), None)
    if store is None or not decision.backordered or not _hands_over(store, at):
        return snapshot, decision
    brought = survey(to_store(snapshot, store), around, refused, at)
    other = route_order(brought, rule_set, budget=BUDGET)
    if _ships(decision) and _units_short(decision) <= _units_short(other):
        return snapshot, decision
    return brought, other


def _hands_over(store: Location, at: datetime) -> bool:
    opens = next_ship_day(store.calendar, store.outages, "", at) is not None
    return store.active and store.pickup and opens


def _ships(decision: Decision) -> bool:
    return decision.outcome is RoutingOutcome.ROUTED


def _units_short(decision: Decision) -> int:
    return sum(units for _, units in decision.backordered)


def facts_of(order: Order, channel: Channel, items: Iterable[StockItem]) -> OrderFacts:
    ahead = channel.on_shortage is OnShortage.PARTIAL
    return OrderFacts(
        order_id=order.order_id,
        channel=order.channel,
        currency=order.currency,
        value=order.total,
        destination=order.destination,
        method=order.shipping.method,
        wanted=tuple(wanted_of(line, line.unrouted) for line in order.lines if line.unrouted),
        tags=order.tags,
        customer_tier=order.customer_tier,
        deliver_by=promised_day(order),
        pickup_location=order.pickup_location,
        allow_partial=ahead or any(item.policy.backorders.partial for item in items),
    )


def items_of(order: Order) -> set[str]:
    """The stock items of units that no location has been given yet."""
    return {part.item for line in order.lines if line.unrouted for part in line.parts}


def loads_of(items: Iterable[StockItem]) -> dict[str, Load]:
    """Of one unit each; what nobody has measured is left out."""
    measured = ((item.item, item.attributes) for item in items)
    return {
        identity: Load(1, it.weight_g or 0, it.length_mm or 0, it.width_mm or 0, it.height_mm or 0)
        for identity, it in measured
        if it.weight_g or it.length_mm
    }
