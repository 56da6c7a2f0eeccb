"""Change sets: what an order would cost with them, and what follows when they are applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.cancelling import units_to_cancel
from oms.domain.decide.deciding import after, decide
from oms.domain.decide.fulfillment import completed
from oms.domain.decide.payment import money_back
from oms.domain.edits import (
    Changes,
    Edit,
    EditDiffers,
    EditStatus,
    Figures,
    NotEditable,
    Preview,
    Repaid,
)
from oms.domain.errors import NotFound, Refused
from oms.domain.fulfillment import NOT_BEGUN, Delivery, FulfillmentOrder, FulfillmentStatus
from oms.domain.lines import Line, Shipping
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import Operation, OperationKind

INSTEAD = {
    OrderStatus.CANCELLED: "is cancelled: place a new order",
    OrderStatus.EXPIRED: "has expired: place a new order",
    OrderStatus.COMPLETED: "is completed: return what is not wanted, order the rest anew",
}
MAX_LINES = 5_000


@decide.register
def _(command: c.ApplyEdit, order: Order) -> tuple[e.Event, ...]:
    if (known := order.edit(command.edit_id)) is not None:
        return _said_before(order, known)
    if (other := order.awaited_edit) is not None:
        why = f"awaits the payment of {other.edit_id}: discard that edit, or wait for its end"
        raise NotEditable(order.order_id, why)
    edit = Edit(command.edit_id, command.changes, command.reason)
    edited = edited_by(order, edit)
    due = due_for(after(order, edited))
    if due != command.due:
        raise EditDiffers(command.edit_id, due, command.due)
    return _accepted(order, edited, command) if due > 0 else _applied(order, edited)


def _said_before(order: Order, known: Edit) -> tuple[e.Event, ...]:
    if known.status is EditStatus.DECLINED:
        raise NotEditable(order.order_id, f"has declined {known.edit_id}: propose another")
    return ()


@decide.register
def _(command: c.CompleteEdit, order: Order) -> tuple[e.Event, ...]:
    """In the transaction that records the authorization: no one can come between."""
    edit = order.edit(command.edit_id)
    if edit is None or not edit.awaits_payment:
        return ()
    try:
        edited = edited_by(order, edit)
    except (Refused, NotFound) as why:
        return _dropped(order, edit, str(why))
    if (more := due_for(after(order, edited))) > 0:
        return _dropped(order, edit, f"the order has moved on: {more} more would be due")
    return _applied(order, edited)


@decide.register
def _(command: c.DeclineEdit, order: Order) -> tuple[e.Event, ...]:
    edit = order.edit(command.edit_id)
    if edit is None or not edit.awaits_payment:
        return ()
    return _dropped(order, edit, command.reason)


def _dropped(order: Order, edit: Edit, reason: str) -> tuple[e.Event, ...]:
    declined = e.OrderEditDeclined(edit.edit_id, reason)
    return (declined, *money_back(after(order, declined)))


def _applied(order: Order, edited: e.OrderEdited) -> tuple[e.Event, ...]:
    left = after(order, edited)
    return (edited, *money_back(left), *completed(left))


def _accepted(order: Order, edited: e.OrderEdited, command: c.ApplyEdit) -> tuple[e.Event, ...]:
    """The operation is named after the edit: its token can be kept before its number is known."""
    payment = order.payment
    like = payment.tender(command.like)
    if command.like and like is None:
        raise NotEditable(order.order_id, f"was not paid with {command.like}: give a payment")
    provider = payment.provider_of(like.operation) if like else command.provider
    operation = Operation(
        operation_of(command.edit_id),
        OperationKind.AUTHORIZE,
        command.due,
        cause=command.edit_id,
        provider="" if provider == payment.provider else provider,
        prepaid=command.prepaid,
        like=command.like,
    )
    awaiting = EditStatus.AWAITING_PAYMENT
    edit = replace(edited.edit, operation_id=operation.operation_id, status=awaiting)
    return (e.OrderEditAccepted(edit, operation),)


def operation_of(edit_id: str) -> str:
    return f"op_{edit_id}"


def edited_by(order: Order, edit: Edit) -> e.OrderEdited:
    """What the edit makes of the order as it is, or why it does not fit any more."""
    _editable(order)
    changes = edit.changes
    units = units_to_cancel(order, changes.removed) if changes.removed else ()
    left = after(order, e.OrderLinesCancelled(units, edit.reason)) if units else order
    if not changes.added and not any(x.quantity > x.cancelled for x in left.lines):
        raise NotEditable(order.order_id, "would be left with nothing: cancel it instead")
    return e.OrderEdited(
        replace(edit, changes=replace(changes, added=_numbered(order, changes.added))),
        units,
        taken_back=tuple(_to_take_back(left, changes)),
        shipping_before=_former_shipping(order, changes),
    )


def _editable(order: Order) -> None:
    if order.status in INSTEAD:
        raise NotEditable(order.order_id, INSTEAD[order.status])
    if not order.is_paid_for:
        raise NotEditable(order.order_id, "is not paid for: edit it when it is, or cancel it")


def _numbered(order: Order, added: Sequence[Line]) -> tuple[Line, ...]:
    """Line ids go on, whatever ids they had when they were proposed."""
    if len(order.lines) + len(added) > MAX_LINES:
        raise NotEditable(order.order_id, f"cannot have more than {MAX_LINES} lines: place another")
    known = {line.line_id for line in order.lines}
    free = (f"line_{n}" for n in count(len(known) + 1) if f"line_{n}" not in known)
    return tuple(replace(line, line_id=next(free)) for line in added)


def _former_shipping(order: Order, changes: Changes) -> Shipping | None:
    if changes.shipping is None:
        return None
    if any(line.dispatched for line in order.lines):
        raise NotEditable(order.order_id, "has shipped in part: its shipping is earned, and stays")
    return order.shipping


def _to_take_back(order: Order, changes: Changes) -> Iterator[str]:
    """What goes to another place is routed anew; where only the household changes, the locations
    keep it, unless it is in a box that is addressed already."""
    if not changes.contact and changes.destination is None:
        return
    if not changes.added and not order.has_unshipped:
        raise NotEditable(order.order_id, "has shipped: ask the carrier, or have it returned")
    moves = changes.destination not in (None, order.destination)
    for each in order.fulfillment_orders:
        if each.in_warehouse and each.delivery is Delivery.SHIP:
            _not_too_late(each, moves=moves)
            if moves:
                yield each.fulfillment_order_id


def _not_too_late(of: FulfillmentOrder, *, moves: bool) -> None:
    if of.status is FulfillmentStatus.PACKED or (moves and of.status not in NOT_BEGUN):
        why = f"is {of.status}: have its location reject it, or wait until it has shipped"
        raise NotEditable(of.fulfillment_order_id, why)


def due_for(edited: Order) -> int:
    """What an order needs beside what it has; below zero: what it gives back at once."""
    missing = edited.payable - edited.secured
    return missing if missing > 0 else -edited.owed(OperationKind.REFUND)


def previewed(order: Order, changes: Changes) -> Preview:
    """On the order as it is; nothing is written. Raises what applying it would be refused for."""
    edited = edited_by(order, Edit("", changes))
    left = after(order, edited)
    due = due_for(left)
    return Preview(
        before=figures(order),
        after=figures(left),
        due=due,
        repaid=tuple(_repaid(left)) if due < 0 else (),
        released=max(0, left.secured + min(due, 0) - left.payable),
        taken_back=edited.taken_back,
    )


def _repaid(order: Order) -> Iterator[Repaid]:
    for identity, amount in order.shares_owed(OperationKind.REFUND):
        source = order.payment.operation(identity)
        yield Repaid(identity, source.provider or order.payment.provider, amount)


def figures(order: Order) -> Figures:
    """Of the units that are not cancelled; shipping is due while there are any."""
    kept = [(line, line.quantity - line.cancelled) for line in order.lines]
    shares = [line.discount_shares(0, units) for line, units in kept]
    own = sum(amount for each in shares for _, amount in each[:-1])
    ships = any(units for _, units in kept)
    shipping_tax = sum(tax.amount for tax in order.shipping.taxes) if ships else 0
    return Figures(
        subtotal=sum(line.unit_price * units for line, units in kept) - own,
        discounts=sum(each[-1][1] for each in shares),
        shipping=order.shipping.price if ships else 0,
        taxes=sum(line.tax(0, units) for line, units in kept) + shipping_tax,
        total=order.payable,
    )
