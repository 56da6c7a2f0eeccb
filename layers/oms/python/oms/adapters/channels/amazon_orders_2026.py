"""Orders of the Orders API 2026-01-01."""

from __future__ import annotations

from typing import Any

from oms.adapters.channels.amazon_sales import (
    READER,
    AmazonOrder,
    Item,
    Parcel,
    sku_of,
    tags_of,
)
from oms.adapters.channels.base import Units
from oms.adapters.channels.reading import instant, kept_day, lines_of
from oms.adapters.channels.shop_fields import Json, customer, first, mailbox, text

FEES = ("GIFT_WRAP", "COD_FEE", "OTHER")
NOT_GONE = frozenset({"PENDING", "CANCELLED"})


def standing(order: Json) -> tuple[str, bool]:
    fulfillment = READER.within(order, "fulfillment")
    status = text(fulfillment.get("fulfillmentStatus")).upper().replace("_", "")
    return status, text(fulfillment.get("fulfilledBy")).upper() == "AMAZON"


def order_of(order: Json) -> AmazonOrder:
    proceeds, fulfillment = READER.within(order, "proceeds"), READER.within(order, "fulfillment")
    items = [x for x in READER.objects(order, "orderItems") if x.get("quantityOrdered") != 0]
    grand_total = READER.within(proceeds, "grandTotal")
    currency = READER.currency(grand_total.get("currencyCode") or _currency(items))
    window = READER.within(fulfillment, "deliverByWindow")
    return AmazonOrder(
        order_id=str(order["orderId"]),
        status=standing(order)[0],
        by_amazon=False,
        at=instant(order.get("lastUpdatedTime")),
        currency=currency,
        total=_money(grand_total, currency) if grand_total else None,
        items=tuple(_item(item, currency) for item in items),
        extra=_breakdown(proceeds, ("DELIVERY_TIP",), currency),
        customer=_buyer(order),
        address=_address(READER.within(READER.within(order, "recipient"), "deliveryAddress")),
        method=text(fulfillment.get("fulfillmentServiceLevel")),
        deliver_by=kept_day(window.get("latestDateTime")),
        tags=_programs(order),
        hold=_on_delivery(order),
        parcels=tuple(_parcel(each) for each in _gone(order)),
    )


def _currency(items: list[Json]) -> Any:
    found = (READER.within(_unit_price(item), "unitPrice").get("currencyCode") for item in items)
    return next(filter(None, found), None)


def _unit_price(item: Json) -> Json:
    return READER.within(READER.within(item, "product"), "price")


def _item(item: Json, currency: str) -> Item:
    item_id = READER.identity(item.get("orderItemId"), "an item's id")
    quantity = READER.count(item.get("quantityOrdered"), "quantityOrdered")
    proceeds, product = READER.within(item, "proceeds"), READER.within(item, "product")
    off = _detailed(proceeds, "DISCOUNT", currency)
    taxes = _detailed(proceeds, "TAX", currency)
    shipping_tax, fee_tax = taxes.get("SHIPPING", 0), sum(taxes.get(x, 0) for x in FEES)
    shipping_off = abs(off.get("SHIPPING", 0))
    return Item(
        item_id=item_id,
        sku=sku_of(product.get("sellerSku"), product.get("asin"), item_id),
        quantity=quantity,
        price=_price(item, proceeds, quantity, currency),
        tax=sum(taxes.values()) - shipping_tax - fee_tax,
        discount=abs(sum(off.values())) - shipping_off,
        promotion=_promotion_id(item),
        shipping=_breakdown(proceeds, ("SHIPPING",), currency) - shipping_off,
        shipping_tax=shipping_tax,
        fees=_breakdown(proceeds, FEES, currency),
        fee_tax=fee_tax,
        asked_back=_asked_back(item),
    )


def _price(item: Json, proceeds: Json, quantity: int, currency: str) -> int:
    """Of the goods of a line; where the proceeds do not say it, its unit price does."""
    if any(each.get("type") == "ITEM" for each in READER.objects(proceeds, "breakdowns")):
        return _breakdown(proceeds, ("ITEM",), currency)
    unit = READER.within(_unit_price(item), "unitPrice")
    return _money(unit, currency) * quantity if unit else 0


