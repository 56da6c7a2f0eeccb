"""Shopify's GraphQL Admin API.

An order is cancelled as a whole there; single units are called off by a refund of no money, which
takes them out of what is to be fulfilled, and whose note says the key. The money is given back by a
refund of its own. `notify_customer` "true" in the shop's settings lets Shopify write to the buyer
when something is shipped; `location` is where stock counts when none is said.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from oms.adapters.channels.base import Fetch, MalformedOrder, Page, Units, What, named
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.channels.shop_fields import Json, decimal_text, instant, text, within
from oms.adapters.channels.shopify import state_of
from oms.adapters.channels.shopify_events import fulfillments_of, mark_of, marked, refunds_of
from oms.adapters.channels.shopify_graphql import (
    ask,
    done,
    each_of,
    gid,
    next_of,
    nodes,
    number,
    order_of,
    units_in,
)
from oms.adapters.channels.shopify_order import CODE, READ
from oms.adapters.channels.shopify_queries import (
    CANCEL,
    CANCELLABLE,
    CHANGED,
    FULFILL,
    FULFILLABLE,
    ITEMS,
    LATER,
    ORDER,
    PRIMARY,
    REFUND,
    REFUNDABLE,
    STOCK,
    VARIANTS,
)
from oms.adapters.channels.shopify_shapes import line_of, rest_later, rest_order

KEYS = uuid.UUID("0c4d8a52-3f0e-5d53-9a53-0f6d52a5a1c4")
FULFILLED_FROM = frozenset({"OPEN", "IN_PROGRESS"})
REFUNDED_FROM = frozenset({"SALE", "CAPTURE"})
AT_ONCE = 100  # levels in one call; the API takes 250
COMPANIES = {
    "australia_post": "Australia Post",
    "canada_post": "Canada Post",
    "dhl": "DHL Express",
    "fedex": "FedEx",
    "royal_mail": "Royal Mail",
    "ups": "UPS",
    "usps": "USPS",
}
REASONS = {
    "customer": "CUSTOMER",
    "requested": "CUSTOMER",
    "fraud": "FRAUD",
    "declined": "DECLINED",
    "inventory": "INVENTORY",
    "out_of_stock": "INVENTORY",
}


class ShopifyApi:
    code = CODE
    calls_per_second = 2.0  # 100 points come back in a second, the dearest query costs some 300

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        if what != "order":
            raise RefusedByShop(f"{self.code}: nobody fetches {what[:30]!r} there")
        known_as, channel = gid("Order", external_id), named(self.code, access.shop)
        order = order_of(ask(access, ORDER, {"id": known_as, "after": None}))
        lines = _lines(access, order, known_as)
        later = rest_later(order_of(ask(access, LATER, {"id": known_as})))
        told = state_of(rest_order(order, lines) | later, channel)
        return [*told, *refunds_of(later, channel), *fulfillments_of(later, channel)]

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """Only which orders: whole ones cost more than a page may."""
        begin = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        asked = {"query": f"updated_at:>='{begin}'", "after": cursor or None}
        data = ask(access, CHANGED, asked)
        if not within(data, "orders"):
            raise Later(f"{self.code}: the answer is not what was asked for")
        channel = named(self.code, access.shop)
        found = [known for each in nodes(data, "orders") if (known := number(each.get("id")))]
        return Page([Fetch(channel, each) for each in found], next_of(data, "orders"))

    def ship(self, access: Access, done: Shipped) -> str:
        known_as = gid("Order", done.external_id)
        order = order_of(ask(access, FULFILLABLE, {"id": known_as}))
        before = [x for x in each_of(order, "fulfillments") if _is_this(x, done)]
        wanted = _counted(done.units)
        for each in before:
            _take(wanted, nodes(each, "fulfillmentLineItems"))
        made = [number(each.get("id")) for each in before]
        for parcel in _parcels(order, wanted, access.locations.get(done.location_id, "")):
            made.append(_fulfill(access, parcel, done))
        if not made:
            raise RefusedByShop(f"{self.code}: nothing of it is left to fulfil there")
        return made[0]

    def call_off(self, access: Access, done: CalledOff) -> str:
        if not done.whole:
            return _refund(access, done.external_id, done.key, done.reason, done.units, "CANCEL")
        known_as = gid("Order", done.external_id)
        if order_of(ask(access, CANCELLABLE, {"id": known_as})).get("cancelledAt"):
            return done.external_id
        reason = REASONS.get(done.reason.lower().replace(" ", "_"), "OTHER")
        asked = {"id": known_as, "reason": reason, "note": marked(done.reason, done.key)}
        _done(access, CANCEL, asked, "orderCancel", "orderCancelUserErrors")
        return done.external_id

    def give_back(self, access: Access, done: GivenBack) -> str:
        money = (done.amount, done.currency)
        order, key, reason = done.external_id, done.key, done.reason
        return _refund(access, order, key, reason, done.units, "NO_RESTOCK", money)

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str:
        items, lost = _items(access, levels), list[str]()
        quantities: dict[tuple[str, str], Json] = {}
        places = {x: _place(access, x) for x in sorted({level.location_id for level in levels})}
        for level in levels:
            if (item := items.get(level.item or level.sku)) is None:
                lost.append(level.sku)
                continue
            place = places[level.location_id]
            quantities[item, place] = _quantity(item, place, max(level.available, 0))
        _set(access, list(quantities.values()), key)
        if lost:
            said = ", ".join(sorted(lost))[:300]
            raise RefusedByShop(f"{self.code}: not sold there: {said}", lost)
        return key


def _lines(access: Access, order: Json, known_as: str) -> list[Json]:
    lines, cursor = nodes(order, "lineItems"), next_of(order, "lineItems")
    while cursor:
        more = order_of(ask(access, ORDER, {"id": known_as, "after": cursor}))
        lines, cursor = [*lines, *nodes(more, "lineItems")], next_of(more, "lineItems")
    return lines


def _is_this(fulfillment: Json, shipped: Shipped) -> bool:
    """The parcel of this number; one without a number by its units, when it is no older."""
    if fulfillment.get("status") not in ("SUCCESS", "PENDING", "OPEN"):
        return False
    numbers = {text(x.get("number")) for x in each_of(fulfillment, "trackingInfo")} - {""}
    if shipped.tracking_number or numbers:
        return shipped.tracking_number in numbers
    left = _counted(shipped.units)
    _take(left, (lines := nodes(fulfillment, "fulfillmentLineItems")))
    counted = sum(units_in(x, "quantity") for x in lines)
    made = instant(fulfillment.get("createdAt"))
    same = not any(left.values()) and counted == sum(x.quantity for x in shipped.units)
    return same and made is not None and made >= shipped.at


def _counted(units: Iterable[Units]) -> dict[str, int]:
    """By the line's id, or by the SKU where there is none."""
    counts: dict[str, int] = defaultdict(int)
    for each in units:
        counts[each.line_id or each.sku] += each.quantity
    return counts


