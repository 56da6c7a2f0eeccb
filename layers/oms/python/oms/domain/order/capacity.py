"""What the facts of an order do to the capacity of its locations' ship days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import singledispatch

from oms.domain import events as e
from oms.domain.fulfillment import Quantity
from oms.domain.network.capacity import CapacityChange, summed
from oms.domain.order.editing import freed
from oms.domain.order.model import Fact, Order


def capacity_changes(order: Order, fact: Fact) -> tuple[CapacityChange, ...]:
    """Taken when a location is given units, given back when they leave it unshipped; seen from
    the order before the fact. A kit is one unit. Days without a limit are not spoken of."""
    return summed(_changed(fact.event, order))


Changes = Iterable[CapacityChange]


@singledispatch
def _changed(event: object, order: Order) -> Changes:
    return ()


@_changed.register
def _(event: e.OrderRouted, order: Order) -> Changes:
    return (
        CapacityChange(each.location_id, date.fromisoformat(each.ship_on), _units(each.lines))
        for each in event.plan
        if each.ship_on
    )


@_changed.register
def _(event: e.FulfillmentOrderRejected, order: Order) -> Changes:
    rejected = order.fulfillment_order(event.fulfillment_order_id)
    return _given_back(order, event.fulfillment_order_id, _units(rejected.lines))


@_changed.register
def _(event: e.FulfillmentOrderShortPicked, order: Order) -> Changes:
    return _given_back(order, event.fulfillment_order_id, _units(event.lines))


@_changed.register(e.OrderLinesCancelled)
@_changed.register(e.OrderCancelled)
@_changed.register(e.UnitsFulfilledElsewhere)
def _(
    event: e.OrderLinesCancelled | e.OrderCancelled | e.UnitsFulfilledElsewhere, order: Order
) -> Changes:
    return (
        change
        for unit in event.units
        if unit.fulfillment_order_id
        for change in _given_back(order, unit.fulfillment_order_id, unit.quantity)
    )


@_changed.register
def _(event: e.OrderEdited, order: Order) -> Changes:
    return (
        change
        for identity, units in freed(event, order)
        for change in _given_back(order, identity, units.quantity)
    )


def _given_back(order: Order, fulfillment_order_id: str, units: int) -> Changes:
    of = order.fulfillment_order(fulfillment_order_id)
    if of.ship_on:
        yield CapacityChange(of.location_id, date.fromisoformat(of.ship_on), -units)


def _units(lines: Iterable[Quantity]) -> int:
    return sum(each.quantity for each in lines)
