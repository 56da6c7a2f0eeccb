"""What shops are told, and what they refused."""

from __future__ import annotations

from typing import Literal

from oms.contracts.api.fields import Codes, Contract, Cursor, PageSize
from oms.contracts.api.views import At, View


class ShopTaskQuery(Contract):
    """Without a status: those that somebody should look at."""

    status: Literal["waiting", "failed", "done"] = "failed"
    cursor: Cursor | None = None
    limit: PageSize = 50


class TellStock(Contract):
    """SKUs whose levels the shop is told, at the end of its window, whether they move or not."""

    skus: Codes


class ShopTaskView(View, omit_defaults=True):
    """`kind` is fulfillment, cancellation, refund or stock; `parcel` counts from 1. `due_at`: when
    it is tried next; `tries`: how often in vain, since `since`. `reference` is the shop's own."""

    task_id: str
    shop: str
    kind: str
    status: str
    since: At
    due_at: At
    tries: int = 0
    order_id: str = ""
    event_seq: int = 0
    parcel: int = 0
    sku: str = ""
    error: str = ""
    reference: str = ""
    finished_at: At | None = None


class ShopTaskPage(View):
    """A page may have fewer than were asked for, or none, and a cursor."""

    items: list[ShopTaskView]
    cursor: str | None = None


class ToldStockView(View):
    """How many levels wait to be told."""

    queued: int


class RedrivenView(View):
    """`more`: some are left; ask again."""

    redriven: int
    more: bool
