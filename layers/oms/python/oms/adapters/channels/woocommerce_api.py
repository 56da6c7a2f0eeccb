"""WooCommerce's REST API, version 3.

It knows no shipments, no cancelled units and no keys of ours. What was done is marked in the meta
data of the order or refund and looked for first. The buyer is told a tracking number by a note;
where `shipment_tracking` is "true" in the shop's settings, by the Shipment Tracking extension. The
order is completed when nothing of it is left. Units that are called off are a private note; with
the money that is given back for them they are a refund's lines. `api_refund` "true" lets the shop
move the money through its gateway, else somebody else moves it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from oms.adapters.channels.base import (
    Fetch,
    Ignored,
    MalformedOrder,
    Page,
    Units,
    What,
    named,
)
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.channels.shop_calls import ShopCalls
from oms.adapters.channels.shop_fields import Json, decimal_text, instant, text
from oms.adapters.channels.woocommerce_order import (
    CODE,
    MARK,
    SHIPMENT,
    changed_at,
    count_of,
    gmt,
    key_of,
    meta,
    refunds_of,
    said_of,
    shipment,
    shipped_units,
)
from oms.contracts.invalid import InvalidRequest
from oms.domain.currencies import NotAnAmount, minor_units

API = "/wp-json/wc/v3"
TRACKING = "/wp-json/wc-shipment-tracking/v3"
ON_A_PAGE = 50
IN_A_BATCH = 100  # what the API takes at once


class WooCommerceApi:
    code = CODE
    calls_per_second = 2.0  # none is published: what a small host bears beside its buyers

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        if what not in ("order", "refunds"):
            raise RefusedByShop(f"{self.code}: nobody fetches {what[:30]!r} there")
        order = _object(_get(access, f"/orders/{_id(external_id)}"))
        channel = named(self.code, access.shop)
        told = [each for each in said_of(order, channel) if not isinstance(each, Fetch)]
        return [*told, *refunds_of(order, _refunds(access, order), channel)]

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """By their times and not by pages: what changes meanwhile would move to another page. The
        cursor is the second to begin before, and the page of what changed within it."""
        begin, page = _place(cursor) or (since, 1)
        found = _objects(_get(access, f"/orders?{urlencode(_window(begin, page))}"))
        channel = named(self.code, access.shop)
        told = [each for order in found for each in _told(order, channel)]
        return Page(told, _next(found, begin, page))

    def ship(self, access: Access, done: Shipped) -> str:
        order = _object(_get(access, f"/orders/{_id(done.external_id)}"))
        mark = f"{SHIPMENT}{done.key}"
        if mark in (marks := meta(order)):
            return _fulfillment(marks[mark], done)
        known_as = _track(access, done) or f"{done.external_id}:{done.key}"
        parcel = {"id": known_as, "units": _counted(done.units)}
        change: Json = {"meta_data": [{"key": mark, "value": json.dumps(parcel)}]}
        if _is_all_shipped(order, _refunds(access, order), done.units):
            change["status"] = "completed"
        _send(access, "PUT", f"/orders/{_id(done.external_id)}", change)
        return known_as

    def call_off(self, access: Access, done: CalledOff) -> str:
        path = f"/orders/{_id(done.external_id)}"
        if not done.whole:
            said = ", ".join(f"{each.quantity} × {each.sku}" for each in done.units)
            return _note(access, path, f"Cancelled: {said}. {done.reason} [{done.key}]", done.key)
        order = _object(_get(access, path))
        if text(order.get("status")) not in ("cancelled", "refunded", "trash"):
            _send(access, "PUT", path, {"status": "cancelled"})
        return done.external_id

    def give_back(self, access: Access, done: GivenBack) -> str:
        path = f"/orders/{_id(done.external_id)}"
        for each in _objects(_get(access, f"{path}/refunds?per_page=100")):
            if key_of(each) == done.key:
                return str(each.get("id"))
        order = _object(_get(access, path))
        if text(order.get("currency")) != done.currency:
            raise RefusedByShop(f"{self.code}: the order is not in {done.currency}")
        made = _send(access, "POST", f"{path}/refunds", _refund(access, order, done))
        return str(made.get("id"))

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str:
        """A shop has one level of each item: of all its locations together."""
        wanted: dict[tuple[str, str], int] = defaultdict(int)
        for level in levels:
            wanted[level.sku, level.item] += max(level.available, 0)
        known, lost = _products(access, wanted), set[str]()
        batches: dict[str, list[tuple[str, Json]]] = defaultdict(list)
        for (sku, item), quantity in wanted.items():
            if (product := known.get(item or sku)) is None:
                lost.add(sku)
            else:
                batches[_batch_of(product)].append((sku, _level(product, quantity)))
        for path, batch in batches.items():
            lost.update(_set(access, path, batch))
        if lost:
            said = ", ".join(sorted(lost))[:300]
            raise RefusedByShop(f"{self.code}: not set there: {said}", sorted(lost))
        return key


def _told(order: Json, channel: str) -> Sequence[What]:
    """One that cannot be read is asked for by itself, and holds up no other."""
    try:
        return [each for each in said_of(order, channel) if not isinstance(each, Ignored)]
    except (MalformedOrder, InvalidRequest):
        return [Fetch(channel, _id(str(order.get("id"))))]


def _window(begin: datetime, page: int) -> Mapping[str, Any]:
    return {
        "modified_after": gmt(begin - timedelta(seconds=1)),
        "dates_are_gmt": "true",
        "orderby": "modified",
        "order": "asc",
        "per_page": ON_A_PAGE,
        "page": page,
    }


def _place(cursor: str) -> tuple[datetime, int] | None:
    begin, _, page = cursor.partition("|")
    return (found, int(page)) if (found := instant(begin)) and page.isdecimal() else None


def _next(found: Sequence[Json], begin: datetime, page: int) -> str:
    if len(found) < ON_A_PAGE:
        return ""
    last = changed_at(found[-1]) or begin
    begin, page = (last, 1) if last > begin else (begin, page + 1)
    return f"{begin.astimezone(UTC).isoformat()}|{page}"


def _counted(units: Iterable[Units]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for each in units:
        counts[each.line_id or each.sku] += each.quantity
    return dict(counts)


def _is_all_shipped(order: Json, refunds: Iterable[Json], units: Iterable[Units]) -> bool:
    ordered = sum(map(count_of, _objects(order.get("line_items"))))
    back = sum(count_of(x) for each in refunds for x in _objects(each.get("line_items")))
    return shipped_units(order) + sum(each.quantity for each in units) >= ordered - back


def _fulfillment(value: Any, done: Shipped) -> str:
    return str(shipment(value).get("id") or f"{done.external_id}:{done.key}")


def _track(access: Access, done: Shipped) -> str:
    """The id of the tracking where an extension keeps it, else empty."""
    if not done.tracking_number:
        return ""
    if access.settings.get("shipment_tracking") == "true":
        return _tracked(access, done)
    said = f"{done.carrier.upper()} {done.tracking_number} {done.tracking_url}".strip()
    path = f"/orders/{_id(done.external_id)}"
    _note(access, path, said, done.tracking_number, for_buyer=True)
    return ""


def _tracked(access: Access, done: Shipped) -> str:
    path = f"/orders/{_id(done.external_id)}/shipment-trackings"
    for each in _objects(_calls(access).get(TRACKING + path)):
        if text(each.get("tracking_number")) == done.tracking_number:
            return str(each.get("tracking_id"))
    parcel = {
        "custom_tracking_provider": done.carrier,
        "custom_tracking_link": done.tracking_url,
        "tracking_number": done.tracking_number,
        "date_shipped": done.at.date().isoformat(),
    }
    return str(_object(_calls(access).post(TRACKING + path, parcel)).get("tracking_id"))


def _note(access: Access, path: str, said: str, known_by: str, *, for_buyer: bool = False) -> str:
    for each in _objects(_get(access, f"{path}/notes")):
        if known_by in str(each.get("note")):
            return str(each.get("id"))
    note = {"note": said, "customer_note": for_buyer}
    return str(_send(access, "POST", f"{path}/notes", note).get("id"))


def _refunds(access: Access, order: Json) -> list[Json]:
    if not order.get("refunds"):
        return []
    return _objects(_get(access, f"/orders/{_id(str(order.get('id')))}/refunds?per_page=100"))


def _refund(access: Access, order: Json, done: GivenBack) -> Json:
    """Stock is ours to put back: it comes by levels."""
    lines = [x for each in done.units for x in _refund_line(order, each, done.currency)]
    if sum(_of_line(x, done.currency) for x in lines) > done.amount:
        lines = [{"id": x["id"], "quantity": x["quantity"], "refund_total": 0} for x in lines]
    return {
        "amount": decimal_text(done.amount, done.currency),
        "reason": done.reason,
        "api_refund": access.settings.get("api_refund") == "true",
        "api_restock": False,
        "line_items": lines,
        "meta_data": [{"key": f"{MARK}key", "value": done.key}],
    }


def _refund_line(order: Json, units: Units, currency: str) -> Iterator[Json]:
    """The share of so many units of what their line costs, down to whole minor units."""
    for line in _objects(order.get("line_items")):
        theirs = str(line.get("id")) == units.line_id if units.line_id else False
        if not theirs and (units.line_id or text(line.get("sku")) != units.sku):
            continue
        quantity, of = min(units.quantity, count_of(line)), count_of(line)
        taxes = [x for x in _objects(line.get("taxes")) if x.get("id")]
        share = [_share(x.get("total"), quantity, of, currency) for x in (line, *taxes)]
        taxed = zip(taxes, share[1:], strict=True)
        yield {
            "id": line.get("id"),
            "quantity": quantity,
            "refund_total": share[0],
            "refund_tax": [{"id": tax["id"], "refund_total": total} for tax, total in taxed],
        }
        return


def _of_line(line: Json, currency: str) -> int:
    taxes = (minor_units(str(x["refund_total"]), currency) for x in line["refund_tax"])
    return minor_units(str(line["refund_total"]), currency) + sum(taxes)


def _share(total: Any, quantity: int, of: int, currency: str) -> str:
    try:
        whole = minor_units(str(total or 0), currency)
    except NotAnAmount:
        return decimal_text(0, currency)
    return decimal_text(whole * quantity // of if of else 0, currency)


def _products(access: Access, wanted: Iterable[tuple[str, str]]) -> dict[str, Json]:
    """Products and variations, by their SKU or by our word for their id (`variant:23`)."""
    found: dict[str, Json] = {}
    skus = sorted({sku for sku, item in wanted if not item})
    for n in range(0, len(skus), IN_A_BATCH):
        asked_for = {"sku": ",".join(skus[n : n + IN_A_BATCH]), "per_page": IN_A_BATCH}
        for product in _objects(_get(access, f"/products?{urlencode(asked_for)}")):
            found[text(product.get("sku"))] = product
    for item in sorted({item for _, item in wanted if item}):
        known_as = _id(item.rpartition(":")[2])
        found[item] = _object(_get(access, f"/products/{known_as}"))
    return found


def _batch_of(product: Json) -> str:
    """Variations are set below their product."""
    parent = product.get("parent_id")
    is_variation = product.get("type") == "variation" and parent
    return f"/products/{_id(str(parent))}/variations/batch" if is_variation else "/products/batch"


def _level(product: Json, quantity: int) -> Json:
    return {"id": product.get("id"), "manage_stock": True, "stock_quantity": quantity}


def _set(access: Access, path: str, levels: Sequence[tuple[str, Json]]) -> Iterator[str]:
    """SKUs of what was not set."""
    for n in range(0, len(levels), IN_A_BATCH):
        batch = levels[n : n + IN_A_BATCH]
        asked = {"update": [level for _, level in batch]}
        answers = _objects(_send(access, "POST", path, asked).get("update"))
        for (sku, _), answer in zip(batch, answers, strict=False):
            if "error" in answer:
                yield sku


def _get(access: Access, path: str) -> Any:
    return _calls(access).get(API + path)


def _send(access: Access, method: str, path: str, said: Json) -> Json:
    calls = _calls(access)
    return _object((calls.put if method == "PUT" else calls.post)(API + path, said))


def _calls(access: Access) -> ShopCalls:
    credentials = access.credentials
    pair = f"{credentials.get('consumer_key', '')}:{credentials.get('consumer_secret', '')}"
    return ShopCalls(access, {"authorization": f"Basic {b64encode(pair.encode()).decode()}"})


def _id(known_as: str) -> str:
    if not known_as.isdecimal():
        raise RefusedByShop(f"{CODE}: {known_as[:30]!r} is no id there")
    return quote(known_as)


def _object(found: Any) -> Json:
    if found is None:
        raise RefusedByShop(f"{CODE}: nothing is there")
    if not isinstance(found, dict):
        raise Later(f"{CODE}: the answer is not what was asked for")
    return found


def _objects(found: Any) -> list[Json]:
    if found is None:
        raise RefusedByShop(f"{CODE}: nothing is there")
    if not isinstance(found, list):
        raise Later(f"{CODE}: the answer is not what was asked for")
    return [each for each in found if isinstance(each, dict)]
