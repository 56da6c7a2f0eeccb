"""eBay's orders, in our words. Source: the Fulfillment API, `getOrder`.

The cost of a line is for all its units, before its discounts. Taxes that eBay collects itself are
in no total of the seller's. Amounts are decimal strings.
"""

from __future__ import annotations

from collections.abc import Iterator

from oms.adapters.channels.base import Cancelled, Fetch, Fulfilled, Ignored, Refunded, Updated, What
from oms.adapters.channels.reading import Reader, instant, kept_day, sold, taken
from oms.adapters.channels.shop_fields import (
    Json,
    customer,
    discount,
    first,
    mailbox,
    tax,
    text,
    unit_price,
)
from oms.contracts.api.orders import ChannelOrder

READER = Reader("ebay")

PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED"})
ASKED_BACK = frozenset({"IN_PROGRESS", "CANCEL_REQUESTED"})
PICKUP = frozenset({"PREPARE_FOR_PICKUP"})
DONE = frozenset({"REFUNDED", "COMPLETED"})


def said_of(order: Json, channel: str) -> tuple[What, ...]:
    """An order without its prices is asked for."""
    order_id = READER.identity(order.get("orderId"), "the order's id")
    at = instant(order.get("lastModifiedDate"))
    if text(READER.within(order, "cancelStatus").get("cancelState")) == "CANCELED":
        return (Cancelled(channel, order_id, "cancelled on eBay", at=at),)
    if text(order.get("orderPaymentStatus")) == "FAILED":
        return (Ignored("its payment failed"),)
    lines = READER.objects(order, "lineItems")
    if not lines or not all(line.get("lineItemCost") for line in lines):
        return (Fetch(channel, order_id),)
    return tuple(_told(order, order_id, channel))


def _told(order: Json, order_id: str, channel: str) -> Iterator[What]:
    at = instant(order.get("lastModifiedDate"))
    found = _order(order, order_id, channel)
    yield Updated(found, at)
    for refund in READER.objects(READER.within(order, "paymentSummary"), "refunds"):
        if text(refund.get("refundStatus")) in DONE and refund.get("refundId"):
            yield _refund(refund, order_id, channel, found.currency)
    if text(order.get("orderFulfillmentStatus")) == "FULFILLED":
        yield Fulfilled(channel, order_id, f"{order_id}:fulfilled", at=at)


def _refund(refund: Json, order_id: str, channel: str, currency: str) -> Refunded:
    return Refunded(
        channel,
        order_id,
        READER.identity(refund.get("refundId"), "a refund's id"),
        _amount(refund, "amount", currency),
        currency,
        at=instant(refund.get("refundDate")),
    )


def _order(order: Json, order_id: str, channel: str) -> ChannelOrder:
    summary = READER.within(order, "pricingSummary")
    lines = [x for x in READER.objects(order, "lineItems") if x.get("quantity") != 0]
    cost = READER.within(lines[0], "lineItemCost") if lines else {}
    currency = READER.currency(
        READER.within(summary, "total").get("currency") or cost.get("currency")
    )
    read = [_line(line, currency) for line in lines]
    shipping = _shipping(summary, lines, currency)
    goods = shipping["price"] + sum(_goods(line, currency) for line in lines)
    taxes = sum(each["amount"] for line in read for each in line["taxes"])
    total = _amount(summary, "total", currency) if summary.get("total") else goods + taxes
    captured, hold = _captured(order, total)
    return sold(
        {
            "channel": channel,
            "external_id": order_id,
            "currency": currency,
            "customer": _customer(order),
            "shipping_address": _address(order),
            "lines": read,
            "shipping": shipping,
            "total": total,
            "deliver_by": _deliver_by(lines),
            "tags": ["pickup"] if _starts(order, PICKUP) else [],
            **taken(order_id, captured, total, hold),
        },
        including=goods,
        excluding=goods + taxes,
    )


def _amount(holder: Json, name: str, currency: str) -> int:
    if not (money := READER.within(holder, name)):
        return 0
    READER.same(money.get("currency"), currency)
    return READER.amount(money.get("value"), currency)


