"""What an order is promised, and what is done when that is at risk."""

from __future__ import annotations

from collections.abc import Sequence

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import decide
from oms.domain.errors import IllegalTransition
from oms.domain.fulfillment import IN_WAREHOUSE, Delivery, FulfillmentOrder
from oms.domain.order import Order
from oms.domain.promising.promise import OrderPromise, Way
from oms.domain.promising.standing import news, standing
from oms.domain.tracking import TrackingStatus


@decide.register
def _(command: c.UpgradeFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if current.method == command.method:
        return ()
    if current.status not in IN_WAREHOUSE or current.delivery is not Delivery.SHIP:
        raise IllegalTransition(current.fulfillment_order_id, current.status, "be upgraded")
    upgraded = e.FulfillmentOrderUpgraded(
        command.fulfillment_order_id,
        command.method,
        command.reason,
        command.deliver_by.isoformat(),
        command.ship_by,
        command.basis,
        command.extra_cost,
        command.currency,
    )
    return (upgraded,)


@decide.register
def _(command: c.RevisePromise, order: Order) -> tuple[e.Event, ...]:
    told = news(order, standing(order, command.at, dict(command.known)))
    if told is None or order.promise is None:
        return ()
    return (e.PromiseRevised(told[0], order.promise.expected, told[1]),)


def promise_of(
    order: Order, plan: Sequence[e.Assigned], record: e.RoutingRecord, *, waits: bool
) -> OrderPromise | None:
    """What its customer may expect of the plan; None where that cannot be told, or was before."""
    if order.promise is not None:
        return None
    under_way = [each.deliver_by for each in order.fulfillment_orders if each.is_under_way]
    days = [*(each.deliver_by for each in plan), *under_way]
    ours = max(days) if all(days) and not waits else ""
    if not (order.deliver_by or ours):
        return None
    return OrderPromise(
        order.deliver_by or ours,
        ours,
        max((each.ship_by for each in plan if each.ship_by), default=None),
        tuple(each.fulfillment_order_id for each in plan),
        record.rule_set,
        record.rule_set_version,
    )


def way_of(order: Order, work: FulfillmentOrder) -> Way | None:
    """Of what has come to its customer, where a day had been promised."""
    said = order.promise.deliver_by if order.promise else order.deliver_by
    promised = said or work.deliver_by
    if not promised or work.delivery is not Delivery.SHIP:
        return None
    there = (each for each in work.parcels if each.status is TrackingStatus.DELIVERED)
    scanned = [each.scanned_at for each in there if each.scanned_at is not None]
    return Way(
        work.location_id,
        work.parcels[0].carrier if work.parcels else "",
        promised,
        work.basis,
        work.assigned_at,
        work.shipped_at,
        max(scanned, default=None),
        work.ship_by,
    )
