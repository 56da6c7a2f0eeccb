"""BigCommerce's REST API: orders v2, refunds and inventory v3.

A shop's `base_url` is `https://api.bigcommerce.com/stores/<hash>`, its credential `access_token`.
What we do is marked in a comment or reason, by which it is found again. The platform can cancel an
order but no units of one: those become a note of the staff, their money a refund. A refund that
only a person can pay out is refused: nothing is recorded as paid that nobody paid.
Settings: `location`, theirs, of stock that has none (default 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from oms.adapters.channels.base import (
    Fetch,
    Ignored,
    MalformedOrder,
    Page,
    Units,
    What,
    named,
)
from oms.adapters.channels.bigcommerce_orders import (
    CANCELLED,
    INCOMPLETE,
    READER,
    REFUNDED,
    Found,
    instant_of,
    is_ours,
    over,
    refunds,
    shipments,
    status_of,
    updated,
)
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.channels.shop_calls import ShopCalls, id_in, marked, place, their_number
from oms.adapters.channels.shop_fields import Json, decimal_text, text, within

CARRIERS = {
    "ups": "ups",
    "usps": "usps",
    "fedex": "fedex",
    "australia_post": "auspost",
    "canada_post": "canadapost",
}
RESETS_IN_MS = "x-rate-limit-time-reset-ms"
ORDERS_A_PAGE = 50
MOST_ROWS = 250
MOST_LEVELS = 2_000
MOST_PAGES = 20


class BigCommerceApi:
    code = "bigcommerce"
    calls_per_second = 4.0

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        calls, channel = _calls(access), named(self.code, access.shop)
        order = calls.record(_order(access, external_id))
        if not order:
            return (Ignored("the order is not there any more"),)
        if status_of(order) == INCOMPLETE or what == "order":
            return tuple(_all_of(calls, order, channel))
        if what == "shipments":
            return tuple(shipments(external_id, _shipments(calls, order), channel))
        return tuple(refunds(order, _refunds(calls, order), channel))

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """Orders to be fetched: a list of them has neither their lines nor their addresses."""
        start, page = place(cursor) or (since, 1)
        query = [
            ("min_date_modified", format_datetime(start.astimezone(UTC))),
            ("sort", "date_modified:asc"),
            ("limit", str(ORDERS_A_PAGE)),
            ("page", str(page)),
        ]
        rows = _calls(access).rows("/v2/orders", query)
        channel = named(self.code, access.shop)
        return Page([_changed(row, channel) for row in rows], _cursor(rows, start, page))

    def ship(self, access: Access, done: Shipped) -> str:
        """What nobody sends anywhere, for it is collected or digital, becomes a note."""
        calls, order = _calls(access), _order(access, done.external_id)
        products = _products(calls, order)
        items = [(_product(access, unit, products), unit.quantity) for unit in done.units]
        addresses = {line.get("order_address_id") or 0 for line, _ in items}
        if addresses == {0}:
            return _noted(calls, order, done.key, f"handed over: {_told(done.units)}")
        if len(addresses) != 1:
            raise RefusedByShop("bigcommerce: one shipment cannot go to two addresses")
        body = _shipment(done, items, addresses.pop())
        for made in calls.rows(f"{order}/shipments", [("limit", str(MOST_ROWS))]):
            if _is_same(made, body):
                return id_in(made)
        return id_in(calls.post(f"{order}/shipments", body))

    def call_off(self, access: Access, done: CalledOff) -> str:
        calls, order = _calls(access), _order(access, done.external_id)
        if not done.whole:
            said = f"will not be sent: {_told(done.units)} ({done.reason})"
            return _noted(calls, order, done.key, said)
        if status_of(_known(calls, order)) != CANCELLED:
            calls.put(order, {"status_id": CANCELLED})
        return done.external_id

    def give_back(self, access: Access, done: GivenBack) -> str:
        calls = _calls(access)
        order = _known(calls, _order(access, done.external_id))
        if (currency := Found(order).currency) != done.currency:
            raise RefusedByShop(f"bigcommerce: the order is in {currency}, not {done.currency}")
        for given in _refunds(calls, order):
            if marked(done.key) in _reasons(given):
                return id_in(given)
        items, payments = _agreed(calls, order, done)
        path = f"{_actions(order)}/refunds"
        return _made(calls, calls.post(path, {"items": items, "payments": payments}))

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str:
        """Absolute: the same again changes nothing. Answered with our key: theirs differs."""
        calls = _calls(access)
        items = [_level(access, level) for level in levels]
        for start in range(0, len(items), MOST_LEVELS):
            body = {"reason": marked(key), "items": items[start : start + MOST_LEVELS]}
            calls.put("/v3/inventory/adjustments/absolute", body)
        return key


def _calls(access: Access) -> ShopCalls:
    token = access.credentials.get("access_token", "")
    return ShopCalls(access, {"x-auth-token": token}, RESETS_IN_MS)


def _order(access: Access, external_id: str) -> str:
    return f"/v2/orders/{their_number(access, external_id, 'the order')}"


def _known(calls: ShopCalls, order: str) -> Json:
    if found := calls.record(order):
        return found
    raise RefusedByShop("bigcommerce: the order is not there any more")


def _all_of(calls: ShopCalls, order: Json, channel: str) -> Iterator[What]:
    """Money first: what is cancelled because its money was given back has it back already. Where
    all of it was given back by us, nobody there has called anything off."""
    end = over(order, channel)
    if isinstance(end, Ignored):
        yield end
        return
    currency, order_id = Found(order).currency, READER.identity(order.get("id"), "the order's id")
    if end is None:
        yield updated(_found(calls, order), channel)
    if READER.amount(order.get("refunded_amount") or "0", currency, "refunded_amount"):
        given = _refunds(calls, order)
        yield from refunds(order, given, channel)
        if status_of(order) == REFUNDED and given and all(map(is_ours, given)):
            end = Ignored("its money was given back by us")
    if READER.count(order.get("items_shipped") or 0, "items_shipped"):
        yield from shipments(order_id, _shipments(calls, order), channel)
    if end is not None:
        yield end


def _found(calls: ShopCalls, order: Json) -> Found:
    path = f"/v2/orders/{READER.identity(order.get('id'), 'the order')}"
    products = _products(calls, path)
    addresses = calls.rows(f"{path}/shipping_addresses", [("limit", str(MOST_ROWS))])
    collected = any(not x.get("order_address_id") for x in products) or not addresses
    locations = {theirs: ours for ours, theirs in calls.access.locations.items()}
    return Found(
        order,
        products,
        addresses,
        _pickups(calls, path) if collected and order.get("order_is_digital") is not True else [],
        _fees(calls, order, path),
        locations,
    )


def _products(calls: ShopCalls, order: str) -> list[Json]:
    """Page by page: an order without its last lines would be another order."""
    found: list[Json] = []
    for page in range(1, MOST_PAGES + 1):
        query = [("limit", str(MOST_ROWS)), ("page", str(page))]
        found += (rows := calls.rows(f"{order}/products", query))
        if len(rows) < MOST_ROWS:
            return found
    raise RefusedByShop(f"bigcommerce: an order of more than {MOST_PAGES * MOST_ROWS} lines")


def _pickups(calls: ShopCalls, order: str) -> list[Json]:
    return READER.objects(calls.record(f"{order}/consignments"), "pickups")


def _fees(calls: ShopCalls, order: Json, path: str) -> list[Json]:
    """In the order, or a link to where they are."""
    fees = order.get("fees")
    return calls.rows(f"{path}/fees") if isinstance(fees, dict) else READER.objects(order, "fees")


def _shipments(calls: ShopCalls, order: Json) -> list[Json]:
    path = f"/v2/orders/{READER.identity(order.get('id'), 'the order')}/shipments"
    return calls.rows(path, [("limit", str(MOST_ROWS))])


def _refunds(calls: ShopCalls, order: Json) -> list[Json]:
    return READER.objects(calls.record(f"{_actions(order)}/refunds"), "data")


def _actions(order: Json) -> str:
    return f"/v3/orders/{READER.identity(order.get('id'), 'the order')}/payment_actions"


def _changed(row: Json, channel: str) -> What:
    """What cannot be read is fetched by itself: the others are not kept waiting for a person."""
    if not re.fullmatch(r"[0-9]{1,20}", str(row.get("id")), re.ASCII):
        return Ignored("an order without an id")
    asked = Fetch(channel, str(row["id"]))
    try:
        return end if isinstance(end := over(row, channel), Ignored) else asked
    except MalformedOrder:
        return asked


def _cursor(rows: list[Json], start: datetime, page: int) -> str:
    """For `place`, from the last change on: pages move while orders change. A page that is all of
    one second is followed by the next page."""
    if len(rows) < ORDERS_A_PAGE:
        return ""
    last = instant_of(rows[-1].get("date_modified"))
    resumed = last - timedelta(seconds=1) if last else start
    if resumed > start:
        return f"{int(resumed.timestamp())}.1"
    return f"{int(start.timestamp())}.{page + 1}"


def _product(access: Access, unit: Units, products: list[Json]) -> Json:
    for name, wanted in (("id", unit.line_id), ("sku", unit.sku)):
        for line in products:
            if wanted and str(line.get(name)) == wanted:
                return line
    raise RefusedByShop(f"{access.channel}: the order has no line {unit.line_id or unit.sku!r}")


def _shipment(done: Shipped, items: list[tuple[Json, int]], address: int) -> Json:
    return {
        "order_address_id": address,
        "tracking_number": done.tracking_number,
        "tracking_link": done.tracking_url,
        "shipping_provider": CARRIERS.get(done.carrier, ""),
        "comments": marked(done.key),
        "items": [{"order_product_id": line["id"], "quantity": count} for line, count in items],
    }


def _is_same(made: Json, wanted: Json) -> bool:
    """Told by us under this key, or the same parcel by somebody else."""
    if made.get("comments") == wanted["comments"]:
        return True
    number = wanted["tracking_number"]
    return bool(number) and made.get("tracking_number") == number and _same_items(made, wanted)


def _same_items(made: Json, wanted: Json) -> bool:
    names = ("order_product_id", "quantity")
    return {tuple(str(x.get(n)) for n in names) for x in READER.objects(made, "items")} == {
        tuple(str(x[n]) for n in names) for x in wanted["items"]
    }


def _noted(calls: ShopCalls, order: str, key: str, said: str) -> str:
    """In the notes of the shop's staff, once."""
    found = _known(calls, order)
    notes = found.get("staff_notes") or ""
    if marked(key) not in notes:
        calls.put(order, {"staff_notes": f"{notes}\n{marked(key)}: {said}".strip()})
    return id_in(found)