def _line(line: Json, currency: str) -> Json:
    line_id = READER.identity(line.get("lineItemId"), "a line's id")
    quantity = READER.count(line.get("quantity"), "a quantity")
    if not quantity:
        raise READER.refused("a quantity is 0")
    price, rounding = unit_price(_amount(line, "lineItemCost", currency), quantity)
    taxes = READER.objects(line, "taxes")
    return {
        "sku": _sku(line, line_id),
        "quantity": quantity,
        "external_id": line_id,
        "unit_price": price,
        "discounts": [*rounding, *discount(_promotion(line), _off(line, currency))],
        "taxes": [
            found
            for each in taxes
            for found in tax(_amount(each, "amount", currency), text(each.get("taxType")))
        ],
    }


def _goods(line: Json, currency: str) -> int:
    return _amount(line, "lineItemCost", currency) - _off(line, currency)


def _off(line: Json, currency: str) -> int:
    if line.get("discountedLineItemCost"):
        cost = _amount(line, "lineItemCost", currency)
        return cost - _amount(line, "discountedLineItemCost", currency)
    promotions = READER.objects(line, "appliedPromotions")
    return sum(abs(_amount(each, "discountAmount", currency)) for each in promotions)


def _promotion(line: Json) -> str:
    promotions = READER.objects(line, "appliedPromotions")
    return first(*(each.get("promotionId") for each in promotions)) or "promotion"


def _sku(line: Json, line_id: str) -> str:
    """Listings that keep no SKU have variations; what has neither is known by its listing."""
    if found := text(line.get("sku"))[:100]:
        return found
    for kind, name in (("variant", "legacyVariationId"), ("product", "legacyItemId")):
        if found := text(line.get(name))[:80]:
            return f"{kind}:{found}"
    return f"line:{line_id}"[:100]


def _shipping(summary: Json, lines: list[Json], currency: str) -> Json:
    """Delivery less its discount (a negative amount), and fees and adjustments of the order."""
    if summary.get("deliveryCost"):
        price = _amount(summary, "deliveryCost", currency)
        price -= abs(_amount(summary, "deliveryDiscount", currency))
    else:
        costs = (READER.within(line, "deliveryCost") for line in lines)
        price = sum(_amount(each, "shippingCost", currency) for each in costs)
    extra = _amount(summary, "fee", currency) + _amount(summary, "adjustment", currency)
    return {"method": "standard", "price": price + extra}


def _captured(order: Json, total: int) -> tuple[int, str]:
    """Money of a state that is not told was paid where a day of payment is."""
    status = text(order.get("orderPaymentStatus"))
    payments = READER.objects(READER.within(order, "paymentSummary"), "payments")
    paid = status in PAID or (not status and any(each.get("paymentDate") for each in payments))
    state = text(READER.within(order, "cancelStatus").get("cancelState"))
    if state in ASKED_BACK:
        return (total if paid else 0), "the buyer asks to cancel"
    return (total, "") if paid or not total else (0, f"the payment is {status or 'not known'}")


def _deliver_by(lines: list[Json]) -> str | None:
    told = (READER.within(line, "lineItemFulfillmentInstructions") for line in lines)
    days = [day for each in told if (day := kept_day(each.get("maxEstimatedDeliveryDate")))]
    return min(days, default=None)


def _starts(order: Json, kinds: frozenset[str]) -> bool:
    found = READER.objects(order, "fulfillmentStartInstructions")
    return any(text(each.get("fulfillmentInstructionsType")) in kinds for each in found)


def _recipient(order: Json) -> Json:
    for each in READER.objects(order, "fulfillmentStartInstructions"):
        if found := READER.within(READER.within(each, "shippingStep"), "shipTo"):
            return found
    return {}


def _customer(order: Json) -> Json | None:
    """eBay's name for the buyer stands in for one that is not told."""
    recipient, buyer = _recipient(order), READER.within(order, "buyer")
    phone = READER.within(recipient, "primaryPhone").get("phoneNumber")
    name = first(recipient.get("fullName"), buyer.get("username"))
    return customer(mailbox(recipient.get("email")), name, text(phone))


def _address(order: Json) -> Json | None:
    recipient = _recipient(order)
    address = READER.within(recipient, "contactAddress")
    if not text(address.get("countryCode")):
        return None
    phone = READER.within(recipient, "primaryPhone").get("phoneNumber")
    return {
        "name": text(recipient.get("fullName")),
        "company": text(recipient.get("companyName")),
        "line1": text(address.get("addressLine1")),
        "line2": text(address.get("addressLine2")),
        "city": text(address.get("city")),
        "region": first(address.get("stateOrProvince"), address.get("county")),
        "postal_code": text(address.get("postalCode")),
        "country": text(address.get("countryCode")),
        "phone": text(phone),
    }
