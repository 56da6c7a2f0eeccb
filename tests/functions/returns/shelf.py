"""Returns under way, over real tables: what the tests of their workflow begin from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from oms.domain import commands as c
from oms.domain.order import Order
from oms.domain.returns import (
    Acceptance,
    Disposition,
    Inspected,
    Received,
    Resolution,
    Return,
    ReturnLine,
    Terms,
)
from tests.functions.world import World, an_order, now

TAKEN_BACK = (Inspected("line_1", 1, Acceptance.ACCEPTED, Disposition.RESTOCK),)
CAME = (Received("line_1", 1),)
A_WEEK = timedelta(days=7)


def delivered(world: World) -> Order:
    """Two mugs, paid and with the customer."""
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    world.route(order_id)
    world.pack(order_id)
    world.ship(order_id)
    world.pay(order_id)
    return world.deliver(order_id)


def asked(world: World, **how: Any) -> Return:
    """For one of the mugs."""
    order = delivered(world)
    wish = c.RequestReturn((ReturnLine("line_1", 1, "too_small"),), Resolution.REFUND, **how)
    return world.do(order.order_id, wish).returns[0]


def approved(
    world: World,
    terms: Terms = Terms(),  # noqa: B008
    until: datetime | None = None,
    **how: Any,
) -> Return:
    return asked(world, terms=terms, expires_at=until or now() + A_WEEK, **how)


def receipt(found: Return, **more: Any) -> c.ReceiveReturn:
    return c.ReceiveReturn(found.return_id, "AUSTIN", CAME, **more)


def inspection(found: Return) -> c.InspectReturn:
    return c.InspectReturn(found.return_id, TAKEN_BACK)
