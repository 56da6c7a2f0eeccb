"""Etsy's Open API v3: receipts from it. Source: `getShopReceipt`, `getShopReceipts`.

Credentials: `refresh_token` and `client_id` (the keystring; with `shared_secret`, where the app has
one, it is what `x-api-key` shows). Etsy answers a refresh with another refresh token too, which is
not kept here: what is stored is renewed within its 90 days. Settings: `shop_id`, else the shop's
name; `token_url`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from oms.adapters.channels.base import Page, What, named
from oms.adapters.channels.etsy_receipts import READER, said_of
from oms.adapters.channels.marketplace_api import ToldByHand, answered, each_told, whole
from oms.adapters.channels.shop_api import Access
from oms.adapters.channels.token_calls import Grant, TokenCalls, credential

TOKEN_URL = "https://api.etsy.com/v3/public/oauth/token"
PAGE = 100


def _grant(access: Access) -> Grant:
    form = {
        "grant_type": "refresh_token",
        "client_id": credential(access, "client_id"),
        "refresh_token": credential(access, "refresh_token"),
    }
    return Grant(access.settings.get("token_url") or TOKEN_URL, form)


def _headers(access: Access, token: str) -> dict[str, str]:
    parts = (credential(access, "client_id"), access.credentials.get("shared_secret", ""))
    return {"authorization": f"Bearer {token}", "x-api-key": ":".join(filter(None, parts))}


class EtsyApi(ToldByHand):
    code = "etsy"
    where = "Etsy"
    calls_per_second = 5.0

    def __init__(self) -> None:
        self._calls = TokenCalls(_grant, _headers)

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        receipt = self._calls.get(access, f"{_receipts(access)}/{quote(external_id, safe='')}")
        return whole(READER, said_of(answered(READER, receipt), named(self.code, access.shop)))

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        """`cursor` is how many receipts there were before. The latest change comes first: what
        changes meanwhile moves others further down the list, where they are met again."""
        offset = int(cursor) if cursor.isdecimal() else 0
        query = [("min_last_modified", str(int(since.timestamp()))), ("limit", str(PAGE))]
        query += [("sort_on", "updated"), ("sort_order", "desc"), ("offset", str(offset))]
        found = answered(READER, self._calls.get(access, _receipts(access), query))
        receipts = READER.objects(found, "results")
        channel = named(self.code, access.shop)
        said = tuple(each_told(receipts, lambda each: each.get("receipt_id"), said_of, channel))
        return Page(said, str(offset + PAGE) if len(receipts) == PAGE else "")


def _receipts(access: Access) -> str:
    shop = access.settings.get("shop_id") or access.shop
    return f"/v3/application/shops/{quote(shop, safe='')}/receipts"
