"""How an order answers commands: the dispatch, and what every answer is checked against."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch

from oms.domain import events as e
from oms.domain.errors import IllegalTransition, OnHold
from oms.domain.holds import HoldStep
from oms.domain.order import Fact, Order, apply


def facts(
    order_id: str, order: Order | None, events: Iterable[e.Event], at: datetime, actor: str
) -> tuple[tuple[Fact, ...], Order]:
    """Give events their place in the history, and the order after them."""
    recorded: list[Fact] = []
    for event in events:
        fact = Fact((order.version if order else 0) + 1, at, actor, event)
        order = apply(order_id, order, fact)
        recorded.append(fact)
    if order is None:
        raise ValueError("an order begins with an event")
    return tuple(recorded), order


@singledispatch
def decide(command: object, order: Order) -> tuple[e.Event, ...]:
    """Events that answer the command; none when it is already so. `Refused` changes nothing."""
    raise TypeError(f"no order understands {type(command).__name__}")


def after(order: Order, *events: e.Event) -> Order:
    """The order as it would be; the time of a thought does not matter."""
    return facts(order.order_id, order, events, order.placed_at, "")[1]


def not_on_hold(order: Order, step: HoldStep) -> None:
    if holds := order.held_from(step):
        raise OnHold(order.order_id, tuple(hold.type for hold in holds))


def not_final(order: Order, wish: str) -> None:
    if order.is_final:
        raise IllegalTransition(order.order_id, order.status, wish)