def _told(units: Sequence[Units]) -> str:
    return ", ".join(f"{unit.quantity} × {unit.sku or unit.line_id}" for unit in units)


def _reasons(refund: Json) -> str:
    return " ".join(text(x.get("reason")) for x in (refund, *READER.objects(refund, "items")))


def _agreed(calls: ShopCalls, order: Json, done: GivenBack) -> tuple[list[Json], list[Json]]:
    """The items whose refund is exactly the amount, and who pays it: the units where their price
    is it, else the order, which leaves its taxes alone."""
    for items in _wordings(order, done):
        quote = _quoted(calls, order, items)
        if _quoted_amount(quote, done) == done.amount:
            return items, _paid_by(quote, done)
    raise RefusedByShop("bigcommerce: the shop would give back another amount")


def _wordings(order: Json, done: GivenBack) -> Iterator[list[Json]]:
    reason = f"{marked(done.key)} {done.reason}"
    if done.units and all(unit.line_id.isdecimal() for unit in done.units):
        yield [
            {
                "item_type": "PRODUCT",
                "item_id": int(unit.line_id),
                "quantity": unit.quantity,
                "reason": reason,
            }
            for unit in done.units
        ]
    amount = _json_number(done.amount, done.currency)
    yield [{"item_type": "ORDER", "item_id": order["id"], "amount": amount, "reason": reason}]


