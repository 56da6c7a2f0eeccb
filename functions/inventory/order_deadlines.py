"""Deadlines of orders that no workflow waits for: stock that never came, days on which something is
released, goods that nobody collects, authorizations that end. Each looks at the order first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from functions.inventory.expected_days import retell_days
from oms.adapters.agenda import agenda
from oms.adapters.dynamodb import client, transact
from oms.adapters.items_table import items_table
from oms.adapters.routing.desk import Routing, routing
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.decide import OUT_OF_STOCK
from oms.domain.ids import order_of_fulfillment
from oms.domain.items import Backorders, StockItem
from oms.domain.order import (
    Order,
    awaited_items,
    backorder_deadline,
    next_release,
    overdue_backorders,
)
from oms.domain.payment import RENEW_BEFORE

ACTOR = "system"
NOT_COLLECTED = "not_collected"
NOT_PAID = "not paid in time"


class Items(Protocol):
    def of(self, items: Iterable[str]) -> Mapping[str, StockItem]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What the deadlines are decided with; `look_again` puts one (kind, subject, when) off."""

    routing: Routing
    items: Items
    look_again: Callable[[str, str, datetime], None]


def desk() -> Desk:
    return Desk(
        routing(),
        items_table(),
        lambda kind, subject, at: transact(client(), agenda().writes(kind, subject, at)),
    )


def cancel_backorder(desk: Desk, order_id: str, at: datetime) -> str:
    """Cancel what has waited for too long, and give its money back; the rest of the order goes on.

    A policy that has become more patient, or a release that is still to come, is waited for.
    """
    order = desk.routing.orders.get(order_id)
    policies = _policies(order, desk.items)
    overdue = overdue_backorders(order, at, policies)
    if overdue:
        command = c.CancelOrder(OUT_OF_STOCK, overdue, waiting=True)
        order = desk.routing.orders.change(order_id, command, at=at, actor=ACTOR)
    _put_off(desk, DueKind.CANCEL_BACKORDER, order_id, backorder_deadline(order, policies), at)
    return "cancelled" if overdue else "nothing to do"


def release_preorder(desk: Desk, order_id: str, at: datetime) -> str:
    """The day has come: serve the lines in which it stands, whoever is first in them."""
    order = desk.routing.orders.get(order_id)
    _put_off(desk, DueKind.RELEASE_PREORDER, order_id, next_release(order, at), at)
    return serve(desk, order, at)


def end_exclusion(desk: Desk, order_id: str, at: datetime) -> str:
    """A location may be asked again: what waits for stock may be there."""
    return serve(desk, desk.routing.orders.get(order_id), at)


def serve(desk: Desk, order: Order, at: datetime) -> str:
    lines = desk.routing.lines(at)
    woken = sum(map(lines.wake, awaited_items(order))) if order.is_backordered else 0
    return "woken" if woken else "nothing to do"


def cancel_pickup(desk: Desk, fulfillment_order_id: str, at: datetime) -> str:
    """Nobody came: the units go back to the shelf and the money to the customer. What a carrier
    has brought to the store needs a person, who sends it back."""
    order = desk.routing.orders.get(order_of_fulfillment(fulfillment_order_id))
    if not order.fulfillment_order(fulfillment_order_id).is_uncollected(at):
        return "nothing to do"
    command = c.CancelPickup(fulfillment_order_id, NOT_COLLECTED)
    desk.routing.orders.change(order.order_id, command, at=at, actor=ACTOR)
    return "cancelled"


def release_holds(desk: Desk, order_id: str, at: datetime) -> str:
    """Those whose time is over; one that keeps money back without an end needs a person."""
    before = desk.routing.orders.get(order_id)
    after = desk.routing.orders.change(order_id, c.EndHolds(at), at=at, actor=ACTOR, seen=before)
    return "released" if len(after.active_holds) < len(before.active_holds) else "nothing to do"


def renew_authorization(desk: Desk, order_id: str, at: datetime) -> str:
    """What ends soon is asked for again; what has ended cannot be captured any more."""
    orders = desk.routing.orders
    before = orders.get(order_id).version
    orders.change(order_id, c.ExpireAuthorization(at), at=at, actor=ACTOR)
    after = orders.change(order_id, c.RenewAuthorization(at + RENEW_BEFORE), at=at, actor=ACTOR)
    return "looked after" if after.version > before else "nothing to do"


def decline_edit(desk: Desk, subject: str, at: datetime) -> str:
    """Nobody has paid for it in time: the order goes on as it is. Money that comes later goes
    back."""
    order_id, _, edit_id = subject.partition("/")
    command = c.DeclineEdit(edit_id, NOT_PAID)
    edit = desk.routing.orders.change(order_id, command, at=at, actor=ACTOR).edit(edit_id)
    return edit.status if edit else "nothing to do"


HANDLERS: Mapping[str, Callable[[Desk, str, datetime], object]] = {
    DueKind.CANCEL_BACKORDER: cancel_backorder,
    DueKind.RELEASE_PREORDER: release_preorder,
    DueKind.END_EXCLUSION: end_exclusion,
    DueKind.CANCEL_PICKUP: cancel_pickup,
    DueKind.DECLINE_EDIT: decline_edit,
    DueKind.RELEASE_HOLD: release_holds,
    DueKind.RENEW_AUTHORIZATION: renew_authorization,
    DueKind.RETELL_DAYS: lambda desk, item, at: retell_days(desk.routing, item, at),
}


def _policies(order: Order, items: Items) -> Callable[[str], Backorders]:
    known = items.of(part.item for line in order.lines for part in line.parts)
    return lambda item: known[item].policy.backorders if item in known else Backorders()


def _put_off(desk: Desk, kind: str, subject: str, later: datetime | None, at: datetime) -> None:
    if later is not None and later > at:
        desk.look_again(kind, subject, later)
