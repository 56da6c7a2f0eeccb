"""eBay's Fulfillment API: orders from it. Source: `getOrder`, `getOrders`.

Credentials: `refresh_token`, `client_id`, `client_secret`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from oms.adapters.channels.base import Page, What, named
from oms.adapters.channels.ebay_orders import READER, said_of
from oms.adapters.channels.marketplace_api import ToldByHand, answered, each_told, whole
from oms.adapters.channels.shop_api import Access
from oms.adapters.channels.token_calls import Grant, TokenCalls, basic, credential

ORDERS = "/sell/fulfillment/v1/order"
PAGE = 100


def _grant(access: Access) -> Grant:
    client = basic(credential(access, "client_id"), credential(access, "client_secret"))
    form = {"grant_type": "refresh_token", "refresh_token": credential(access, "refresh_token")}
    url = access.settings.get("token_url") or f"{access.base_url}/identity/v1/oauth2/token"
    return Grant(url, form, {"authorization": client})


def _headers(_: Access, token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


class EbayApi(ToldByHand):
    code = "ebay"
    where = "eBay"
    calls_per_second = 2.0

    def __init__(self) -> None:
        self._calls = TokenCalls(_grant, _headers)

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        order = self._calls.get(access, f"{ORDERS}/{quote(external_id, safe='')}")
        return whole(READER, said_of(answered(READER, order), named(self.code, access.shop)))

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """`cursor` is how many orders there were before."""
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        offset = int(cursor) if cursor.isdecimal() else 0
        query = [("filter", f"lastmodifieddate:[{start}..]")]
        query += [("limit", str(PAGE)), ("offset", str(offset))]
        found = answered(READER, self._calls.get(access, ORDERS, query))
        orders = READER.objects(found, "orders")
        channel = named(self.code, access.shop)
        said = tuple(each_told(orders, lambda order: order.get("orderId"), said_of, channel))
        return Page(said, str(offset + len(orders)) if orders and found.get("next") else "")
