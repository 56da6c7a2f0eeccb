"""Step of the order workflow: decide who ships what, and take the stock in the same transaction."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn

from oms.adapters.backorders import Supply, demand_of, lines_of, release, skus_of
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.stock_table import StockTable, stock_table
from oms.domain import commands as c
from oms.domain.decide import needs_batches
from oms.domain.errors import Contended, Refused
from oms.domain.events import Assigned, RejectedLocation, RoutingRecord
from oms.domain.fulfillment import Quantity
from oms.domain.ids import fulfillment_order_id
from oms.domain.inventory import OutOfStock
from oms.domain.locations import Location
from oms.domain.order import Order, RoutingPlan, planned_change
from oms.domain.routing import Assignment, Decision, RoutingOutcome
from oms.domain.waits import prepared
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")
ROUNDS = 5  # of a decision that others overtook, before the workflow tries the step again
LOCATIONS_SECONDS = 60
REFUSED = "only locations that rejected it have the stock"

ACTOR = "system"


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event["order_id"]
    router = Router(orders_table(with_stock=True), stock_table(), datetime.now(UTC), locations)
    return {"outcome": router.route(order_id), "order_id": order_id}


def locations() -> tuple[Location, ...]:
    """Known for a minute: they change by hand, orders come by the second."""
    return _locations_of(int(time.monotonic() // LOCATIONS_SECONDS))


@cache
def _locations_of(minute: int) -> tuple[Location, ...]:  # noqa: ARG001
    return stock_table().locations()


class _Overtaken(Refused):
    """The stock or the order has changed since it was read: decide again."""


class Router:
    def __init__(
        self,
        orders: OrdersTable,
        stock: StockTable,
        at: datetime,
        locations: Callable[[], Sequence[Location]],
    ) -> None:
        self._orders, self._stock, self._at, self._locations = orders, stock, at, locations

    def route(self, order_id: str) -> str:
        """routed, backordered, or what keeps the order from being routed.

        A plan meets the stock as it is when it is written; when others were faster, the next
        plan is made of what they left.
        """
        for overtaken in range(ROUNDS):
            order = self._orders.get(order_id)
            try:
                return self._settle(order, fresh=bool(overtaken))
            except (OutOfStock, _Overtaken):
                continue  # the stock or the order has changed since it was read
            except Refused:
                if self._orders.get(order_id).version == order.version:
                    raise
        raise Contended(f"others were faster than {order_id}, {ROUNDS} times")

    def _settle(self, order: Order, *, fresh: bool) -> str:
        if order.routing_plan is not None and not _covers(order.routing_plan, order):
            self._give_back(order, order.routing_plan)
        if (known := standing(order)) is not None:
            return known
        if order.routing_plan is not None:
            return self._take_batches(order)
        if any(line.backordered for line in order.lines):
            return self._look_again(order)
        return self._take(order, fresh=fresh)

    def _take(self, order: Order, *, fresh: bool) -> str:
        supply = self._supply(order, fresh=fresh)
        decision = supply.decision(order)
        if decision.outcome is RoutingOutcome.BACKORDERED:
            return self._wait(order, supply, decision)
        plan, record = _plan(order, decision)
        if needs_batches(plan, order.line):
            return self._take_batches(self._change(order, c.PlanRouting(plan, record)))
        self._change(order, c.RecordRouting(plan, record))
        return "routed"

    def _take_batches(self, order: Order) -> str:
        """The plan is kept: whoever comes next goes on with its batches, or gives them back."""
        if order.routing_plan is None:
            return "routed"
        planned = order.routing_plan
        try:
            self._stock.apply_in_batches(planned_change(planned, order.line))
        except OutOfStock as short:
            self._change(order, c.AbandonRouting(str(short)[:500]))
            raise
        self._change(order, c.RecordRouting(planned.plan, planned.record))
        return "routed"

    def _give_back(self, order: Order, outgrown: RoutingPlan) -> NoReturn:
        """A kept plan that would take more, or less, than the order still wants."""
        self._stock.give_back_batches(planned_change(outgrown, order.line))
        self._change(order, c.AbandonRouting("the order has changed"))
        raise _Overtaken

    def _wait(self, order: Order, supply: Supply, decision: Decision) -> str:
        """Stand in line first, then look again: stock that came in between woke nobody."""
        if supply.lies_with_refusers(order):
            self._change(order, c.RaiseAttention(REFUSED))
            return "attention"
        short = tuple(Quantity(*each) for each in decision.backordered)
        return self._look_again(self._change(order, c.Backorder(short)))

    def _look_again(self, order: Order) -> str:
        """Wait on, unless another try would end otherwise: nothing but the stock itself knows."""
        supply = self._supply(order, fresh=True)
        if not supply.would_end_otherwise(order, supply.decision(order)):
            return "backordered"
        release(self._orders, order, lines_of(order)[0], self._at)
        raise _Overtaken

    def _supply(self, order: Order, *, fresh: bool) -> Supply:
        """At half the price at first; what was read in vain is read afresh."""
        levels = self._stock.levels(skus_of(order), consistent=fresh)
        return Supply(levels, self._stock.locations() if fresh else self._locations())

    def _change(self, order: Order, command: c.Command) -> Order:
        return self._orders.change(order.order_id, command, at=self._at, actor=ACTOR, seen=order)


def standing(order: Order) -> str | None:
    """What is already known of the order; None when there is something to route."""
    if (known := prepared(order)) is not None:
        return known
    if order.active_holds:
        return "on_hold"
    if not order.is_paid_for:
        return "payment_pending"
    return None if demand_of(order) else "routed"


def _covers(kept: RoutingPlan, order: Order) -> bool:
    """Whether the plan takes exactly what the order has open."""
    planned: Counter[str] = Counter()
    for quantity in (q for assigned in kept.plan for q in assigned.lines):
        planned[quantity.line_id] += quantity.quantity
    return planned == {line.line_id: line.open for line in order.lines if line.open}


def _plan(order: Order, decision: Decision) -> tuple[tuple[Assigned, ...], RoutingRecord]:
    first = len(order.fulfillment_orders) + 1
    plan = tuple(
        _assigned(fulfillment_order_id(order.order_id, number), assignment)
        for number, assignment in enumerate(decision.plan, first)
    )
    runner_up = decision.runner_up
    record = RoutingRecord(
        cost=decision.cost,
        runner_up=runner_up.location_ids if runner_up else (),
        runner_up_cost=runner_up.cost if runner_up else None,
        rejected=tuple(RejectedLocation(r.location_id, r.reason) for r in decision.rejected),
        proved=decision.proved,
    )
    return plan, record


def _assigned(identity: str, assignment: Assignment) -> Assigned:
    by_line: dict[str, int] = {}
    for each in assignment.lines:
        by_line[each.line_id] = by_line.get(each.line_id, 0) + each.quantity
    lines = tuple(Quantity(line_id, quantity) for line_id, quantity in by_line.items())
    return Assigned(identity, assignment.location_id, lines)
