"""What keeps an order from going on: holds, and what a person must decide."""

from __future__ import annotations

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide, not_final
from oms.domain.holds import HoldStep, NewHold
from oms.domain.order import Order
from oms.domain.screening import VerdictKind, held_by

TIME_IS_OVER = "its time is over"
NOT_ACCEPTED = "not_accepted"


@decide.register
def _(command: c.PlaceHold, order: Order) -> tuple[e.Event, ...]:
    hold = NewHold(command.type, command.reason, command.blocks, command.until)
    if hold.blocks != (HoldStep.REFUND,):  # what is over has no other step to be kept from
        not_final(order, "be held")
    return _laid_over(order, hold)


def _laid_over(order: Order, *holds: NewHold) -> tuple[e.Event, ...]:
    return tuple(
        e.HoldPlaced(f"hold_{number}", hold.type, hold.reason, hold.blocks, hold.until)
        for number, hold in enumerate(holds, len(order.holds) + 1)
    )


@decide.register
def _(command: c.ReleaseHold, order: Order) -> tuple[e.Event, ...]:
    held = {hold.hold_id for hold in order.active_holds}
    return (e.HoldReleased(command.hold_id, command.reason),) if command.hold_id in held else ()


@decide.register
def _(command: c.EndHolds, order: Order) -> tuple[e.Event, ...]:
    """Money that is kept back without an end is asked about once."""
    due = [hold for hold in order.active_holds if hold.due_at and hold.due_at <= command.at]
    over = tuple(e.HoldReleased(hold.hold_id, TIME_IS_OVER) for hold in due if hold.until)
    endless = [hold for hold in due if not hold.until]
    if not endless or order.attention:
        return over
    reason = f"{endless[0].hold_id} ({endless[0].type}) keeps refunds back"
    return (*over, e.OrderNeedsAttention(reason))


@decide.register
def _(command: c.RecordVerdict, order: Order) -> tuple[e.Event, ...]:
    verdict = command.verdict
    if order.verdict is not None or order.is_final:
        return ()
    screened = e.OrderScreened(verdict)
    rejected = verdict.kind is VerdictKind.REJECT
    if rejected and command.screening.cancel_rejected:
        return (screened, *decide(c.CancelOrder(NOT_ACCEPTED), after(order, screened)))
    holds = _laid_over(order, *held_by(verdict, command.screening))
    asked = (e.OrderNeedsAttention(verdict.told),) if rejected and not order.attention else ()
    return (screened, *holds, *asked)


@decide.register
def _(command: c.RaiseAttention, order: Order) -> tuple[e.Event, ...]:
    if command.return_id:
        known = order.return_(command.return_id).attention == command.reason
        return () if known else (e.OrderNeedsAttention(command.reason, command.return_id),)
    if order.is_final or order.attention == command.reason:
        return ()  # what is over needs nobody, but for money that did not move: that says so itself
    return (e.OrderNeedsAttention(command.reason),)


@decide.register
def _(command: c.ResolveAttention, order: Order) -> tuple[e.Event, ...]:
    concerned = order.return_(command.return_id) if command.return_id else order
    if not concerned.attention:
        return ()
    return (e.AttentionResolved(command.resolution, command.return_id),)
