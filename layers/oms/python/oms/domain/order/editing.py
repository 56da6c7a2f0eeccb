"""What edits make of an order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from oms.domain import events as e
from oms.domain.edits import Changes, Edit, EditStatus
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.order.evolving import evolve, moved, requested, units_cancelled, with_fulfillment
from oms.domain.order.model import Fact, Order

EDITED = "the order was edited"
_NO_CHANGES = Changes()


@evolve.register
def _(event: e.OrderEditAccepted, order: Order, fact: Fact) -> Order:
    return _noted(requested(order, event.operation), event.edit)


@evolve.register
def _(event: e.OrderEdited, order: Order, fact: Fact) -> Order:
    order = units_cancelled(order, event.units)
    for identity in event.taken_back:
        order = _taken_back(order, identity)
    order = _rewritten(order, event.edit.changes)
    if event.edit.changes.added or event.taken_back:
        order = _decided_anew(order)
    return _ended(order, event.edit, EditStatus.APPLIED)


@evolve.register
def _(event: e.OrderEditDeclined, order: Order, fact: Fact) -> Order:
    edit = order.edit(event.edit_id)
    if edit is None:
        return order
    return _ended(order, replace(edit, declined=event.reason), EditStatus.DECLINED)


def _taken_back(order: Order, identity: str) -> Order:
    units = order.fulfillment_order(identity).lines
    order = replace(order, lines=moved(order.lines, units, "allocated", "open"))
    stopped = FulfillmentStatus.CANCELLED
    return with_fulfillment(order, identity, lines=(), status=stopped, reason=EDITED)


def _rewritten(order: Order, changes: Changes) -> Order:
    return replace(
        order,
        lines=(*order.lines, *changes.added),
        shipping=changes.shipping or order.shipping,
        destination=changes.destination or order.destination,
        contact=changes.contact or order.contact,
    )


def _decided_anew(order: Order) -> Order:
    """What waits for stock, or for its turn, is routed together with what is new; it keeps its
    place in line."""
    lines = tuple(line.move("backordered", "open", line.backordered) for line in order.lines)
    return replace(order, lines=lines, deferred_until=None, resolution="")


def _ended(order: Order, edit: Edit, status: EditStatus) -> Order:
    return _noted(order, replace(edit, changes=_NO_CHANGES, status=status))


def _noted(order: Order, edit: Edit) -> Order:
    others = tuple(each for each in order.edits if each.edit_id != edit.edit_id)
    return replace(order, edits=(*others, edit))


def freed(event: e.OrderEdited, order: Order) -> Iterator[tuple[str, Quantity]]:
    """Units that leave fulfillment orders, seen from the order before: cancelled, or routed
    anew."""
    for unit in event.units:
        if unit.fulfillment_order_id and unit.fulfillment_order_id not in event.taken_back:
            yield unit.fulfillment_order_id, Quantity(unit.line_id, unit.quantity)
    for identity in event.taken_back:
        for quantity in order.fulfillment_order(identity).lines:
            yield identity, quantity
