"""Who ships what of an order, decided and taken: the units, the ship days, in one transaction."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NoReturn

from oms.adapters.agenda import Agenda
from oms.adapters.dynamodb import Write
from oms.adapters.holds_table import HoldsTable
from oms.adapters.leases import Leases
from oms.adapters.orders_table import Beside, OrdersTable, Taking
from oms.adapters.routing.shortages import Shortages
from oms.adapters.routing.sourcing import Sourced, Sourcing, items_of
from oms.adapters.routing.window_rows import Windows, window_end
from oms.adapters.stock_table import StockTable
from oms.contracts import codec
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.decide import needs_batches
from oms.domain.decide.routing import OUT_OF_STOCK
from oms.domain.errors import Contended, Refused
from oms.domain.events import Assigned, RejectedLocation, RoutingRecord
from oms.domain.fulfillment import Delivery, Quantity
from oms.domain.holds import HoldStep
from oms.domain.ids import fulfillment_order_id
from oms.domain.inventory import OutOfStock
from oms.domain.network.calendars import ALWAYS_OPEN
from oms.domain.network.capacity import CapacityFull
from oms.domain.order import Order, RoutingPlan, awaited_items, planned_change
from oms.domain.routing import NO_STOCK, Assignment, Decision
from oms.domain.routing.kept import KeptDecision
from oms.domain.stock_holds import HoldChanged, HoldTooLarge
from oms.domain.waits import place_to_wait, prepared

ROUNDS = 5  # of a decision that others overtook, before the workflow tries the step again
REFUSED = "only locations that rejected it have the stock"
ACTOR = "system"
MAX_KEPT = 100_000  # bytes, deflated, of the 400 KB of an event's row


class Overtaken(Refused):
    """The stock or the order has changed since it was read: decide again."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How units are taken: from a cart's hold, by a lease, from the levels in batches."""

    stock: StockTable
    leases: Leases
    holds: HoldsTable

    def taking(self, order: Order, sourced: Sourced) -> Taking:
        """Above the safety stock; what its cart has held is the order's own already."""
        plain = self.leases.taking(sourced.floors)
        if not order.stock_hold_id:
            return plain
        return self.holds.taking(order.stock_hold_id, otherwise=plain)

    def leave_all(self, order: Order, at: datetime) -> None:
        """Batches take from the levels alone, and what is too large is not carried at once."""
        self.leases.give_back(items_of(order))
        self.let_go(order, at)

    def let_go(self, order: Order, at: datetime) -> None:
        if order.stock_hold_id:
            self.holds.let_go(order.stock_hold_id, at)


