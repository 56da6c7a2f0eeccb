"""An order of the GraphQL API in the shape that webhooks and the REST API have."""

from __future__ import annotations

from typing import Any

from oms.adapters.channels.shop_fields import Json, first, text, within
from oms.adapters.channels.shopify_graphql import each_of, nodes, number


def rest_order(order: Json, lines: list[Json]) -> Json:
    applications: list[Json] = []
    billing = within(order, "billingAddress")
    return {
        "id": number(order.get("id")),
        "test": order.get("test"),
        "currency": order.get("currencyCode"),
        "taxes_included": order.get("taxesIncluded"),
        "cancelled_at": order.get("cancelledAt"),
        "cancel_reason": text(order.get("cancelReason")).lower(),
        "updated_at": order.get("updatedAt"),
        "source_name": order.get("sourceName"),
        "financial_status": text(order.get("displayFinancialStatus")).lower(),
        "email": order.get("email"),
        "phone": order.get("phone"),
        "customer": _person(billing),
        "shipping_address": _address(order.get("shippingAddress")),
        "billing_address": {"country_code": billing.get("countryCodeV2")},
        "total_price": money(order, "totalPriceSet"),
        "current_total_price": money(order, "currentTotalPriceSet"),
        "total_outstanding": money(order, "totalOutstandingSet"),
        "total_tip_received": money(order, "totalTipReceivedSet"),
        "original_total_additional_fees_set": _set(order, "originalTotalAdditionalFeesSet"),
        "original_total_duties_set": _set(order, "originalTotalDutiesSet"),
        "line_items": [_line(each, applications) for each in lines],
        "shipping_lines": [_shipping(each) for each in nodes(order, "shippingLines")],
        "discount_applications": applications,
    }


def money(holder: Json, name: str) -> Any:
    """In the shop's currency; None where it is not said."""
    return within(within(holder, name), "shopMoney").get("amount")


def _set(holder: Json, name: str) -> Json:
    return {"shop_money": {"amount": money(holder, name)}}


def _person(address: Json) -> Json:
    return {"first_name": address.get("firstName"), "last_name": address.get("lastName")}


def _address(address: Any) -> Json | None:
    if not isinstance(address, dict):
        return None
    renamed = {"province_code": "provinceCode", "country_code": "countryCodeV2"}
    return {**address, **{ours: address.get(theirs) for ours, theirs in renamed.items()}}


def _line(line: Json, applications: list[Json]) -> Json:
    """`applications` gets those of the line's discounts, which point to them by their places."""
    allocations = []
    for each in each_of(line, "discountAllocations"):
        place = {"discount_application_index": len(applications)}
        allocations.append({"amount": money(each, "allocatedAmountSet"), **place})
        applications.append(within(each, "discountApplication"))
    return {
        "id": number(line.get("id")),
        "sku": line.get("sku"),
        "quantity": line.get("quantity"),
        "current_quantity": line.get("currentQuantity"),
        "requires_shipping": line.get("requiresShipping"),
        "gift_card": line.get("isGiftCard"),
        "variant_id": number(within(line, "variant").get("id")) or None,
        "product_id": number(within(line, "product").get("id")) or None,
        "price": money(line, "originalUnitPriceSet"),
        "tax_lines": _taxes(line),
        "duties": [{"price": money(x, "price"), "tax_lines": _taxes(x)} for x in _duties(line)],
        "discount_allocations": allocations,
    }


def _duties(line: Json) -> list[Json]:
    return each_of(line, "duties")


def _taxes(holder: Json) -> list[Json]:
    return [
        {"title": x.get("title"), "rate": x.get("rate"), "price": money(x, "priceSet")}
        for x in each_of(holder, "taxLines")
    ]


def _shipping(line: Json) -> Json:
    return {
        "code": line.get("code"),
        "title": line.get("title"),
        "is_removed": line.get("isRemoved"),
        "discounted_price": money(line, "discountedPriceSet"),
        "tax_lines": _taxes(line),
    }


def rest_later(order: Json) -> Json:
    """Refunds and fulfillments of the order."""
    return {
        "id": number(order.get("id")),
        "currency": order.get("currencyCode"),
        "refunds": [_refund(each) for each in each_of(order, "refunds")],
        "fulfillments": [_fulfillment(each) for each in each_of(order, "fulfillments")],
    }


def _refund(refund: Json) -> Json:
    lines = nodes(refund, "refundLineItems")
    return {
        "id": number(refund.get("id")),
        "note": refund.get("note"),
        "created_at": refund.get("createdAt"),
        "transactions": [_transaction(each) for each in nodes(refund, "transactions")],
        "refund_line_items": [
            {
                "quantity": each.get("quantity"),
                "line_item_id": line_of(each),
                "line_item": {"sku": within(each, "lineItem").get("sku")},
            }
            for each in lines
        ],
    }


def _transaction(transaction: Json) -> Json:
    return {
        "kind": text(transaction.get("kind")).lower(),
        "status": text(transaction.get("status")).lower(),
        "amount_set": {"shop_money": {"amount": money(transaction, "amountSet")}},
    }


def _fulfillment(fulfillment: Json) -> Json:
    tracking = next(iter(each_of(fulfillment, "trackingInfo")), {})
    lines = nodes(fulfillment, "fulfillmentLineItems")
    return {
        "id": number(fulfillment.get("id")),
        "status": text(fulfillment.get("status")).lower(),
        "created_at": fulfillment.get("createdAt"),
        "tracking_company": first(tracking.get("company")),
        "tracking_number": tracking.get("number"),
        "line_items": [
            {
                "id": line_of(each),
                "quantity": each.get("quantity"),
                "sku": within(each, "lineItem").get("sku"),
            }
            for each in lines
        ],
    }


def line_of(holder: Json) -> str:
    return number(within(holder, "lineItem").get("id"))
