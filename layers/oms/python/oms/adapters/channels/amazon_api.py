"""Amazon's Selling Partner API: orders from it, and what was done here to it.

Orders are read by the Orders API 2026-01-01 and shipped by `confirmShipment` of v0, stock is
patched into listings. An order is called off by a feed, as a whole: there is none for a part of it.
Nothing gives money back by a key: a feed that is sent twice could refund twice, so a person does.

Credentials: `refresh_token`, `client_id`, `client_secret`. Settings: `marketplace_id`, `seller_id`
(else the shop's name), `token_url`. Locations: Amazon's supply sources.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from oms.adapters.channels.amazon_orders import CANCELLED, UNPAID, said_of
from oms.adapters.channels.amazon_orders_2026 import standing
from oms.adapters.channels.amazon_sales import READER
from oms.adapters.channels.base import Page, Units, What, named
from oms.adapters.channels.marketplace_api import answered, each_told, whole
from oms.adapters.channels.shop_answers import asked_at
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.channels.shop_fields import Json, text
from oms.adapters.channels.token_calls import Grant, TokenCalls, credential, said, setting

TOKEN_URL = "https://api.amazon.com/auth/o2/token"
ORDERS = "/orders/2026-01-01/orders"
FEEDS = "/feeds/2021-06-30"
LISTINGS = "/listings/2021-08-01/items"
CANCELLATION = "POST_FLAT_FILE_ORDER_ACKNOWLEDGEMENT_DATA"
FLAT_FILE = "text/tab-separated-values; charset=UTF-8"
ALL_OF_IT = "BUYER,RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,PAYMENT"
ITS_STANDING = "FULFILLMENT,PACKAGES"
CARRIERS = {
    "ups": "UPS",
    "usps": "USPS",
    "fedex": "FedEx",
    "dhl": "DHL",
    "royal_mail": "Royal Mail",
    "canada_post": "Canada Post",
    "australia_post": "Australia Post",
}
OTHERS = "Others"
AWAY = frozenset({"SHIPPED", "PARTIALLYSHIPPED"})
ASIN = re.compile(r"(B[0-9A-Z]{9}|[0-9]{9}[0-9X])", re.ASCII)
PAUSES = (1.0, 2.0)  # seconds; five listings a second are the limit
REASONS = (
    ("stock", "NoInventory"),
    ("address", "ShippingAddressUndeliverable"),
    ("customer", "BuyerCanceled"),
    ("buyer", "BuyerCanceled"),
    ("request", "BuyerCanceled"),
)


def _grant(access: Access) -> Grant:
    names = ("refresh_token", "client_id", "client_secret")
    form = {"grant_type": "refresh_token"} | {x: credential(access, x) for x in names}
    return Grant(access.settings.get("token_url") or TOKEN_URL, form)


def _headers(_: Access, token: str) -> dict[str, str]:
    return {"x-amz-access-token": token, "user-agent": "Baton/1 (Language=Python)"}


class AmazonApi:
    code = "amazon"
    calls_per_second = 0.5  # of `getOrder`, the slowest of those that are asked often

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._calls, self._pause = TokenCalls(_grant, _headers), pause

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        return whole(READER, said_of(self._order(access, external_id, ALL_OF_IT), _channel(access)))

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        query = [("lastUpdatedAfter", _time(since)), ("fulfilledBy", "MERCHANT")]
        if marketplace := access.settings.get("marketplace_id"):
            query.append(("marketplaceIds", marketplace))
        query += [("includedData", ALL_OF_IT), *([("paginationToken", cursor)] if cursor else [])]
        found = answered(READER, self._calls.get(access, ORDERS, query))
        orders = READER.objects(found, "orders")
        said = tuple(each_told(orders, lambda x: x.get("orderId"), said_of, _channel(access)))
        following = READER.within(found, "pagination").get("nextToken")
        return Page(said, following if isinstance(following, str) else "")

    def ship(self, access: Access, done: Shipped) -> str:
        if not done.tracking_number:
            raise RefusedByShop("amazon: a parcel without a tracking number is confirmed by hand")
        package = _package_id(done.key)
        order = self._order(access, done.external_id, ITS_STANDING)
        known = (each.get("packageReferenceId") for each in READER.objects(order, "packages"))
        if package not in known:
            path = f"/orders/v0/orders/{quote(done.external_id, safe='')}/shipmentConfirmation"
            self._calls.send(access, "POST", path, _confirmation(access, order, done, package))
        return package

    def call_off(self, access: Access, done: CalledOff) -> str:
        order = self._order(access, done.external_id, ITS_STANDING)
        status, _ = standing(order)
        if status not in CANCELLED:
            _can_be_called_off(status, done)
            self._submit(access, order, _cancellation(order, done))
        return f"{done.external_id}:cancelled"

    def give_back(self, access: Access, done: GivenBack) -> str:
        raise RefusedByShop(
            "amazon: its refunds have no key against being made twice: refund it in Seller Central"
        )

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str:
        """Quantities are absolute: the same ones again change nothing."""
        refused, submitted = [], list[str]()
        for sku, of_sku in _by_sku(levels).items():
            found = self._patched(access, sku, of_sku, bool(submitted))
            if text(found.get("status")) == "INVALID":
                refused.append(f"{sku[:100]} ({_issues(found)})")
            submitted.append(text(found.get("submissionId")))
        if refused:
            raise RefusedByShop(f"amazon: the stock was refused of {', '.join(refused)}"[:300])
        return ",".join(submitted)[:200]

    def _order(self, access: Access, order_id: str, included: str) -> Json:
        path = f"{ORDERS}/{quote(order_id, safe='')}"
        found = answered(READER, self._calls.get(access, path, [("includedData", included)]))
        return READER.within(found, "order")

    def _patched(self, access: Access, sku: str, levels: list[Stocked], begun: bool) -> Json:
        """A batch that has begun waits a little for the limit: from its start it would come no
        further."""
        for pause in PAUSES if begun else ():
            try:
                return answered(READER, self._patch(access, sku, levels))
            except Later:
                self._pause(pause)
        return answered(READER, self._patch(access, sku, levels))

    def _patch(self, access: Access, sku: str, levels: list[Stocked]) -> Any:
        seller = access.settings.get("seller_id") or access.shop.upper()
        market = quote(setting(access, "marketplace_id"), safe="")
        path = f"{LISTINGS}/{quote(seller, safe='')}/{quote(sku, safe='')}?marketplaceIds={market}"
        value = [_availability(access, level) for level in levels]
        patch = {"op": "replace", "path": "/attributes/fulfillment_availability", "value": value}
        return self._calls.send(
            access, "PATCH", path, {"productType": "PRODUCT", "patches": [patch]}
        )

    def _submit(self, access: Access, order: Json, document: bytes) -> None:
        """The document is put where Amazon says, and then named in a feed."""
        asked = {"contentType": FLAT_FILE}
        made = answered(READER, self._calls.send(access, "POST", f"{FEEDS}/documents", asked))
        document_id, url = text(made.get("feedDocumentId")), made.get("url")
        if not document_id or not isinstance(url, str):
            raise Later("amazon: no document in the answer")
        said(access, asked_at(access, "PUT", url, {"content-type": FLAT_FILE}, document))
        feed = {
            "feedType": CANCELLATION,
            "marketplaceIds": [_marketplace(access, order)],
            "inputFeedDocumentId": document_id,
        }
        self._calls.send(access, "POST", f"{FEEDS}/feeds", feed)


def _channel(access: Access) -> str:
    return named("amazon", access.shop)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _package_id(key: str) -> str:
    """Amazon takes digits only; the same ones for the same key."""
    return str(int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) + 1)


def _marketplace(access: Access, order: Json) -> str:
    found = text(READER.within(order, "salesChannel").get("marketplaceId"))
    return found or setting(access, "marketplace_id")


def _confirmation(access: Access, order: Json, done: Shipped, package: str) -> Json:
    carrier = CARRIERS.get(done.carrier, OTHERS)
    detail = {
        "packageReferenceId": package,
        "carrierCode": carrier,
        "trackingNumber": done.tracking_number,
        "shipDate": _time(done.at),
        "orderItems": list(_items(order, done.units)),
    }
    if carrier == OTHERS:
        detail["carrierName"] = done.carrier
    if source := access.locations.get(done.location_id):
        detail["shipFromSupplySourceId"] = source
    return {"marketplaceId": _marketplace(access, order), "packageDetail": detail}


def _items(order: Json, units: Sequence[Units]) -> Iterator[Json]:
    """Each by its own id, or by the SKU of one that is there once."""
    items = READER.objects(order, "orderItems")
    known = {text(each.get("orderItemId")): each for each in items}
    for each in units:
        found = [each.line_id] if each.line_id in known else list(_of_sku(known, each.sku))
        if len(found) != 1:
            raise RefusedByShop("amazon: a line that was shipped is none of the order's")
        yield {"orderItemId": found[0], "quantity": each.quantity}


def _of_sku(items: dict[str, Json], sku: str) -> Iterator[str]:
    for item_id, item in items.items():
        if sku and text(READER.within(item, "product").get("sellerSku")) == sku:
            yield item_id


def _can_be_called_off(status: str, done: CalledOff) -> None:
    """A feed that calls off what was shipped in part would give back all the money."""
    if not done.whole:
        raise RefusedByShop("amazon: a part of an order is cancelled in Seller Central")
    if status in AWAY:
        raise RefusedByShop("amazon: a part of it was shipped: refund the rest in Seller Central")
    if status in UNPAID:
        raise Later("amazon: it waits for its payment", 3_600)


def _cancellation(order: Json, done: CalledOff) -> bytes:
    """A flat file: two lines of heading, then the items of the order."""
    reason = next((code for word, code in REASONS if word in done.reason.lower()), "")
    rows = [
        "TemplateType=OrderCancellation\tVersion=1.0/1.0.3",
        "order-id\tcancellation-reason-code\tamazon-order-item-code",
    ]
    for item in READER.objects(order, "orderItems"):
        item_id = READER.identity(item.get("orderItemId"), "an item's id")
        rows.append(f"{done.external_id}\t{reason or 'GeneralAdjustment'}\t{item_id}")
    return "".join(f"{row}\r\n" for row in rows).encode()


def _by_sku(levels: Sequence[Stocked]) -> dict[str, list[Stocked]]:
    found: dict[str, list[Stocked]] = {}
    for level in levels:
        found.setdefault(_seller_sku(level), []).append(level)
    return found


def _seller_sku(level: Stocked) -> str:
    """What was mapped is the seller's SKU, or names a product of Amazon's: then ours is."""
    item = level.item
    return level.sku if not item or ":" in item or ASIN.fullmatch(item) else item


def _availability(access: Access, level: Stocked) -> Json:
    source = access.locations.get(level.location_id, "") if level.location_id else ""
    return {"fulfillment_channel_code": source or "DEFAULT", "quantity": max(level.available, 0)}


def _issues(found: Json) -> str:
    codes = (text(each.get("code"))[:40] for each in READER.objects(found, "issues"))
    return " ".join(codes)[:100]
