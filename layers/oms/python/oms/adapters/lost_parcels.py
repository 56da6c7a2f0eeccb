"""Parcels that nobody has heard of for too long are lost, until somebody hears of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from oms.adapters.orders_table import OrdersTable
from oms.domain.commands import RecordScans
from oms.domain.order import Order
from oms.domain.tracking import TrackingStatus, scan
from oms.domain.watching import SILENCE, TrackingPolicy, silent

ACTOR = "system:tracking"


def give_up_silent(
    orders: OrdersTable, order: Order, policy: TrackingPolicy, now: datetime
) -> Order:
    """A scan that nobody made says that the parcel is lost; one that comes later moves it on."""
    for command in list(silences(order, policy, now)):
        order = orders.change(order.order_id, command, at=now, actor=ACTOR, seen=order)
    return order


def silences(order: Order, policy: TrackingPolicy, now: datetime) -> Iterator[RecordScans]:
    """Lost since it was last heard of: whatever was seen after that moves it on, also what is told
    only now; and who else gives it up says the same."""
    for each, heard_at in silent(order, policy, now):
        number = (each.carrier, each.tracking_number)
        lost = scan(*number, TrackingStatus.LOST, heard_at, SILENCE)
        yield RecordScans(*number, (lost,))
