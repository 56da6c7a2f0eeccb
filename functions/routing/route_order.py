"""Step of the order workflow: decide who ships what, and take the stock in the same transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.stock_table import StockTable, stock_table
from oms.domain import commands as c
from oms.domain.decide import needs_batches
from oms.domain.errors import Contended, Refused
from oms.domain.events import Assigned, RejectedLocation, RoutingRecord
from oms.domain.fulfillment import Quantity
from oms.domain.ids import fulfillment_order_id
from oms.domain.inventory import Level, OutOfStock
from oms.domain.locations import Location
from oms.domain.order import Order, planned_change
from oms.domain.routing import Assignment, Decision, Demand, RoutingOutcome, route
from oms.domain.waits import prepared
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")
ROUNDS = 5  # of a decision that others overtook, before the workflow tries the step again
LOCATIONS_SECONDS = 60

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
    """The stock has changed since it was read: decide again."""


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
        for _ in range(ROUNDS):
            order = self._orders.get(order_id)
            if (known := standing(order)) is not None:
                return known
            try:
                return self._take(order)
            except (OutOfStock, Refused):
                continue  # the stock or the order has changed since it was read
        raise Contended(f"others were faster than {order_id}, {ROUNDS} times")

    def _take(self, order: Order) -> str:
        if order.routing_plan is not None:
            return self._take_batches(order)
        decision = self._decide(order)
        if decision.outcome is RoutingOutcome.BACKORDERED:
            return self._wait_in_line(order, decision)
        plan, record = _plan(order, decision)
        if needs_batches(plan):
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

    def _wait_in_line(self, order: Order, decision: Decision) -> str:
        """Stand in line first, then look again: stock that came in between woke nobody."""
        order = self._backorder(order, decision.backordered)
        if self._decide(order, fresh=True).outcome is RoutingOutcome.BACKORDERED:
            return "backordered"
        short = next(line.sku for line in order.lines if line.backordered)
        self._change(order, c.ReleaseBackorder(short))
        raise _Overtaken

    def _decide(self, order: Order, *, fresh: bool = False) -> Decision:
        wanted = ((x.line_id, x.sku, x.open + x.backordered) for x in order.lines)
        demand = [Demand(*each) for each in wanted if each[2]]
        levels: Mapping[str, Sequence[Level]] = self._stock.levels(
            {each.sku for each in demand}, consistent=fresh
        )
        excluded = {refusal.location_id: refusal.reason for refusal in order.refused_by}
        return route(demand, levels, self._locations(), order.destination, excluded)

    def _backorder(self, order: Order, short: Sequence[tuple[str, int]]) -> Order:
        return self._change(order, c.Backorder(tuple(Quantity(*each) for each in short)))

    def _change(self, order: Order, command: c.Command) -> Order:
        return self._orders.change(order.order_id, command, at=self._at, actor=ACTOR, seen=order)


def standing(order: Order) -> str | None:
    """What is already known of the order; None when there is something to route."""
    if (known := prepared(order)) is not None:
        return known
    if order.active_holds:
        return "on_hold"
    if any(line.backordered for line in order.lines):
        return "backordered"
    if not order.is_paid_for:
        return "payment_pending"
    return None if any(line.open for line in order.lines) else "routed"


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