def _name(wanted: Mapping[str, int], line: Json) -> str:
    known_as = line_of(line)
    return known_as if known_as in wanted else text(within(line, "lineItem").get("sku"))


def _take(wanted: dict[str, int], lines: Iterable[Json]) -> None:
    for line in lines:
        if (name := _name(wanted, line)) in wanted:
            wanted[name] = max(wanted[name] - units_in(line, "quantity"), 0)


def _parcels(order: Json, wanted: dict[str, int], location: str) -> Iterator[list[Json]]:
    """What is to be fulfilled of which fulfillment orders: a call takes those of one location;
    those of the location that it left come first."""
    opened = [
        x for x in nodes(order, "fulfillmentOrders") if text(x.get("status")) in FULFILLED_FROM
    ]
    opened.sort(key=lambda x: number(_location(x)) != location if location else False)
    parcels: dict[str, list[Json]] = defaultdict(list)
    for each in opened:
        if lines := list(_taken(each, wanted)):
            part = {"fulfillmentOrderId": each.get("id"), "fulfillmentOrderLineItems": lines}
            parcels[_location(each)].append(part)
    if missing := sum(wanted.values()):
        raise RefusedByShop(f"{CODE}: {missing} units are not left to fulfil there")
    yield from parcels.values()


def _location(fulfillment_order: Json) -> str:
    assigned = within(fulfillment_order, "assignedLocation")
    return text(within(assigned, "location").get("id"))


def _taken(fulfillment_order: Json, wanted: dict[str, int]) -> Iterator[Json]:
    for line in nodes(fulfillment_order, "lineItems"):
        name = _name(wanted, line)
        if count := min(wanted.get(name, 0), units_in(line, "remainingQuantity")):
            wanted[name] -= count
            yield {"id": line.get("id"), "quantity": count}


def _fulfill(access: Access, parcel: Sequence[Json], done: Shipped) -> str:
    company = COMPANIES.get(done.carrier, done.carrier)
    tracking = {"company": company, "number": done.tracking_number, "url": done.tracking_url}
    fulfillment: Json = {
        "lineItemsByFulfillmentOrder": list(parcel),
        "notifyCustomer": access.settings.get("notify_customer") == "true",
    }
    if done.tracking_number:
        fulfillment["trackingInfo"] = {name: said for name, said in tracking.items() if said}
    made = _done(access, FULFILL, {"fulfillment": fulfillment}, "fulfillmentCreate")
    return number(within(made, "fulfillment").get("id"))


