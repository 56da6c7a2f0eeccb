"""Square's orders, in our words. Source: the Orders API.

Taxes are additive (on top) or inclusive (in the price), by tax. What is in a total and in no line
(service charges, tips) is charged with the shipping. A till's sale has no fulfillment: its goods
are gone. Lines have no SKU, but the id of a variation of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from oms.adapters.channels.base import Cancelled, Fetch, Fulfilled, Ignored, Refunded, Updated, What
from oms.adapters.channels.reading import Reader, instant, lines_of, taken
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

READER = Reader("square")

DETAILS = {"PICKUP": "pickup_details", "SHIPMENT": "shipment_details"} | {
    "DELIVERY": "delivery_details"
}
ADDITIVE, INCLUSIVE = "ADDITIVE", "INCLUSIVE"
GONE = frozenset({"COMPLETED"})
OFF = frozenset({"CANCELED", "FAILED"})
REFUNDED = frozenset({"APPROVED", "COMPLETED"})
NONE_OF_OURS: Mapping[str, str] = {}


def said_of(order: Json, channel: str, ours: Mapping[str, str] = NONE_OF_OURS) -> tuple[What, ...]:
    """`ours` are our locations by Square's."""
    order_id = READER.identity(order.get("id"), "the order's id")
    state, at = text(order.get("state")), instant(order.get("updated_at"))
    if state == "DRAFT":
        return (Ignored("it is a draft"),)
    if state == "CANCELED":
        return (Cancelled(channel, order_id, "cancelled on Square", at=at),)
    if order.get("total_money") is None or order.get("line_items") is None:
        return (Fetch(channel, order_id),)
    return tuple(_told(order, order_id, channel, ours))


def _told(order: Json, order_id: str, channel: str, ours: Mapping[str, str]) -> Iterator[What]:
    at = instant(order.get("updated_at"))
    yield Updated(ChannelOrder.read(_order(order, order_id, channel, ours)), at)
    for refund in READER.objects(order, "refunds"):
        if text(refund.get("status")) in REFUNDED:
            yield refund_of(refund, order_id, channel)
    fulfillments = _fulfillments(order)
    if fulfillments and all(text(each.get("state")) in GONE for each in fulfillments):
        yield Fulfilled(channel, order_id, f"{order_id}:completed", at=at)


def refund_of(refund: Json, order_id: str, channel: str) -> Refunded:
    money = READER.within(refund, "amount_money")
    return Refunded(
        channel,
        order_id,
        READER.identity(refund.get("id"), "the refund's id"),
        READER.minor(money.get("amount")),
        READER.currency(money.get("currency")),
        reason=text(refund.get("reason")),
        at=instant(refund.get("updated_at") or refund.get("created_at")),
    )


def _fulfillments(order: Json) -> list[Json]:
    return [x for x in READER.objects(order, "fulfillments") if text(x.get("state")) not in OFF]


def _order(order: Json, order_id: str, channel: str, ours: Mapping[str, str]) -> Json:
    money = READER.within(order, "total_money")
    currency, total = READER.currency(money.get("currency")), READER.minor(money.get("amount"))
    kinds = _kinds(order)
    found = [x for x in READER.objects(order, "line_items") if x.get("quantity") != "0"]
    lines = [_line(each, currency, kinds, bool(_fulfillments(order))) for each in found]
    fees = total - sum(_amount(each, "total_money", currency) for each in found)
    recipient, pickup = _recipient(order), _picked_up(order)
    return {
        "channel": channel,
        "external_id": order_id,
        "currency": currency,
        "customer": _customer(recipient),
        "shipping_address": None if pickup else _address(READER.within(recipient, "address")),
        "lines": lines,
        "shipping": {"method": _method(order), "price": fees},
        "tax_included": ADDITIVE not in kinds.values() and INCLUSIVE in kinds.values(),
        "total": total,
        "pickup_location": ours.get(text(order.get("location_id"))) if pickup else None,
        "tags": ["pickup"] if pickup else [],
        **taken(order_id, _captured(order, total, currency), total),
    }


