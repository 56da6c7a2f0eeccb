"""Orders of the Orders API v0: what `getOrder` and `getOrderItems` say, in one object."""

from __future__ import annotations

from typing import Any

from oms.adapters.channels.amazon_sales import READER, AmazonOrder, Item, sku_of, tags_of
from oms.adapters.channels.reading import instant, is_true, kept_day, lines_of
from oms.adapters.channels.shop_fields import Json, customer, first, mailbox, text


def standing(order: Json) -> tuple[str, bool]:
    return text(order.get("OrderStatus")).upper(), text(order.get("FulfillmentChannel")) == "AFN"


def order_of(order: Json) -> AmazonOrder:
    total = READER.within(order, "OrderTotal")
    items = [x for x in READER.objects(order, "OrderItems") if _ordered(x)]
    currency = READER.currency(total.get("CurrencyCode") or _currency(items))
    on_delivery = text(order.get("PaymentMethod")) == "COD"
    return AmazonOrder(
        order_id=str(order["AmazonOrderId"]),
        status=standing(order)[0],
        by_amazon=False,
        at=instant(order.get("LastUpdateDate")),
        currency=currency,
        total=_money(order, "OrderTotal", currency) if total else None,
        items=tuple(_item(item, currency) for item in items),
        customer=_buyer(order),
        address=_address(READER.within(order, "ShippingAddress")),
        method=first(order.get("ShipServiceLevel"), order.get("ShipmentServiceLevelCategory")),
        deliver_by=kept_day(order.get("LatestDeliveryDate")),
        tags=tags_of(
            prime=order.get("IsPrime"),
            business=order.get("IsBusinessOrder"),
            replacement=order.get("IsReplacementOrder"),
            pickup=order.get("IsISPU"),
        ),
        hold="the buyer pays on delivery" if on_delivery else "",
    )


def _currency(items: list[Json]) -> Any:
    found = (READER.within(item, "ItemPrice").get("CurrencyCode") for item in items)
    return next(filter(None, found), None)


def _ordered(item: Json) -> int:
    return READER.count(item.get("QuantityOrdered"), "QuantityOrdered")


def _item(item: Json, currency: str) -> Item:
    item_id = READER.identity(item.get("OrderItemId"), "an item's id")
    wrap = READER.within(item, "BuyerInfo")

    def money(name: str, holder: Json = item) -> int:
        return _money(holder, name, currency)

    asked = READER.within(item, "BuyerRequestedCancel")
    why = first(asked.get("BuyerCancelReason")) or "no reason is given"
    return Item(
        item_id=item_id,
        sku=sku_of(item.get("SellerSKU"), item.get("ASIN"), item_id),
        quantity=_ordered(item),
        price=money("ItemPrice"),
        tax=_net(money("ItemTax"), money("PromotionDiscountTax")),
        discount=money("PromotionDiscount"),
        promotion=_promotion(item.get("PromotionIds")),
        shipping=money("ShippingPrice") - money("ShippingDiscount"),
        shipping_tax=_net(money("ShippingTax"), money("ShippingDiscountTax")),
        fees=money("GiftWrapPrice", wrap) + money("CODFee") - money("CODFeeDiscount"),
        fee_tax=money("GiftWrapTax", wrap),
        asked_back=why if is_true(asked.get("IsBuyerRequestedCancel")) else "",
    )


def _net(amount: int, off: int) -> int:
    return max(amount - abs(off), 0)


def _promotion(ids: Any) -> str:
    return first(*ids) if isinstance(ids, list) else ""


def _money(holder: Json, name: str, currency: str) -> int:
    if not (money := READER.within(holder, name)):
        return 0
    READER.same(money.get("CurrencyCode"), currency)
    return READER.amount(money.get("Amount"), currency)


def _buyer(order: Json) -> Json | None:
    buyer = READER.within(order, "BuyerInfo")
    return customer(mailbox(buyer.get("BuyerEmail")), text(buyer.get("BuyerName")))


def _address(address: Json) -> Json | None:
    """None where Amazon withholds it: it is for those alone who ship."""
    if not text(address.get("CountryCode")):
        return None
    line1, line2 = lines_of(address.get(f"AddressLine{n}") for n in (1, 2, 3))
    return {
        "name": text(address.get("Name")),
        "company": text(address.get("CompanyName")),
        "line1": line1,
        "line2": line2,
        "city": first(address.get("City"), address.get("Municipality")),
        "region": first(address.get("StateOrRegion"), address.get("County")),
        "postal_code": text(address.get("PostalCode")),
        "country": text(address.get("CountryCode")),
        "phone": text(address.get("Phone")),
    }
