"""Where labels that nobody will use are given back for their money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from oms.adapters.carriers.labels import Bought, LabelRefused, Labels, Voided, Voiding
from oms.adapters.labels_table import LabelRow, LabelsTable, LabelStatus
from oms.domain.errors import IllegalTransition, Refused
from oms.domain.fulfillment import FulfillmentOrder, FulfillmentStatus
from oms.domain.ids import order_of_label
from oms.domain.order import Order

STOPPED = (FulfillmentStatus.REJECTED, FulfillmentStatus.CANCELLED)
USABLE = (LabelStatus.BOUGHT, LabelStatus.VOIDING)


class Orders(Protocol):
    def get(self, order_id: str) -> Order: ...


class VoidRefused(Refused):
    """The carrier keeps its money."""


@dataclass(frozen=True, slots=True)
class Till:
    orders: Orders
    rows: LabelsTable
    carrier: Callable[[str], Labels]
    clock: Callable[[], datetime]


def void(till: Till, label_id: str) -> tuple[Voiding, LabelRow]:
    """Twice is once. The row says that it is being voided before the carrier is asked."""
    row = till.rows.get(label_id)
    if row.status is LabelStatus.VOIDED:
        return Voiding.ALREADY, row
    _check_unused(till, row)
    labels = till.carrier(row.carrier)
    row = till.rows.save(replace(row, status=LabelStatus.VOIDING))
    found = _asked(labels, row.bought, till.clock())
    if found.outcome is Voiding.REFUSED:
        till.rows.save(replace(row, status=LabelStatus.BOUGHT))
        raise VoidRefused(found.why)
    voided = replace(row, status=LabelStatus.VOIDED, voided_at=till.clock())
    return found.outcome, till.rows.save(voided)


def void_unused(till: Till, order_id: str) -> dict[str, str]:
    """What became of the labels of boxes that will not leave, by label."""
    order = till.orders.get(order_id)
    rows = [row for row in till.rows.of_order(order_id) if row.status in USABLE]
    idle = [row for row in rows if _box(order, row).status in STOPPED]
    return {row.label_id: _given_back(till, row.label_id) for row in idle}


def _given_back(till: Till, label_id: str) -> str:
    try:
        return void(till, label_id)[0]
    except VoidRefused as error:
        return str(error)


def _asked(labels: Labels, label: Bought, at: datetime) -> Voided:
    try:
        return labels.void(label, at)
    except LabelRefused as error:
        return Voided(Voiding.REFUSED, str(error))


def _check_unused(till: Till, row: LabelRow) -> None:
    if row.status not in USABLE:
        raise IllegalTransition(row.label_id, row.status, "be voided")
    if row.manifest_id:
        raise VoidRefused(f"its parcel is on {row.manifest_id}")
    box = _box(till.orders.get(order_of_label(row.label_id)), row)
    number = (row.carrier, row.tracking_number)
    if number in {(parcel.carrier, parcel.tracking_number) for parcel in box.parcels}:
        raise VoidRefused("its parcel has been shipped")


def _box(order: Order, row: LabelRow) -> FulfillmentOrder:
    return order.fulfillment_order(row.fulfillment_order_id)
