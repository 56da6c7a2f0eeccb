"""Orders, for storefronts and agents: place, see, hold, cancel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from oms.adapters.credit_ledger import credit_ledger
from oms.adapters.dynamodb import Item, Write
from oms.adapters.hold_rules import deadline, hold_rules, looked_at
from oms.adapters.holds_table import holds_table
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.items_table import ItemsTable, items_table
from oms.adapters.network_table import NetworkTable, network_table
from oms.adapters.order_reader import KeyPage
from oms.adapters.order_rows import instant, order_key
from oms.adapters.orders_table import Beside, OrdersTable, once_key, orders_table
from oms.adapters.payments import PROVIDERS
from oms.adapters.placing import Desk, credit_asked
from oms.adapters.secrets import secrets
from oms.adapters.vault import vault
from oms.contracts.api.orders import (
    CancelOrder,
    HistoryQuery,
    OrderQuery,
    PlaceHold,
    PlaceOrder,
    ReleaseHold,
)
from oms.contracts.api.views import EventPage, OrderPage, OrderView
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render import event_view, order_view
from oms.domain import commands as c
from oms.domain.errors import NotFound
from oms.domain.fulfillment import Quantity
from oms.domain.holds import NewHold
from oms.domain.ids import order_id_of, order_of_parcel
from oms.domain.order import Order
from oms.domain.stock_holds import HoldNotUsable
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
    "PAYMENT_PROVIDERS",
)
# A list without a customer goes back day by day; so many empty days, then the page ends.
DAYS_A_PAGE = 31
# A function answers 6 MB at most: a page ends with the order that makes it heavier than this.
MAX_PAGE_BYTES = 1_000_000
LOADED_AT_ONCE = 25
UNKNOWN, UNSOLD = "no SKU that we know", "not sold any more"
FIRST_DAY = date(2000, 1, 1)  # nothing was placed before

app = HttpApi("CaptureApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


def desk() -> Desk:
    return Desk(
        orders_table(),
        secrets().customer_id,
        vault().contact_write,
        holds_table().noting,
        items_table().resolve,
        secrets().gift_card_id,
        hold_rules(),
    )


@app.route("POST", "/orders")
def place_order(request: Request) -> Response:
    said = request.read(PlaceOrder)
    order, new = accepted(said, actor=request.actor, request_key=request.idempotency_key)
    return Response(201 if new else 200, with_token(order), ids={"order_id": order.order_id})


def accepted(
    said: PlaceOrder, *, actor: str, request_key: str | None = None, beside: Sequence[Write] = ()
) -> tuple[Order, bool]:
    """The order, and whether it is new; `beside` is written with a new one."""
    try:
        check_known(said, items_table(), enabled_providers())
        check_credit(said, desk())
    except InvalidRequest:
        if not was_placed(said):
            raise
    if said.pickup_location:
        check_collectable(said.pickup_location, network_table())
    try:
        return desk().place(
            said, at=datetime.now(UTC), actor=actor, request_key=request_key, beside=beside
        )
    except HoldNotUsable as error:
        fault = Fault("hold_id", error.reason)
        raise Problem(409, "Hold not usable", str(error), [fault]) from None


def with_token(order: Order) -> OrderView:
    """Whoever may see the order may hand its customer the key to the tracking page."""
    token = secrets().tracking_token(order.order_id)
    return msgspec.structs.replace(order_view(order), tracking_token=token)


def enabled_providers() -> frozenset[str]:
    """Those of new orders; what others have begun, they still bring to its end."""
    return frozenset(setting("PAYMENT_PROVIDERS").split(",")) & PROVIDERS.keys()


def check_known(said: PlaceOrder, items: ItemsTable, providers: frozenset[str]) -> None:
    """Refuse what we could never ship or charge. What is known is not read for a minute."""
    known = items.resolve(line.sku for line in said.lines)
    faults = [
        Fault(f"lines[{place}].sku", f"{line.sku} is {UNSOLD if line.sku in known else UNKNOWN}")
        for place, line in enumerate(said.lines)
        if line.sku not in known or not known[line.sku].active
    ]
    faults += _unknown_providers(said, providers)
    if faults:
        raise InvalidRequest(faults)


def _unknown_providers(said: PlaceOrder, providers: frozenset[str]) -> Iterator[Fault]:
    asked = {f"tenders[{place}]": each.provider for place, each in enumerate(said.tenders)}
    for field, provider in {**asked, "payment": said.payment.provider}.items():
        if provider not in providers:
            yield Fault(f"{field}.provider", f"is none of {', '.join(sorted(providers))}")


def check_credit(said: PlaceOrder, desk: Desk) -> None:
    """Refuse what store credit and gift cards cannot pay now. Whatever is wrong with a card, its
    code, its currency or its money, is answered alike."""
    today, faults, asked = datetime.now(UTC).date(), list[Fault](), Counter[str]()
    for field, named, amount in credit_asked(said, desk):
        account_id = credit_ledger().card(named)
        asked[account_id] += amount  # a code can be written in many ways
        if not credit_ledger().can_pay(account_id, asked[account_id], said.currency, today):
            faults.append(Fault(field, f"cannot pay {amount} {said.currency}"))
    if faults:
        raise InvalidRequest(faults)


def check_collectable(store: str, network: NetworkTable) -> None:
    try:
        if network.location(store).pickup:
            return
    except NotFound:
        pass
    fault = Fault("pickup_location", f"{store} is no place where orders are collected")
    raise InvalidRequest([fault])


def was_placed(said: PlaceOrder) -> bool:
    """Then it is answered again, whatever is not sold any more."""
    try:
        orders_table().get(order_id_of(said.channel, said.external_id))
    except NotFound:
        return False
    return True


@app.route("GET", "/orders/{order_id}")
def get_order(request: Request) -> OrderView:
    return with_token(orders_table().get(request.path["order_id"]))


@app.route("GET", "/orders/{order_id}/events")
def get_events(request: Request) -> EventPage:
    query = request.read_query(HistoryQuery)
    order_id = request.path["order_id"]
    orders_table().get(order_id)
    page = orders_table().history(order_id, _seq_of(query.cursor), query.limit)
    items = [event_view(order_id, fact) for fact in page.facts]
    return EventPage(items, encode_cursor({"seq": str(page.last_seq)}) if page.last_seq else None)


@app.route("POST", "/orders/{order_id}/cancel")
def cancel_order(request: Request) -> OrderView:
    said = request.read(CancelOrder)
    lines = tuple(Quantity(each.line_id, each.quantity) for each in said.lines or ())
    return _change(request, c.CancelOrder(said.reason, lines))


@app.route("POST", "/orders/{order_id}/holds")
def place_hold(request: Request) -> OrderView:
    said, at = request.read(PlaceHold), datetime.now(UTC)
    if said.until and said.until <= at:
        raise InvalidRequest([Fault("until", "is not in the future")])
    hold = NewHold(said.type, said.reason, tuple(said.blocks), said.until)
    command = c.PlaceHold(hold.type, hold.reason, hold.blocks, hold.until)
    beside = Beside(writes=looked_at(request.path["order_id"], [hold], at, deadline))
    return _change(request, command, at, beside)


@app.route("POST", "/orders/{order_id}/holds/{hold_id}/release")
def release_hold(request: Request) -> OrderView:
    reason = request.read(ReleaseHold).reason
    return _change(request, c.ReleaseHold(request.path["hold_id"], reason))


def _change(
    request: Request,
    command: c.Command,
    at: datetime | None = None,
    beside: Beside | None = None,
) -> OrderView:
    """The same Idempotency-Key does it once, also what is legal twice: to cancel one unit."""
    order_id = request.path["order_id"]
    once = once_key(f"{request.route} {order_id}", request.idempotency_key, request.json())
    at, orders = at or datetime.now(UTC), orders_table(with_stock=True)
    order = orders.change(order_id, command, at=at, actor=request.actor, once=once, beside=beside)
    return order_view(order)


@app.route("GET", "/orders")
def list_orders(request: Request) -> OrderPage:
    query = request.read_query(OrderQuery)
    if query.customer:
        return of_customer(orders_table(), query, _customer_id(query.customer))
    if query.tracking:
        return of_parcel(orders_table(), query, query.tracking)
    return by_day(orders_table(), query, datetime.now(UTC))


def of_customer(orders: OrdersTable, query: OrderQuery, customer_id: str) -> OrderPage:
    keys = orders.by_customer(
        customer_id,
        since=_start_of(query.first_day),
        until=_end_of(query.last_day),
        start=_start(query.cursor),
        limit=query.limit,
    )
    page = Page(query)
    start = page.fill(orders, keys, GSI1PK=f"CUSTOMER#{customer_id}")
    return OrderPage(page.found, encode_cursor(_plain(start)) if start else None)


def of_parcel(orders: OrdersTable, query: OrderQuery, said: str) -> OrderPage:
    """Of the orders that it was shipped for, or comes back from; carriers use a number again."""
    carrier, _, number = said.partition(":")
    owners = orders.parcels(carrier, number.replace(" ", ""))
    order_ids = dict.fromkeys(order_of_parcel(each) for each in owners)
    found = orders.many(list(order_ids)[: query.limit])
    return OrderPage([order_view(each) for each in found.values() if _wanted(each, query)])


def by_day(orders: OrdersTable, query: OrderQuery, now: datetime) -> OrderPage:
    """Newest first, a day at a time; filters may leave a page short, never its cursor."""
    day, start = _place(query, now)
    oldest = max(query.first_day or FIRST_DAY, FIRST_DAY)
    page = Page(query)
    for _ in range(DAYS_A_PAGE):
        if day < oldest:
            return OrderPage(page.found)
        keys = orders.by_day(day, start=start, limit=page.places)
        start = page.fill(orders, keys, GSI2PK=f"DAY#{day:%Y-%m-%d}")
        if start is None:
            day -= timedelta(days=1)
        if page.is_full:
            break
    return OrderPage(page.found, _day_cursor(day, start, oldest))


class Page:
    """As many orders as were asked for, or as one answer of a function can hold."""

    def __init__(self, query: OrderQuery) -> None:
        self.found: list[OrderView] = []
        self._query = query
        self._room = MAX_PAGE_BYTES

    @property
    def places(self) -> int:
        return self._query.limit - len(self.found)

    @property
    def is_full(self) -> bool:
        return self.places <= 0 or self._room <= 0

    def fill(self, orders: OrdersTable, keys: KeyPage, **partition: str) -> Item | None:
        """Where the list goes on: after the keys, or after the order that filled the page."""
        order_ids = [pk.removeprefix("ORDER#") for pk, _ in keys.keys]
        for order in _loaded(orders, order_ids):
            if _wanted(order, self._query):
                self._put(order_view(order))
            if self.is_full and order.order_id != order_ids[-1]:
                return _just_after(order, **partition)
        return keys.start

    def _put(self, view: OrderView) -> None:
        self.found.append(view)
        self._room -= len(msgspec.json.encode(view))


def _loaded(orders: OrdersTable, order_ids: Sequence[str]) -> Iterator[Order]:
    """A few at a time: two hundred huge orders are more than the memory that we have."""
    for place in range(0, len(order_ids), LOADED_AT_ONCE):
        some = order_ids[place : place + LOADED_AT_ONCE]
        found = orders.many(some)
        yield from (found[order_id] for order_id in some if order_id in found)


def _wanted(order: Order, query: OrderQuery) -> bool:
    return query.status in (None, order.status) and query.channel in (None, order.channel)


def _just_after(order: Order, **partition: str) -> Item:
    """The order's own place in the index."""
    place = {**partition, "at": instant(order.placed_at)}
    return order_key(order.order_id) | {name: {"S": value} for name, value in place.items()}


def _customer_id(said: str) -> str:
    return secrets().customer_id(said) if "@" in said else said


def _place(query: OrderQuery, now: datetime) -> tuple[date, Item | None]:
    if query.cursor is None:
        return query.last_day or now.date(), None
    key = decode_cursor(query.cursor)
    try:
        day = date.fromisoformat(key.pop("day"))
    except (KeyError, ValueError):
        raise BadCursor from None
    return day, {k: {"S": v} for k, v in key.items()} or None


def _day_cursor(day: date, start: Item | None, oldest: date) -> str | None:
    if day < oldest:
        return None
    return encode_cursor({"day": day.isoformat(), **_plain(start or {})})


def _plain(start: Item) -> dict[str, str]:
    return {name: value["S"] for name, value in start.items()}


def _start(cursor: str | None) -> Item | None:
    return {k: {"S": v} for k, v in decode_cursor(cursor).items()} if cursor else None


def _seq_of(cursor: str | None) -> int:
    if cursor is None:
        return 0
    seq = decode_cursor(cursor).get("seq", "")
    if not re.fullmatch(r"[0-9]{1,6}", seq, re.ASCII):
        raise BadCursor
    return int(seq)


def _start_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.max, UTC) if day else None
