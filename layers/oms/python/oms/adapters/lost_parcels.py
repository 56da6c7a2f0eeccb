"""Parcels that nobody has heard of for too long are lost, until somebody hears of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from oms.adapters.orders_table import OrdersTable
from oms.domain.commands import RecordScans
from oms.domain.fulfillment import Parcel
from oms.domain.order import Order
from oms.domain.tracking import TrackingStatus, scan
from oms.domain.watching import SILENCE, TrackingPolicy, silent

ACTOR = "system:tracking"


def give_up_silent(
    orders: OrdersTable, order: Order, policy: TrackingPolicy, now: datetime
) -> Order:
    """A scan that nobody made says that the parcel is lost; one that comes later moves it on."""
    for command in _silences(silent(order, policy, now), now):
        order = orders.change(order.order_id, command, at=now, actor=ACTOR, seen=order)
    return order


def _silences(parcels: Iterable[Parcel], now: datetime) -> list[RecordScans]:
    return [
        RecordScans(
            each.carrier,
            each.tracking_number,
            (scan(each.carrier, each.tracking_number, TrackingStatus.LOST, now, SILENCE),),
        )
        for each in parcels
    ]