def _kinds(order: Json) -> dict[str, str]:
    """Whether a tax is additive or inclusive, by its uid."""
    taxes = READER.objects(order, "taxes")
    return {text(each.get("uid")): text(each.get("type")) or ADDITIVE for each in taxes}


def _amount(holder: Json, name: str, currency: str) -> int:
    if not (money := READER.within(holder, name)):
        return 0
    READER.same(money.get("currency"), currency)
    return READER.minor(money.get("amount"))


def _line(line: Json, currency: str, kinds: dict[str, str], ships: bool) -> Json:
    """Its price is what leads to its total: Square takes inclusive taxes out of the gross sales of
    a line in some countries and leaves them in in others."""
    uid = READER.identity(line.get("uid"), "a line's id")
    quantity = READER.count(line.get("quantity"), "a quantity")
    if not quantity:
        raise READER.refused("a quantity is 0")
    on_top, inside = _taxes(line, currency, kinds)
    off = _amount(line, "total_discount_money", currency)
    gross = _amount(line, "total_money", currency) + off - on_top
    price, rounding = unit_price(gross, quantity)
    return {
        "sku": _sku(line, uid),
        "quantity": quantity,
        "external_id": uid,
        "unit_price": price,
        "discounts": [*rounding, *discount("discount", off)],
        "taxes": tax(on_top if ADDITIVE in kinds.values() else inside),
        "requires_shipping": ships,
    }


def _taxes(line: Json, currency: str, kinds: dict[str, str]) -> tuple[int, int]:
    """Additive and inclusive ones. Where a line does not say which are on it, all are the same."""
    applied = READER.objects(line, "applied_taxes")
    whole = _amount(line, "total_tax_money", currency)
    if not applied:
        inclusive = INCLUSIVE in kinds.values() and ADDITIVE not in kinds.values()
        return (0, whole) if inclusive else (whole, 0)
    inside = sum(
        _amount(each, "applied_money", currency)
        for each in applied
        if kinds.get(text(each.get("tax_uid"))) == INCLUSIVE
    )
    return whole - inside, inside


def _sku(line: Json, uid: str) -> str:
    found = text(line.get("catalog_object_id"))[:80]
    return f"variant:{found}" if found else f"line:{uid}"[:100]


def _captured(order: Json, total: int, currency: str) -> int:
    """What is due is not taken; an order that does not say it has its tenders."""
    if order.get("net_amount_due_money") is not None:
        return total - _amount(order, "net_amount_due_money", currency)
    tenders = READER.objects(order, "tenders")
    return sum(_amount(each, "amount_money", currency) for each in tenders)


def _picked_up(order: Json) -> bool:
    found = _fulfillments(order)
    return bool(found) and all(each.get("type") == "PICKUP" for each in found)


def _recipient(order: Json) -> Json:
    """The first that there is: of a shipment, a delivery or a pickup."""
    for fulfillment in _fulfillments(order):
        details = READER.within(fulfillment, DETAILS.get(text(fulfillment.get("type")), ""))
        if recipient := READER.within(details, "recipient"):
            return recipient
    return {}


def _method(order: Json) -> str:
    kinds = (text(each.get("type")).lower() for each in _fulfillments(order))
    return next(filter(None, kinds), "standard")


def _customer(recipient: Json) -> Json | None:
    email = mailbox(recipient.get("email_address"))
    return customer(email, text(recipient.get("display_name")), text(recipient.get("phone_number")))


def _address(address: Json) -> Json | None:
    if not text(address.get("country")):
        return None
    line1, line2 = lines_of(address.get(f"address_line_{n}") for n in (1, 2, 3))
    name = f"{text(address.get('first_name'))} {text(address.get('last_name'))}".strip()
    return {
        "name": name[:200],
        "line1": line1,
        "line2": line2,
        "city": text(address.get("locality")),
        "region": first(address.get("administrative_district_level_1")),
        "postal_code": text(address.get("postal_code")),
        "country": text(address.get("country")),
    }
