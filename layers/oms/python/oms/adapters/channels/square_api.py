"""Square's Orders API: orders from it. Source: `RetrieveOrder`, `SearchOrders`.

Credentials: `access_token`. Settings: `location_ids` (with commas), else the locations'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from oms.adapters.channels.base import Page, What, named
from oms.adapters.channels.marketplace_api import ToldByHand, answered, each_told, whole
from oms.adapters.channels.shop_api import Access
from oms.adapters.channels.shop_fields import Json
from oms.adapters.channels.square_orders import READER, said_of
from oms.adapters.channels.token_calls import TokenCalls, setting

VERSION = "2025-09-24"
PAGE = 100


def _headers(_: Access, token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "square-version": VERSION}


class SquareApi(ToldByHand):
    code = "square"
    where = "Square"
    calls_per_second = 5.0

    def __init__(self) -> None:
        self._calls = TokenCalls(lambda _: None, _headers)

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        path = f"/v2/orders/{quote(external_id, safe='')}"
        found = answered(READER, self._calls.get(access, path))
        order = READER.within(found, "order")
        return whole(READER, said_of(order, named(self.code, access.shop), _ours(access)))

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        query = _query(access, since) | ({"cursor": cursor} if cursor else {})
        found = answered(READER, self._calls.send(access, "POST", "/v2/orders/search", query))
        said = each_told(
            READER.objects(found, "orders"),
            lambda order: order.get("id"),
            lambda order, channel: said_of(order, channel, _ours(access)),
            named(self.code, access.shop),
        )
        following = found.get("cursor")
        return Page(tuple(said), following if isinstance(following, str) else "")


def _ours(access: Access) -> dict[str, str]:
    return {theirs: ours for ours, theirs in access.locations.items()}


def _query(access: Access, since: datetime) -> Json:
    known = sorted(set(access.locations.values()))
    locations = known or [x.strip() for x in setting(access, "location_ids").split(",")]
    start_at = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "location_ids": locations,
        "limit": PAGE,
        "query": {
            "filter": {"date_time_filter": {"updated_at": {"start_at": start_at}}},
            "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
        },
    }
