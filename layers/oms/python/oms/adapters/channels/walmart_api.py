"""Walmart's Marketplace API: orders from it. Source: Orders v3, `getAnOrder`, `getAllOrders`.

Credentials: `client_id`, `client_secret`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from oms.adapters.channels.base import Page, What, named
from oms.adapters.channels.marketplace_api import ToldByHand, answered, each_told, whole
from oms.adapters.channels.shop_api import Access
from oms.adapters.channels.token_calls import Grant, TokenCalls, asked_with, basic, credential
from oms.adapters.channels.walmart import orders_in
from oms.adapters.channels.walmart_orders import READER, said_of

ORDERS = "/v3/orders"
PAGE = "100"
CALLER = {"wm_svc.name": "Walmart Marketplace"}


def _grant(access: Access) -> Grant:
    client = basic(credential(access, "client_id"), credential(access, "client_secret"))
    headers = {**CALLER, "authorization": client, "wm_qos.correlation_id": access.shop or "oms"}
    url = access.settings.get("token_url") or f"{access.base_url}/v3/token"
    return Grant(url, {"grant_type": "client_credentials"}, headers)


def _headers(_: Access, token: str) -> dict[str, str]:
    return {**CALLER, "wm_sec.access_token": token, "wm_qos.correlation_id": str(uuid.uuid4())}


class WalmartApi(ToldByHand):
    code = "walmart"
    where = "Walmart"
    calls_per_second = 2.0

    def __init__(self) -> None:
        self._calls = TokenCalls(_grant, _headers)

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        found = self._calls.get(access, f"{ORDERS}/{quote(external_id, safe='')}")
        order = READER.within(answered(READER, found), "order")
        return whole(READER, said_of(order, named(self.code, access.shop)))

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """`cursor` is the query of the next page, as Walmart wrote it."""
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = asked_with([("lastModifiedStartDate", start), ("limit", PAGE)])
        path = ORDERS + (cursor if cursor.startswith("?") else query)
        found = answered(READER, self._calls.get(access, path))
        channel = named(self.code, access.shop)
        orders = orders_in(found)
        said = tuple(each_told(orders, lambda x: x.get("purchaseOrderId"), said_of, channel))
        following = READER.within(READER.within(found, "list"), "meta").get("nextCursor")
        return Page(said, following if isinstance(following, str) else "")
