"""What a shop is asked to do, in the words of its adapter, from the order's history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oms.adapters.channels.base import Units
from oms.adapters.channels.shop_api import CalledOff, GivenBack, Shipped
from oms.domain import events as e
from oms.domain.carrier_pages import tracking_url
from oms.domain.fulfillment import Quantity
from oms.domain.order import Fact, Order
from oms.domain.shop_tasks import Task, cancelled_units, reason_of, refund_of

Said = Shipped | CalledOff | GivenBack


def said(task: Task, order: Order, facts: Sequence[Fact]) -> Said:
    fact = next(each for each in facts if each.seq == task.seq)
    match fact.event:
        case e.FulfillmentOrderShipped(location_id=location, parcels=parcels):
            return _shipped(task, order, fact, location, parcels[task.part - 1])
        case e.FulfillmentOrderCollected(fulfillment_order_id=box, location_id=location):
            handed_over = e.PackedParcel("", "", order.fulfillment_order(box).lines)
            return _shipped(task, order, fact, location, handed_over)
        case e.PaymentRefunded(amount=amount):
            return _given_back(task, order, fact, facts, amount)
    return _called_off(task, order, fact)


def _shipped(
    task: Task, order: Order, fact: Fact, location: str, parcel: e.PackedParcel
) -> Shipped:
    return Shipped(
        key=task.key,
        external_id=order.external_id,
        units=_units(order, parcel.lines),
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        tracking_url=tracking_url(parcel.carrier, parcel.tracking_number),
        location_id=location,
        at=fact.at,
    )


def _called_off(task: Task, order: Order, fact: Fact) -> CalledOff:
    return CalledOff(
        key=task.key,
        external_id=order.external_id,
        units=_units(order, cancelled_units(fact.event)),
        reason=reason_of(fact.event),
        whole=isinstance(fact.event, e.OrderCancelled),
        at=fact.at,
    )


def _given_back(
    task: Task, order: Order, fact: Fact, facts: Sequence[Fact], amount: int
) -> GivenBack:
    refund = refund_of(fact, facts, order)
    return GivenBack(
        key=task.key,
        external_id=order.external_id,
        amount=amount,
        currency=order.currency,
        units=_units(order, refund.units),
        reason=refund.reason,
        at=fact.at,
    )


def _units(order: Order, quantities: Iterable[Quantity]) -> tuple[Units, ...]:
    lines = ((order.line(each.line_id), each.quantity) for each in quantities)
    return tuple(Units(quantity, line.external_id, line.sku) for line, quantity in lines)
