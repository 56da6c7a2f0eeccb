"""Amazon's orders, of the Orders API v0 and of 2026-01-01, in one form and then in our words.

Both say the price of a line for all its units. Prices contain the tax in some marketplaces and not
in others: the order's total tells. Gift wrap, cash-on-delivery fees and tips are no goods: they are
charged with the shipping. What Amazon ships itself is none of our business.
"""

from __future__ import annotations

from collections.abc import Iterator

from oms.adapters.channels import amazon_orders_2026 as v2026
from oms.adapters.channels import amazon_orders_v0 as v0
from oms.adapters.channels.amazon_sales import READER, AmazonOrder, Item
from oms.adapters.channels.base import Cancelled, Fetch, Fulfilled, Ignored, Updated, What
from oms.adapters.channels.reading import instant, sold, taken
from oms.adapters.channels.shop_fields import Json, discount, tax, unit_price
from oms.contracts.api.orders import ChannelOrder

UNPAID = frozenset({"PENDING", "PENDINGAVAILABILITY"})
SHIPPED = frozenset({"SHIPPED", "INVOICEUNCONFIRMED"})
CANCELLED = frozenset({"CANCELED", "CANCELLED"})
OPEN = frozenset({"UNSHIPPED", "PARTIALLYSHIPPED"}) | SHIPPED


def said_of(order: Json, channel: str) -> tuple[What, ...]:
    """What an order of either version is for us. One without its items is asked for."""
    is_v0 = "AmazonOrderId" in order
    if not is_v0 and "salesChannel" not in order:
        raise READER.refused("no order of a marketplace: it says no sales channel")
    order_id = READER.identity(order.get("AmazonOrderId" if is_v0 else "orderId"), "the order's id")
    status, by_amazon = (v0.standing if is_v0 else v2026.standing)(order)
    if by_amazon:
        return (Ignored("Amazon ships it itself"),)
    if status in UNPAID:
        return (Ignored("it waits for its payment; Amazon tells when it is to be shipped"),)
    at = instant(order.get("LastUpdateDate" if is_v0 else "lastUpdatedTime"))
    if status in CANCELLED:
        return (Cancelled(channel, order_id, "cancelled on Amazon", at=at),)
    if status and status not in OPEN:
        return (Ignored(f"its status is {status[:60]}"),)
    if not status or not order.get("OrderItems" if is_v0 else "orderItems"):
        return (Fetch(channel, order_id),)
    return tuple(_told((v0.order_of if is_v0 else v2026.order_of)(order), channel))


def _told(order: AmazonOrder, channel: str) -> Iterator[What]:
    if not order.items:
        yield Cancelled(channel, order.order_id, "no unit is left of it", at=order.at)
        return
    yield Updated(_in_our_words(order, channel), order.at)
    for parcel in order.parcels:
        yield Fulfilled(
            channel,
            order.order_id,
            parcel.parcel_id,
            parcel.units,
            parcel.carrier,
            parcel.tracking_number,
            parcel.at,
        )
    if order.status in SHIPPED and not order.parcels:
        yield Fulfilled(channel, order.order_id, f"{order.order_id}:shipped", at=order.at)


def _in_our_words(order: AmazonOrder, channel: str) -> ChannelOrder:
    lines = [_line(item) for item in order.items]
    shipping, fees = _shipping(order)
    goods = sum(item.price - item.discount for item in order.items) + shipping + fees
    taxes = sum(item.tax + item.shipping_tax + item.fee_tax for item in order.items)
    total = goods + taxes if order.total is None else order.total
    asked = next((item.asked_back for item in order.items if item.asked_back), "")
    hold = f"the buyer asks to cancel: {asked}" if asked else order.hold
    captured = 0 if order.hold else total
    return sold(
        {
            "channel": channel,
            "external_id": order.order_id,
            "currency": order.currency,
            "customer": order.customer,
            "shipping_address": order.address,
            "lines": lines,
            "shipping": {
                "method": order.method or "standard",
                "price": shipping + fees,
                "taxes": tax(sum(x.shipping_tax + x.fee_tax for x in order.items), "shipping"),
            },
            "total": total,
            "deliver_by": order.deliver_by,
            "tags": list(order.tags),
            **taken(order.order_id, captured, total, hold),
        },
        including=goods,
        excluding=goods + taxes,
    )


def _shipping(order: AmazonOrder) -> tuple[int, int]:
    fees = order.extra + sum(item.fees for item in order.items)
    return sum(item.shipping for item in order.items), fees


def _line(item: Item) -> Json:
    price, rounding = unit_price(item.price, item.quantity)
    return {
        "sku": item.sku,
        "quantity": item.quantity,
        "external_id": item.item_id,
        "unit_price": price,
        "discounts": [*rounding, *discount(item.promotion or "promotion", item.discount)],
        "taxes": tax(item.tax),
    }
