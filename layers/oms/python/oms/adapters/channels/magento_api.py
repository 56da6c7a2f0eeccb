"""Magento's REST API, version V1.

A shop's `base_url` is what comes before `/V1` (`https://mugs.example/rest/all`). Its credentials
are an `access_token`, sent as it is, or with `consumer_key`, `consumer_secret` and
`access_token_secret` the integration that signs each request. Locations are sources.

What we do is marked in a comment, by which it is found again. Magento cancels only orders that
nothing was taken for, and only as a whole: else what was called off becomes a comment, its money a
credit memo. A credit memo is made of the invoice, so that the payment is refunded where it was
taken; where only a person can pay it out it is refused, unless the setting `offline_refunds` is
`yes`. Settings besides: `source` for stock that has no location (default `default`), `bundles`:
`together` where they are shipped as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oms.adapters.channels.base import (
    Fetch,
    Ignored,
    MalformedOrder,
    Page,
    Units,
    What,
    named,
)
from oms.adapters.channels.magento_orders import (
    READER,
    Sold,
    comments_of,
    fulfilled,
    instant_of,
    money_of,
    order_id,
    refunded,
    said_of,
    sold_in,
)
from oms.adapters.channels.oauth1 import authorization
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.channels.shop_calls import ShopCalls, id_in, marked, place, their_number
from oms.adapters.channels.shop_fields import Json, decimal_text, text, within
from oms.contracts.invalid import InvalidRequest

CARRIERS = frozenset({"ups", "usps", "fedex", "dhl"})
ORDERS_A_PAGE = 50
MOST_ROWS = 500
PAID = 2  # the state of an invoice
Filter = tuple[str, str, str]  # field, condition, value


class MagentoApi:
    code = "magento"
    calls_per_second = 5.0

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        calls, channel = _calls(access), named(self.code, access.shop)
        order = calls.record(f"/V1/orders/{their_number(access, external_id, 'the order')}")
        if not order:
            return (Ignored("the order is not there any more"),)
        locations = {theirs: ours for ours, theirs in access.locations.items()}
        return tuple(_all_of(calls, order, channel, locations))

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """An order that something was shipped of or given back is fetched: its own page has
        neither the shipments nor the credit memos."""
        start, page = place(cursor) or (since, 1)
        at = f"{start.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        query = [
            *_filters(("updated_at", "gteq", at)),
            ("searchCriteria[sortOrders][0][field]", "updated_at"),
            ("searchCriteria[sortOrders][0][direction]", "ASC"),
            ("searchCriteria[pageSize]", str(ORDERS_A_PAGE)),
            ("searchCriteria[currentPage]", str(page)),
        ]
        rows = READER.objects(_calls(access).record("/V1/orders", query), "items")
        channel = named(self.code, access.shop)
        return Page([_changed(row, channel) for row in rows], _cursor(rows, start, page))

    def ship(self, access: Access, done: Shipped) -> str:
        calls = _calls(access)
        number = their_number(access, done.external_id, "the order")
        items = _counted(access, _known(calls, number), done.units)
        for made in _of_order(calls, "shipments", number):
            if marked(done.key) in _comments(calls, "shipment", made) or _is_same(
                made, done, items
            ):
                return id_in(made, "entity_id")
        body = {
            "items": items,
            "tracks": [_track(done)] if done.tracking_number else [],
            **_comment(done.key, ""),
            **_from(access, done.location_id),
        }
        return _told_id(access, calls.post(f"/V1/order/{number}/ship", body))

    def call_off(self, access: Access, done: CalledOff) -> str:
        calls = _calls(access)
        number = their_number(access, done.external_id, "the order")
        order = _known(calls, number)
        if text(order.get("state")) == "canceled":
            return done.external_id
        if not done.whole or money_of(order).of(order, "total_paid"):
            return _noted(calls, order, done)
        if calls.post(f"/V1/orders/{number}/cancel", {}) is not True:
            raise RefusedByShop("magento: the order cannot be cancelled there")
        return done.external_id

    def give_back(self, access: Access, done: GivenBack) -> str:
        calls = _calls(access)
        number = their_number(access, done.external_id, "the order")
        for made in _of_order(calls, "creditmemos", number):
            if marked(done.key) in _comments(calls, "creditmemo", made):
                return id_in(made, "entity_id")
        order = _known(calls, number)
        if (currency := money_of(order).currency) != done.currency:
            raise RefusedByShop(f"magento: the shop pays in {currency}, not in {done.currency}")
        body = {**_given_back(order, done), **_comment(done.key, done.reason)}
        for invoice in _of_order(calls, "invoices", number):
            if invoice.get("state") == PAID and invoice.get("transaction_id"):
                path = f"/V1/invoice/{invoice['entity_id']}/refund"
                return _told_id(access, calls.post(path, {**body, "isOnline": True}))
        if access.settings.get("offline_refunds") != "yes":
            raise RefusedByShop("magento: only a person can pay this out: no payment was online")
        return _told_id(access, calls.post(f"/V1/order/{number}/refund", body))

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str:
        """Absolute: the same again changes nothing. It answers with nothing: ours is the key."""
        items = [_source_item(access, level) for level in levels]
        for start in range(0, len(items), MOST_ROWS):
            part = items[start : start + MOST_ROWS]
            answer = _calls(access).post("/V1/inventory/source-items", {"sourceItems": part})
            if not isinstance(answer, list):
                raise Later("magento: the answer is not the list that comes with stock")
        return key


@dataclass(frozen=True, slots=True)
class SignedCalls(ShopCalls):
    """As an integration signs them: anew for each request."""

    def headers_of(self, method: str, url: str) -> Mapping[str, str]:
        return {"authorization": authorization(method, url, self.access.credentials)}


def _calls(access: Access) -> ShopCalls:
    if access.credentials.get("consumer_key"):
        return SignedCalls(access)
    return ShopCalls(
        access, {"authorization": f"Bearer {access.credentials.get('access_token', '')}"}
    )


def _known(calls: ShopCalls, number: int) -> Json:
    if found := calls.record(f"/V1/orders/{number}"):
        return found
    raise RefusedByShop("magento: the order is not there any more")


def _of_order(calls: ShopCalls, what: str, number: int) -> list[Json]:
    query = [
        *_filters(("order_id", "eq", str(number))),
        ("searchCriteria[pageSize]", str(MOST_ROWS)),
    ]
    return READER.objects(calls.record(f"/V1/{what}", query), "items")


def _filters(*given: Filter) -> Iterator[tuple[str, str]]:
    """All of them are to hold."""
    for group, (field, condition, value) in enumerate(given):
        start = f"searchCriteria[filter_groups][{group}][filters][0]"
        yield f"{start}[field]", field
        yield f"{start}[condition_type]", condition
        yield f"{start}[value]", value


def _all_of(
    calls: ShopCalls, order: Json, channel: str, locations: Mapping[str, str]
) -> Iterator[What]:
    number = int(order_id(order))
    yield said_of(order, channel, locations)
    if _was(order, "total_refunded"):
        for memo in _of_order(calls, "creditmemos", number):
            yield refunded(_commented(calls, "creditmemo", memo), channel, order)
    if any(READER.count(x.get("qty_shipped") or 0, "qty_shipped") for x in _items(order)):
        for shipment in _of_order(calls, "shipments", number):
            yield fulfilled(_commented(calls, "shipment", shipment), channel, order)


def _items(order: Json) -> list[Json]:
    return READER.objects(order, "items")


def _was(order: Json, name: str) -> bool:
    return bool(money_of(order).of(order, name)) if order.get("items") else False


def _changed(row: Json, channel: str) -> What:
    """What cannot be read is fetched by itself: the others are not kept waiting for a person."""
    try:
        return _said(row, channel)
    except (MalformedOrder, InvalidRequest):
        known = row.get("entity_id")
        if isinstance(known, int | str) and re.fullmatch(r"[0-9]{1,20}", str(known), re.ASCII):
            return Fetch(channel, str(known))
        return Ignored("an order without an id")


def _said(row: Json, channel: str) -> What:
    shipped = any(READER.count(x.get("qty_shipped") or 0, "qty_shipped") for x in _items(row))
    attributes = within(row, "extension_attributes")
    if shipped or _was(row, "total_refunded") or attributes.get("pickup_location_code"):
        return Fetch(channel, order_id(row))
    return said_of(row, channel)


def _cursor(rows: list[Json], start: datetime, page: int) -> str:
    """For `place`, from the last change on: pages move while orders change. A page that is all of
    one second is followed by the next page."""
    if len(rows) < ORDERS_A_PAGE:
        return ""
    last = instant_of(rows[-1].get("updated_at"))
    if last and last > start + timedelta(seconds=1):
        return f"{int(last.timestamp())}.1"
    return f"{int(start.timestamp())}.{page + 1}"


def _comments(calls: ShopCalls, what: str, made: Json) -> str:
    return comments_of(_commented(calls, what, made))


def _commented(calls: ShopCalls, what: str, made: Json) -> Json:
    """Comments are asked for where a list comes without: a thing of ours must be known again."""
    if made.get("comments") is not None:
        return made
    path = f"/V1/{what}/{READER.identity(made.get('entity_id'), what)}/comments"
    return {**made, "comments": READER.objects(calls.record(path), "items")}


def _is_same(made: Json, done: Shipped, items: list[Json]) -> bool:
    """The same parcel, told by somebody else."""
    numbers = {text(track.get("track_number")) for track in READER.objects(made, "tracks")}
    told = {
        (str(row.get("order_item_id")), READER.count(row.get("qty") or 0, "qty"))
        for row in READER.objects(made, "items")
    }
    wanted = {(str(row["order_item_id"]), row["qty"]) for row in items}
    return bool(done.tracking_number) and done.tracking_number in numbers and wanted <= told


def _counted(access: Access, order: Json, units: Sequence[Units]) -> list[Json]:
    """By the items that Magento counts: a bundle that is shipped as one is counted itself."""
    together = access.settings.get("bundles") == "together"
    lines, counted = sold_in(order), dict[str, int]()
    for unit in units:
        line = _line(lines, unit)
        item, count = line.line_id, unit.quantity
        if together and line.parent_id and line.parent_id != line.line_id:
            item, count = line.parent_id, _parents_in(line, unit.quantity)
            counted[item] = max(counted.get(item, 0), count)
        else:
            counted[item] = counted.get(item, 0) + count
    return [{"order_item_id": int(item), "qty": count} for item, count in counted.items() if count]


def _parents_in(line: Sold, quantity: int) -> int:
    return int(quantity / line.per)


def _line(lines: list[Sold], unit: Units) -> Sold:
    for line in lines:
        if unit.line_id and line.line_id == unit.line_id:
            return line
    for line in lines:
        if unit.sku and text(line.item.get("sku")) == unit.sku:
            return line
    raise RefusedByShop(f"magento: the order has no line {unit.line_id or unit.sku!r}")


def _track(done: Shipped) -> Json:
    code = done.carrier if done.carrier in CARRIERS else "custom"
    title = done.carrier.upper() or "Carrier"
    return {"track_number": done.tracking_number, "title": title, "carrier_code": code}


def _from(access: Access, location_id: str) -> Json:
    """The source that its stock is taken from; where none is told, Magento chooses."""
    source = access.locations.get(location_id)
    return {"arguments": {"extension_attributes": {"source_code": source}}} if source else {}


def _comment(key: str, said: str) -> Json:
    comment = {"comment": f"{marked(key)} {said}".strip(), "is_visible_on_front": 0}
    return {"notify": False, "appendComment": True, "comment": comment}


def _noted(calls: ShopCalls, order: Json, done: CalledOff) -> str:
    """In the order's history, once."""
    if marked(done.key) not in comments_of(order):
        units = ", ".join(f"{x.quantity} × {x.sku or x.line_id}" for x in done.units)
        history = {
            "comment": f"{marked(done.key)} will not be sent: {units or 'all'} ({done.reason})",
            "is_customer_notified": 0,
            "is_visible_on_front": 0,
            "parent_id": int(order_id(order)),
            "status": text(order.get("status")),
        }
        path = f"/V1/orders/{order_id(order)}/comments"
        if calls.post(path, {"statusHistory": history}) is not True:
            raise Later("magento: the answer is not that a comment was taken")
    return order_id(order)


