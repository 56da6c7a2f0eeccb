"""What was done to an order at its channel is done here, in one step with its money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.channel_orders import (
    EXTERNAL,
    THERE,
    given_back_there,
    is_theirs,
    still_elsewhere,
    still_to_cancel,
    taken_there,
)
from oms.domain.crediting import creditable
from oms.domain.decide.cancelling import called_off, units_to_cancel
from oms.domain.decide.deciding import after, decide
from oms.domain.decide.editing import due_for, edited_by
from oms.domain.decide.fulfillment import completed
from oms.domain.decide.payment import asked_for, money_back
from oms.domain.fulfillment import NOT_BEGUN, Quantity
from oms.domain.ids import credit_id, fulfillment_order_id
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus, Shares, Tender
from oms.domain.refunds import Credit, CreditKind, CreditPart, PartKind


@decide.register
def _(command: c.FollowChannel, order: Order) -> tuple[e.Event, ...]:
    events: tuple[e.Event, ...] = ()
    for step in (_authorized, _edited, _taken, _cancelled, _given_back, _held, _elsewhere, _told):
        now = after(order, *events)
        events = (*events, *_recorded(now, tuple(step(command, now))))
    return events


def _recorded(order: Order, events: tuple[e.Event, ...]) -> tuple[e.Event, ...]:
    """What these events ask the channel for has happened there."""
    while asked := _asked(after(order, *events), events):
        done = _success(asked)
        events = (*events, *decide(done, after(order, *events)))
    return events


def _asked(order: Order, events: tuple[e.Event, ...]) -> Operation | None:
    requests = (e.PaymentOperationRequested, e.OrderEditAccepted)
    new = {each.operation.operation_id for each in events if isinstance(each, requests)}
    found = (
        each
        for each in order.payment.unsettled
        if each.operation_id in new and is_theirs(order, each)
    )
    return next(found, None)


def _success(operation: Operation) -> c.RecordPaymentResult:
    done = OperationStatus.SUCCEEDED
    return c.RecordPaymentResult(operation.operation_id, operation.attempt, done, THERE)


def _authorized(command: c.FollowChannel, order: Order) -> tuple[e.Event, ...]:
    """Nobody has asked for it yet, and the money moves already."""
    moves = command.edit or command.taken or command.refunded
    if not moves and not (command.fulfilled and _is_sure(order)):
        return ()
    events: tuple[e.Event, ...] = ()
    for each in order.payment.authorizations:
        if not each.settled and not each.cause and is_theirs(order, each):
            events = (*events, *decide(_success(each), after(order, *events)))
    return events


def _edited(command: c.FollowChannel, order: Order) -> tuple[e.Event, ...]:
    """What it costs more is with the channel."""
    edit = command.edit
    if edit is None or order.edit(edit.edit_id):
        return ()
    then = after(order, edited_by(order, edit))
    due, prepaid = due_for(then), command.taken >= then.payable
    apply = c.ApplyEdit(edit.edit_id, edit.changes, edit.reason, due, EXTERNAL, prepaid)
    return decide(apply, order)


def _taken(command: c.FollowChannel, order: Order) -> tuple[e.Event, ...]:
    """What was given back was taken before."""
    missing = max(command.taken, command.refunded) - taken_there(order)
    shares = _shared(missing, ((each, each.left) for each in order.payment.tenders), order)
    return asked_for(order, *((OperationKind.CAPTURE, share) for share in shares))


def _cancelled(command: c.FollowChannel, order: Order) -> tuple[e.Event, ...]:
    wanted = tuple(still_to_cancel(order, command.called_off))
    if not wanted or order.is_final:
        return ()
    return called_off(order, units_to_cancel(order, wanted), command.reason)


def _given_back(command: c.FollowChannel, order: Order) -> tuple[e.Event, ...]:
    """What the channel gave back, and our books did not."""
    rest = command.refunded - command.ours - given_back_there(order)
    rooms = ((each, each.refundable) for each in reversed(order.payment.tenders))
    shares = _shared(min(rest, creditable(order)), rooms, order)
    if not (amount := sum(part for _, part in shares)):
        return ()
    identity = credit_id(order.order_id, len(order.credits) + 1)
    part, reason = CreditPart(PartKind.GOODWILL, amount), command.refund_reason
    granted = e.RefundGranted(Credit(identity, CreditKind.GOODWILL, amount, (part,), reason=reason))
    asked = ((OperationKind.REFUND, share) for share in shares)
    return (granted, *asked_for(after(order, granted), *asked, cause=identity))


def _shared(amount: int, rooms: Iterator[tuple[Tender, int]], order: Order) -> Shares:
    """Over what was paid at the channel: nobody else is asked for it."""
    shares: list[tuple[str, int]] = []
    for tender, room in rooms:
        part = min(amount, room)
        if part > 0 and is_theirs(order, tender.operation):
            shares.append((tender.operation_id, part))
            amount -= part
    return tuple(shares)


def _held(command: c.FollowChannel, order: Order) -> Iterator[e.Event]:
    active = {hold.type for hold in order.active_holds}
    for hold in order.active_holds:
        if hold.type in command.released and hold.placed_by == command.by:
            yield e.HoldReleased(hold.hold_id, "in order at the channel")
    new = [each for each in command.holds if each.type not in active and not order.is_final]
    for number, each in enumerate(new, len(order.holds) + 1):
        yield e.HoldPlaced(f"hold_{number}", each.type, each.reason, each.blocks, each.until)


def _is_sure(order: Order) -> bool:
    """Whether the channel lets the goods go for this money."""
    return all(hold.type != "payment" for hold in order.active_holds)


def _elsewhere(command: c.FollowChannel, order: Order) -> tuple[e.Event, ...]:
    """All that others have shipped, or nothing: what somebody has begun to pick may leave twice,
    and a person stops it. While a plan's stock is being taken, its locations may begin any time."""
    wanted = still_elsewhere(order, command.fulfilled)
    ready = order.is_paid_for and _is_sure(order) and order.routing_plan is None
    units = tuple(unit for each in wanted for unit in _not_begun(order, each))
    if not wanted or order.is_final or not ready or _count(units) < _count(wanted):
        return ()
    identity = fulfillment_order_id(order.order_id, len(order.fulfillment_orders) + 1)
    theirs = e.UnitsFulfilledElsewhere(identity, units, command.reference)
    shares = after(order, theirs).shares_owed(OperationKind.CAPTURE)
    asked = ((OperationKind.CAPTURE, share) for share in shares)
    events: tuple[e.Event, ...] = (theirs, *asked_for(order, *asked, cause=identity))
    left = after(order, *events)
    return (*events, *money_back(left), *completed(left))


def _not_begun(order: Order, wanted: Quantity) -> Iterator[e.CancelledUnits]:
    line, left = order.line(wanted.line_id), wanted.quantity
    boxes = (x for x in reversed(order.fulfillment_orders) if x.status in NOT_BEGUN)
    places = [("open", line.open, ""), ("backordered", line.backordered, "")]
    places += [("allocated", x.quantity(line.line_id), x.fulfillment_order_id) for x in boxes]
    for source, units, box in places:
        if taken := min(left, units):
            yield e.CancelledUnits(line.line_id, taken, source, box)
            left -= taken


def _count(units: Iterable[Quantity | e.CancelledUnits]) -> int:
    return sum(each.quantity for each in units)


def _told(command: c.FollowChannel, order: Order) -> Iterator[e.Event]:
    """Also of an order that is over: only a person can get back what was shipped in vain."""
    if command.attention and order.attention != command.attention:
        yield e.OrderNeedsAttention(command.attention)