def _refund(
    access: Access,
    order_id: str,
    key: str,
    reason: str,
    units: Sequence[Units],
    restock: str,
    money: tuple[int, str] | None = None,
) -> str:
    known_as = gid("Order", order_id)
    order = order_of(ask(access, REFUNDABLE, {"id": known_as}))
    for each in each_of(order, "refunds"):
        if mark_of(each.get("note")) == key:
            return number(each.get("id"))
    lines = [x for each in units for x in _refund_lines(order, each, restock)]
    if not money and not lines:
        raise RefusedByShop(f"{CODE}: nothing of these units is left there")
    transactions = list(_transactions(order, known_as, *money)) if money else []
    asked = {
        "orderId": known_as,
        "note": marked(reason, key),
        "refundLineItems": lines,
        "transactions": transactions,
    }
    once = {"input": asked, "key": str(uuid.uuid5(KEYS, f"refund {key}"))}
    made = _done(access, REFUND, once, "refundCreate")
    return number(within(made, "refund").get("id"))


def _refund_lines(order: Json, units: Units, restock: str) -> Iterator[Json]:
    """As many as were not given back before."""
    for line in nodes(order, "lineItems"):
        known_as = number(line.get("id"))
        if known_as != units.line_id and (units.line_id or text(line.get("sku")) != units.sku):
            continue
        if count := min(units.quantity, units_in(line, "refundableQuantity")):
            yield {"lineItemId": line.get("id"), "quantity": count, "restockType": restock}
        return


def _transactions(order: Json, known_as: str, amount: int, currency: str) -> Iterator[Json]:
    """From the payments that have money left, in their order. The API counts in the buyer's
    currency: of another one nobody knows the amount to the cent."""
    if order.get("presentmentCurrencyCode") != currency:
        raise RefusedByShop(f"{CODE}: the buyer did not pay in {currency}")
    left = amount
    for each in each_of(order, "transactions"):
        if each.get("status") != "SUCCESS" or text(each.get("kind")) not in REFUNDED_FROM:
            continue
        most = _most(each, currency)
        if part := min(left, most):
            left -= part
            yield {
                "orderId": known_as,
                "parentId": each.get("id"),
                "gateway": text(each.get("gateway")),
                "kind": "REFUND",
                "amount": decimal_text(part, currency),
            }
    if left:
        raise RefusedByShop(f"{CODE}: only {amount - left} of {amount} can be given back there")


def _most(transaction: Json, currency: str) -> int:
    said = within(transaction, "maximumRefundableV2").get("amount") or "0"
    try:
        return max(READ.amount(said, currency), 0)
    except MalformedOrder as error:
        raise Later(str(error)) from None


def _items(access: Access, levels: Sequence[Stocked]) -> dict[str, str]:
    """Inventory items, by our word for a variant (`variant:23`) or by its SKU."""
    found: dict[str, str] = {}
    mapped = sorted({level.item for level in levels if level.item})
    variants = {gid("ProductVariant", item.rpartition(":")[2]): item for item in mapped}
    if variants:
        for each in each_of(ask(access, ITEMS, {"ids": list(variants)}), "nodes"):
            _know(found, variants.get(text(each.get("id")), ""), each)
    skus = sorted({level.sku for level in levels if not level.item})
    for n in range(0, len(skus), AT_ONCE):
        for each in _variants(access, skus[n : n + AT_ONCE]):
            _know(found, text(each.get("sku")), each)
    return found


def _know(found: dict[str, str], name: str, variant: Json) -> None:
    if item := text(within(variant, "inventoryItem").get("id")):
        found.setdefault(name, item)


def _variants(access: Access, skus: Sequence[str]) -> Iterator[Json]:
    query, cursor = " OR ".join(f"sku:{_quoted(sku)}" for sku in skus), ""
    while True:
        data = ask(access, VARIANTS, {"query": query, "after": cursor or None})
        if not within(data, "productVariants"):
            raise Later(f"{CODE}: the answer is not what was asked for")
        yield from nodes(data, "productVariants")
        if not (cursor := next_of(data, "productVariants")):
            return


def _quoted(sku: str) -> str:
    escaped = sku.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _place(access: Access, location_id: str) -> str:
    """Theirs of ours; else the shop's own main one."""
    theirs = access.locations.get(location_id) if location_id else access.settings.get("location")
    if theirs:
        return gid("Location", theirs)
    if location_id:
        raise RefusedByShop(f"{CODE}: the shop has no location for {location_id[:60]!r}")
    return text(within(ask(access, PRIMARY, {}), "location").get("id"))


def _quantity(item: str, place: str, available: int) -> Json:
    """The level is ours to say, whatever it was there: `changeFromQuantity` None says so."""
    return {
        "inventoryItemId": item,
        "locationId": place,
        "quantity": available,
        "changeFromQuantity": None,
    }


def _set(access: Access, quantities: Sequence[Json], key: str) -> None:
    for n in range(0, len(quantities), AT_ONCE):
        asked = {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": f"baton://stock/{quote(key, safe='')}",
            "quantities": quantities[n : n + AT_ONCE],
        }
        said = json.dumps(asked, sort_keys=True)  # a key may come with other levels again
        once = {"input": asked, "key": str(uuid.uuid5(KEYS, said))}
        _done(access, STOCK, once, "inventorySetQuantities")


def _done(
    access: Access, document: str, asked: Json, name: str, errors: str = "userErrors"
) -> Json:
    return done(access, ask(access, document, asked), name, errors)