def _quoted(calls: ShopCalls, order: Json, items: list[Json]) -> Json:
    """Empty where the shop gives nothing back for them."""
    try:
        answer = calls.post(f"{_actions(order)}/refund_quotes", {"items": items})
    except RefusedByShop:
        if items[0]["item_type"] == "ORDER":
            raise
        return {}
    return within(calls.object_in(answer), "data")


def _quoted_amount(quote: Json, done: GivenBack) -> int | None:
    given = quote.get("total_refund_amount")
    return None if given is None else READER.amount(given, done.currency, "total_refund_amount")


def _paid_by(quote: Json, done: GivenBack) -> list[Json]:
    for method in quote.get("refund_methods") or []:
        payments = READER.objects({"payments": method}, "payments")
        amounts = [READER.amount(x.get("amount"), done.currency, "amount") for x in payments]
        if sum(amounts) == done.amount and not any(x.get("offline") for x in payments):
            return [
                {
                    "provider_id": text(x.get("provider_id")),
                    "amount": _json_number(amount, done.currency),
                    "offline": False,
                }
                for x, amount in zip(payments, amounts, strict=True)
            ]
    raise RefusedByShop("bigcommerce: only a person can pay this out: no payment method does")


def _json_number(amount: int, currency: str) -> float:
    """The shortest decimal that is the amount, which JSON writes as it is."""
    return float(decimal_text(amount, currency))


def _made(calls: ShopCalls, answer: Any) -> str:
    return id_in(within(calls.object_in(answer), "data"))


def _level(access: Access, level: Stocked) -> Json:
    theirs = access.settings.get("location", "1")
    if level.location_id:
        theirs = access.locations.get(level.location_id, "")
    if not theirs:
        raise RefusedByShop(f"bigcommerce: no location of the shop is {level.location_id!r}")
    location = their_number(access, theirs, "the location")
    return {"location_id": location, **_item(level), "quantity": max(level.available, 0)}


def _item(level: Stocked) -> Json:
    """By the variant or product where it was mapped, else by its SKU."""
    kind, _, number = level.item.rpartition(":")
    if number.isascii() and number.isdecimal() and kind in ("", "variant", "product"):
        return {f"{kind or 'variant'}_id": int(number)}
    return {"sku": level.item or level.sku}
