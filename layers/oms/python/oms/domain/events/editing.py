"""An order is changed after it was placed."""

from __future__ import annotations

from dataclasses import dataclass

from oms.domain.edits import Edit
from oms.domain.events.orders import CancelledUnits
from oms.domain.lines import Shipping
from oms.domain.payment import Operation


@dataclass(frozen=True, slots=True)
class OrderEditAccepted:
    """It costs more: it is applied when `operation` has authorized the difference."""

    edit: Edit
    operation: Operation


@dataclass(frozen=True, slots=True)
class OrderEdited:
    """`units` are those that its removals cancel; what the fulfillment orders `taken_back` have is
    routed anew. `shipping_before`: where shipping changes."""

    edit: Edit
    units: tuple[CancelledUnits, ...] = ()
    taken_back: tuple[str, ...] = ()
    shipping_before: Shipping | None = None


@dataclass(frozen=True, slots=True)
class OrderEditDeclined:
    """The difference was not paid, or the order has moved on: it stays as it is."""

    edit_id: str
    reason: str