def _given_back(order: Json, done: GivenBack) -> Json:
    """Units at their price; what the amount differs from it, or all of it, as an adjustment: so it
    is the amount to the cent. Without its lines a credit memo would be of all of them."""
    counted = dict(_priced(order, done.units))
    left = done.amount - sum(price for _, price in counted.values())
    tops = [x for x in _items(order) if not x.get("parent_item_id") and not x.get("parent_item")]
    ids = dict.fromkeys(
        [*counted, *(READER.identity(x.get("item_id"), "a line's id") for x in tops)]
    )
    arguments = {
        "shipping_amount": 0,
        "adjustment_positive": float(decimal_text(max(left, 0), done.currency)),
        "adjustment_negative": float(decimal_text(max(-left, 0), done.currency)),
    }
    items = [{"order_item_id": int(x), "qty": counted.get(x, (0, 0))[0]} for x in ids]
    return {"items": items, "arguments": arguments}


def _priced(order: Json, units: Sequence[Units]) -> Iterator[tuple[str, tuple[int, int]]]:
    """How many of which line, and their price in minor units, where each part of it divides: of
    others only Magento knows how it rounds. Those in bundles are left to the adjustment."""
    lines = sold_in(order)
    for unit in units:
        line = _line(lines, unit)
        shares = [x * unit.quantity / line.quantity for x in (line.row, -line.off, line.taxed)]
        alone = line.parent_id in ("", line.line_id)
        if alone and all(x == x.to_integral_value() for x in shares):
            yield line.line_id, (unit.quantity, int(sum(shares)))


def _told_id(access: Access, answer: object) -> str:
    if found := id_in(answer):
        return found
    raise Later(f"{access.channel}: the answer is not the id of what was made")


def _source_item(access: Access, level: Stocked) -> Json:
    source = access.settings.get("source", "default")
    if level.location_id:
        source = access.locations.get(level.location_id, "")
    if not source:
        raise RefusedByShop(f"magento: no source of the shop is {level.location_id!r}")
    count = max(level.available, 0)
    sku = level.item or level.sku
    return {"sku": sku, "source_code": source, "quantity": count, "status": int(count > 0)}