def _breakdown(proceeds: Json, types: tuple[str, ...], currency: str) -> int:
    return sum(
        _money(READER.within(each, "subtotal"), currency)
        for each in READER.objects(proceeds, "breakdowns")
        if each.get("type") in types
    )


def _detailed(proceeds: Json, kind: str, currency: str) -> dict[str, int]:
    """What a tax or a discount is of; where nothing is said in detail, of the goods."""
    found: dict[str, int] = {}
    for each in READER.objects(proceeds, "breakdowns"):
        if each.get("type") != kind:
            continue
        rest = _money(READER.within(each, "subtotal"), currency)
        for detail in READER.objects(each, "detailedBreakdowns"):
            value = _money(READER.within(detail, "value"), currency)
            name, rest = text(detail.get("subtype")), rest - value
            found[name] = found.get(name, 0) + value
        found["ITEM"] = found.get("ITEM", 0) + rest
    return found


def _money(money: Json, currency: str) -> int:
    READER.same(money.get("currencyCode"), currency)
    return READER.amount(money.get("amount"), currency)


def _promotion_id(item: Json) -> str:
    found = READER.objects(READER.within(item, "promotion"), "breakdowns")
    return first(*(each.get("promotionId") for each in found))


def _asked_back(item: Json) -> str:
    """A request that was carried out or refused is none any more."""
    cancellation = READER.within(item, "cancellation")
    asked = READER.within(cancellation, "cancellationRequest")
    if not asked or READER.within(cancellation, "cancellationExecution"):
        return ""
    if text(asked.get("requester")).upper() not in ("", "BUYER"):
        return ""
    return first(asked.get("cancelReason")) or "no reason is given"


def _on_delivery(order: Json) -> str:
    paid = READER.objects(READER.within(order, "payment"), "paymentExecutions")
    on_delivery = any(text(each.get("paymentMethod")) in ("COD", "CashOnDelivery") for each in paid)
    return "the buyer pays on delivery" if on_delivery else ""


def _programs(order: Json) -> tuple[str, ...]:
    programs = order.get("programs")
    known = programs if isinstance(programs, list) else []
    replaces = any(
        each.get("associationType") == "REPLACEMENT_ORIGINAL_ID"
        for each in READER.objects(order, "associatedOrders")
    )
    return tags_of(
        prime="PRIME" in known,
        business="AMAZON_BUSINESS" in known,
        replacement=replaces,
        pickup="IN_STORE_PICK_UP" in known,
    )


def _buyer(order: Json) -> Json | None:
    buyer = READER.within(order, "buyer")
    return customer(mailbox(buyer.get("buyerEmail")), text(buyer.get("buyerName")))


def _address(address: Json) -> Json | None:
    if not text(address.get("countryCode")):
        return None
    line1, line2 = lines_of(address.get(f"addressLine{n}") for n in (1, 2, 3))
    return {
        "name": text(address.get("name")),
        "company": text(address.get("companyName")),
        "line1": line1,
        "line2": line2,
        "city": first(address.get("city"), address.get("municipality")),
        "region": first(address.get("stateOrRegion"), address.get("districtOrCounty")),
        "postal_code": text(address.get("postalCode")),
        "country": text(address.get("countryCode")),
        "phone": text(address.get("phone")),
    }


def _gone(order: Json) -> list[Json]:
    packages = READER.objects(order, "packages")
    return [
        package
        for package in packages
        if text(READER.within(package, "packageStatus").get("status")) not in NOT_GONE
    ]


def _parcel(package: Json) -> Parcel:
    units = (
        Units(
            READER.count(item.get("quantity"), "a quantity in a package"),
            READER.identity(item.get("orderItemId"), "an item's id"),
        )
        for item in READER.objects(package, "packageItems")
    )
    return Parcel(
        READER.identity(package.get("packageReferenceId"), "a package's id"),
        tuple(each for each in units if each.quantity),
        text(package.get("carrier")),
        text(package.get("trackingNumber")),
        instant(package.get("shipTime")),
    )