class Router:
    def __init__(
        self,
        orders: OrdersTable,
        sourcing: Sourcing,
        ways: Ways,
        shortages: Shortages,
        agenda: Agenda,
        windows: Windows,
        at: datetime,
    ) -> None:
        self._orders, self._sourcing, self._ways = orders, sourcing, ways
        self._shortages, self._agenda, self._windows = shortages, agenda, windows
        self._at = at

    def route(self, order_id: str) -> str:
        """routed, backordered, or what keeps the order from being routed.

        A plan meets the stock as it is when it is written; when others were faster, the next
        plan is made of what they left.
        """
        for overtaken in range(ROUNDS):
            order = self._orders.get(order_id)
            try:
                return self._settle(order, fresh=bool(overtaken))
            except (OutOfStock, CapacityFull, HoldChanged, Overtaken):
                continue  # the stock or the order has changed since it was read
            except Refused:
                if self._orders.get(order_id).version == order.version:
                    raise
        raise Contended(f"others were faster than {order_id}, {ROUNDS} times")

    def take(self, order: Order, sourced: Sourced) -> Order:
        """Record the decision and take what it gives, all or nothing."""
        shortage = self._shortages.of(order, sourced, self._at)
        plan, record = planned(order, sourced)
        said = c.RecordRouting(plan, record, backorders=shortage.backorders, denied=shortage.denied)
        return self._change(order, said, self._beside(order, sourced, plan))

    def _settle(self, order: Order, *, fresh: bool) -> str:
        if order.routing_plan is not None and not _covers(order.routing_plan, order):
            self._give_back(order, order.routing_plan, "the order has changed")
        if (known := standing(order, self._at)) is not None:
            return known
        if order.routing_plan is not None:
            return self._take_batches(order)
        if order.is_backordered:
            return self._look_again(order)
        return self._take(order, fresh=fresh)

    def _take(self, order: Order, *, fresh: bool) -> str:
        sourced = self._sourcing.source(order, fresh=fresh)
        if sourced.decision.backordered and not fresh:  # an old look tells nobody that it is short
            sourced = self._sourcing.source(order, fresh=True)
        if not sourced.is_routed:
            self._reclaim(order, sourced)
            return self._wait(order, sourced)
        if (scarce := scarce_item(order, sourced)) is not None:
            return self._defer(order, sourced, scarce)
        return self._record(order, sourced)

    def _record(self, order: Order, sourced: Sourced) -> str:
        plan, record = planned(order, sourced)
        if needs_batches(plan, order):
            return self._plan_batches(order, sourced, plan, record)
        try:
            return place_to_wait(self.take(order, sourced))
        except HoldTooLarge:
            self._ways.let_go(order, self._at)
            raise Overtaken("its cart's hold was let go") from None

    def _plan_batches(
        self, order: Order, sourced: Sourced, plan: tuple[Assigned, ...], record: RoutingRecord
    ) -> str:
        self._ways.leave_all(order, self._at)
        shortage = self._shortages.of(order, sourced, self._at)
        said = c.PlanRouting(plan, record, backorders=shortage.backorders, denied=shortage.denied)
        order = self._change(order, said, self._told(order, sourced, plan))
        return self._take_batches(order)

    def _beside(self, order: Order, sourced: Sourced, plan: Sequence[Assigned]) -> Beside:
        told = self._told(order, sourced, plan)
        return replace(told, taking=self._ways.taking(order, sourced), limits=sourced.limits)

    def _told(self, order: Order, sourced: Sourced, plan: Sequence[Assigned] = ()) -> Beside:
        """Why it was decided so, and what the agenda must look at."""
        deadlines = self._shortages.deadlines(order, sourced, self._at)
        return Beside(decision=kept(sourced), writes=(*self._watched(order, plan), *deadlines))

    def _watched(self, order: Order, plan: Sequence[Assigned]) -> Iterator[Write]:
        """What has not left when it should have, somebody must look at. What is collected where it
        lies leaves with the customer: it is late only if a day was promised."""
        for each in plan:
            leaves = each.delivery != Delivery.PICKUP or order.deliver_by
            if leaves and each.ship_by is not None and each.deliver_by:
                yield from self._agenda.writes(
                    DueKind.PROMISE_AT_RISK, each.fulfillment_order_id, each.ship_by
                )

    def _reclaim(self, order: Order, sourced: Sourced) -> None:
        """What other environments have leased and not sold is looked for before anybody waits."""
        out = {x.location_id for x in sourced.decision.rejected if x.reasons != (NO_STOCK,)}
        usable = {each.location_id for each in sourced.snapshot.locations} - out
        wanted: Counter[str] = Counter()
        for line_id, quantity in sourced.decision.backordered:
            for part in order.line(line_id).parts:
                wanted[part.item] += part.quantity * quantity
        if self._ways.leases.reclaim(wanted, usable):
            raise Overtaken("units were leased and not sold")

    def _take_batches(self, order: Order) -> str:
        """The plan is kept: whoever comes next goes on with its batches, or gives them back."""
        if order.routing_plan is None:
            return place_to_wait(order)
        plan = order.routing_plan
        try:
            change = planned_change(plan, order.line)
            self._ways.stock.apply_in_batches(change, self._sourcing.floors(order))
        except OutOfStock as short:
            self._change(order, c.AbandonRouting(str(short)[:500]))
            raise
        try:
            limits = Beside(limits=self._sourcing.limits())
            return place_to_wait(self._change(order, as_planned(plan), limits))
        except CapacityFull:
            self._give_back(order, plan, "a ship day is full by now")

    def _give_back(self, order: Order, plan: RoutingPlan, why: str) -> NoReturn:
        """A kept plan that cannot be recorded any more."""
        self._ways.stock.give_back_batches(planned_change(plan, order.line))
        self._change(order, c.AbandonRouting(why))
        raise Overtaken(why)

    def _defer(self, order: Order, sourced: Sourced, item: str) -> str:
        until = window_end(self._at, sourced.rule_set.window_seconds)
        waits = self._windows.writes(order.order_id, until)
        beside = Beside(decision=kept(sourced), writes=tuple(waits))
        return place_to_wait(self._change(order, c.DeferRouting(until, item), beside))

    def _wait(self, order: Order, sourced: Sourced) -> str:
        """Stand in line first, then look again: stock that came in between woke nobody."""
        why = Beside(decision=kept(sourced))
        refused = self._sourcing.lies_with_refusers(order)
        if reason := REFUSED if refused else sourced.hopeless:
            self._change(order, c.RaiseAttention(reason), why)
            return "attention"
        shortage = self._shortages.of(order, sourced, self._at)
        if shortage.denied:
            self._change(order, c.CancelOrder(OUT_OF_STOCK, shortage.denied), why)
            raise Overtaken("what may not wait was cancelled")
        beside = self._told(order, sourced)
        for each in shortage.backorders:
            order = self._change(order, each, beside)
            beside = Beside()
        return self._look_again(order)

    def _look_again(self, order: Order) -> str:
        """Wait on, unless another try would end otherwise: nothing but the stock itself knows."""
        sourced = self._sourcing.source(order, fresh=True)
        if not self._sourcing.would_end_otherwise(order, sourced):
            return place_to_wait(order)
        self._change(order, c.ReleaseBackorder(awaited_items(order)[0]))
        raise Overtaken("stock has come meanwhile")

    def _change(self, order: Order, command: c.Command, beside: Beside | None = None) -> Order:
        return self._orders.change(
            order.order_id, command, at=self._at, actor=ACTOR, seen=order, beside=beside
        )


