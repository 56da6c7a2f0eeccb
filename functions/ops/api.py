"""For those who run the business: what needs a decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Protocol

from functions.ops import decisions
from functions.ops.decisions import Desk
from oms.adapters.attention import Waiting, WaitingPage, attention_list
from oms.adapters.channel_inbox import Kept, KeptPage, inbox_list, is_of_messages
from oms.adapters.http_api import HttpApi, Problem, Request
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.payments import SETTINGS
from oms.adapters.payments.settling import Undecided, settle
from oms.adapters.workflow import executions, return_executions
from oms.contracts.api.staff import AttentionQuery, ResolveAttention
from oms.contracts.api.views import (
    AttentionPage,
    AttentionView,
    OrderView,
)
from oms.contracts.cursors import encode_cursor
from oms.contracts.render import order_view
from oms.domain.order import Order

ENVIRONMENT: tuple[str, ...] = (
    *("ORDERS_TABLE", "STOCK_TABLE", "CHANNELS_TABLE", "ORDER_WORKFLOW", "RETURN_WORKFLOW"),
    *SETTINGS,
)

MESSAGES = encode_cursor({"PK": "MESSAGE#"})  # where they begin

app = HttpApi("OpsApi")


class List(Protocol):
    def page(self, limit: int, cursor: str | None = None) -> WaitingPage: ...


class Messages(Protocol):
    def page(self, limit: int, cursor: str | None = None) -> KeptPage: ...


class Orders(Protocol):
    def many(self, order_ids: list[str]) -> dict[str, Order]: ...


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/attention")
def list_attention(request: Request) -> AttentionPage:
    """Orders, and then what nobody understood, each oldest first."""
    query = request.read_query(AttentionQuery)
    if query.cursor and is_of_messages(query.cursor):
        start = None if query.cursor == MESSAGES else query.cursor
        return misunderstood(query.limit, inbox_list(), start)
    page = waiting(query, attention_list(), orders_table())
    if page.cursor:
        return page
    if len(page.items) >= query.limit:
        return AttentionPage(page.items, MESSAGES)
    rest = misunderstood(query.limit - len(page.items), inbox_list())
    return AttentionPage([*page.items, *rest.items], rest.cursor)


@app.route("POST", "/attention/{order_id}/retry")
def retry(request: Request) -> OrderView:
    request.read(ResolveAttention)
    if return_id := _return_of(request):
        return order_view(decisions.retry_return(desk(), return_id, **_actor(request)))
    return order_view(decisions.retry(desk(), **_who(request)))


@app.route("POST", "/attention/{order_id}/cancel")
def cancel(request: Request) -> OrderView:
    reason = request.read(ResolveAttention).reason
    if return_id := _return_of(request):
        return order_view(decisions.cancel_return(desk(), return_id, reason, **_actor(request)))
    return order_view(decisions.cancel(desk(), reason=reason, **_who(request)))


@app.route("POST", "/attention/{order_id}/ignore")
def ignore(request: Request) -> OrderView:
    request.read(ResolveAttention)
    if return_id := _return_of(request):
        return order_view(decisions.ignore_return(desk(), return_id, **_actor(request)))
    return order_view(decisions.ignore(desk(), **_who(request)))


@cache
def desk() -> Desk:
    orders = orders_table(with_stock=True)
    return Desk(orders, executions(), return_executions(), partial(_settled, orders))


def _settled(orders: OrdersTable, order_id: str) -> Order:
    """As far as the provider can tell now; the reconciler asks again."""
    try:
        return settle(orders, order_id, at=_now())
    except Undecided:
        return orders.get(order_id)


def waiting(query: AttentionQuery, listed: List, orders: Orders) -> AttentionPage:
    """The index is a moment late: what was decided meanwhile is left out."""
    page = listed.page(query.limit, query.cursor)
    found = orders.many([each.order_id for each in page.orders])
    return AttentionPage(list(_waiting(page.orders, found)), page.cursor)


def misunderstood(limit: int, messages: Messages, cursor: str | None = None) -> AttentionPage:
    page = messages.page(limit, cursor)
    return AttentionPage([_message(each) for each in page.messages], page.cursor)


def _message(kept: Kept) -> AttentionView:
    return AttentionView(
        order_id=kept.order_id,
        reason=f"{kept.name}: {kept.reason}",
        status=kept.state,
        placed_at=kept.at,
        since=kept.at,
        message_id=kept.message_id,
    )


def _waiting(listed: tuple[Waiting, ...], found: dict[str, Order]) -> Iterator[AttentionView]:
    for each in listed:
        order = found.get(each.order_id)
        if order is None:
            continue
        concerned = order.return_(each.return_id) if each.return_id else order
        if concerned.attention:
            yield AttentionView(
                order_id=order.order_id,
                reason=concerned.attention,
                status=concerned.status,
                placed_at=order.placed_at,
                since=each.since,
                return_id=each.return_id,
            )


def _who(request: Request) -> dict[str, Any]:
    return {"order_id": request.path["order_id"], **_actor(request)}


def _actor(request: Request) -> dict[str, Any]:
    return {"at": _now(), "actor": request.actor}


def _return_of(request: Request) -> str | None:
    """A return is decided on under its own id, what a shop said at another address."""
    identity = request.path["order_id"]
    if identity.startswith("msg_"):
        raise Problem(409, "Not possible now", f"see /inbox/{identity}: replay or dismiss it there")
    return identity if identity.startswith("ret_") else None


_now = partial(datetime.now, UTC)
