"""What keeps an order from going on: holds, and what a person must decide."""

from __future__ import annotations

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import decide, not_final
from oms.domain.order import Order


@decide.register
def _(command: c.PlaceHold, order: Order) -> tuple[e.Event, ...]:
    not_final(order, "be held")
    return (e.HoldPlaced(f"hold_{len(order.holds) + 1}", command.type, command.reason),)


@decide.register
def _(command: c.ReleaseHold, order: Order) -> tuple[e.Event, ...]:
    held = {hold.hold_id for hold in order.active_holds}
    return (e.HoldReleased(command.hold_id, command.reason),) if command.hold_id in held else ()


@decide.register
def _(command: c.RaiseAttention, order: Order) -> tuple[e.Event, ...]:
    if order.is_final or order.attention == command.reason:
        return ()  # what is over needs nobody, but for money that did not move: that says so itself
    return (e.OrderNeedsAttention(command.reason),)


@decide.register
def _(command: c.ResolveAttention, order: Order) -> tuple[e.Event, ...]:
    return (e.AttentionResolved(command.resolution),) if order.attention else ()