def standing(order: Order, at: datetime) -> str | None:
    """What is already known of the order; None when there is something to route."""
    if (known := prepared(order)) is not None:
        return known
    if order.held_from(HoldStep.ROUTING):
        return "on_hold"
    if not order.is_paid_for:
        return "payment_pending"
    if order.is_deferred and order.deferred_until and at < order.deferred_until:
        return place_to_wait(order)
    return None if items_of(order) else "routed"


def scarce_item(order: Order, sourced: Sourced) -> str | None:
    """A stock item of which so little is left that it is better shared out among several orders;
    none for an order that has waited for its turn already."""
    rules = sourced.rule_set
    if not rules.window_seconds or order.deferred_until is not None or order.stock_hold_id:
        return None
    left: Counter[str] = Counter()
    for location in sourced.snapshot.locations:
        left.update(dict(location.available))
    wanted = sorted(items_of(order))
    return next((item for item in wanted if left[item] < rules.scarce_below), None)


def kept(sourced: Sourced) -> bytes:
    """The decision with what was known. Of a very large order only the locations that it names;
    of a larger one nothing: a row is limited, and the order matters more than its reasons."""
    for each in (sourced.kept, _reduced(sourced.kept)):
        if len(packed := codec.encode(each)) <= MAX_KEPT or _deflated(packed) <= MAX_KEPT:
            return packed
    return b""


def _deflated(octets: bytes) -> int:
    return len(zlib.compress(octets, 9))


def _reduced(whole: KeptDecision) -> KeptDecision:
    decision, snapshot = whole.decision, whole.snapshot
    named = {each.location_id for each in decision.plan}
    if decision.runner_up is not None:
        named |= set(decision.runner_up.location_ids)
    locations = tuple(each for each in snapshot.locations if each.location_id in named)
    return KeptDecision(replace(snapshot, locations=locations), decision)


def planned(order: Order, sourced: Sourced) -> tuple[tuple[Assigned, ...], RoutingRecord]:
    first = len(order.fulfillment_orders) + 1
    plan = tuple(
        _assigned(fulfillment_order_id(order.order_id, number), assignment, sourced)
        for number, assignment in enumerate(sourced.decision.plan, first)
    )
    return plan, _record(sourced.decision)


def as_planned(kept: RoutingPlan) -> c.RecordRouting:
    return c.RecordRouting(
        kept.plan,
        kept.record,
        backorders=tuple(
            c.Backorder(each.lines, each.expected_on, each.preorder) for each in kept.backordered
        ),
        denied=kept.denied,
    )


def _record(decision: Decision) -> RoutingRecord:
    runner_up = decision.runner_up
    return RoutingRecord(
        cost=decision.cost,
        runner_up=runner_up.location_ids if runner_up else (),
        runner_up_cost=runner_up.cost if runner_up else None,
        rejected=tuple(RejectedLocation(r.location_id, r.reason) for r in decision.rejected),
        proved=decision.proved,
        rule_set=decision.rule_set,
        rule_set_version=decision.version,
        objective=decision.objective,
    )


def _assigned(identity: str, assignment: Assignment, sourced: Sourced) -> Assigned:
    where = assignment.location_id
    location = sourced.locations[where]
    timed = location.calendar != ALWAYS_OPEN or assignment.deliver_by
    return Assigned(
        identity,
        where,
        tuple(_quantities(assignment)),
        ship_on=_iso(assignment.ship_on if location.daily_capacity is not None else None),
        ship_by=assignment.ship_by if timed else None,
        deliver_by=_iso(assignment.deliver_by),
        delivery=_delivery(where, sourced.store),
        basis=sourced.snapshot.location(where).basis,
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _quantities(assignment: Assignment) -> Iterable[Quantity]:
    by_line: Counter[str] = Counter()
    for each in assignment.lines:
        by_line[each.line_id] += each.quantity
    return (Quantity(line_id, quantity) for line_id, quantity in by_line.items())


def _delivery(location_id: str, store: str) -> Delivery:
    """With a store, the customer collects the order there."""
    if not store:
        return Delivery.SHIP
    return Delivery.PICKUP if location_id == store else Delivery.SHIP_TO_STORE


def _covers(kept: RoutingPlan, order: Order) -> bool:
    """Whether the plan speaks of exactly what the order has open."""
    spoken: Counter[str] = Counter()
    waiting = (each for backordered in kept.backordered for each in backordered.lines)
    assigned = (each for part in kept.plan for each in part.lines)
    for quantity in (*assigned, *waiting, *kept.denied):
        spoken[quantity.line_id] += quantity.quantity
    return spoken == {line.line_id: line.open for line in order.lines if line.open}
