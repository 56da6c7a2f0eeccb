"""Carts hold the units that they are about to buy: hold, change, extend, release."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from functions.holds.reserving import Cart, Network, Reserve
from oms.adapters.channels_table import channels_table
from oms.adapters.holds_table import holds_table
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.items_table import items_table
from oms.adapters.leases import leases
from oms.adapters.orders_table import fingerprint_of, orders_table
from oms.adapters.stock_table import stock_table
from oms.contracts.api.fields import Contract
from oms.contracts.api.stock_holds import (
    CartLine,
    CartLineView,
    ChangeStockHold,
    ExtendStockHold,
    HeldUnitsView,
    HoldStock,
    StockHoldId,
    StockHoldView,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.cart_stock import NotEnough
from oms.domain.items import StockItem
from oms.domain.stock_holds import HeldLine, StockHold

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")

T = TypeVar("T")

app = HttpApi("HoldsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class OfHold(Contract):
    hold_id: StockHoldId


@cache
def reserve() -> Reserve:
    return Reserve(holds_table(), stock_table(), orders_table(), network_of_channels())


def network_of_channels() -> Network:
    return Network(stock_table().locations, channels_table().get, items_table().of, _reclaimed)


def _reclaimed(wanted: Mapping[str, int], locations: Container[str]) -> int:
    """What others have leased and not sold goes back to its level, where a hold can have it."""
    found = leases().reclaim(wanted, locations)
    return leases().give_back(wanted) if found else 0


@app.route("POST", "/holds")
def post_hold(request: Request) -> Response:
    said = request.read(HoldStock)
    cart = cart_of(said.channel, said)
    hold_id = said.hold_id or hold_id_of(request.actor, request.idempotency_key)
    asked = fingerprint_of(said.model_dump(mode="json", exclude={"hold_id"}))
    lasts = timedelta(seconds=said.expires_in)
    hold, new = told(lambda: reserve().hold(hold_id, cart, lasts, asked, datetime.now(UTC)))
    return Response(201 if new else 200, hold_view(hold), ids={"hold_id": hold.hold_id})


@app.route("GET", "/holds/{hold_id}")
def get_hold(request: Request) -> StockHoldView:
    return hold_view(reserve().holds.get(_hold_id(request)))


@app.route("PUT", "/holds/{hold_id}")
def put_hold(request: Request) -> StockHoldView:
    hold_id, said = _hold_id(request), request.read(ChangeStockHold)
    cart = cart_of(reserve().holds.get(hold_id).channel, said)
    return hold_view(told(lambda: reserve().change(hold_id, cart, datetime.now(UTC))))


@app.route("POST", "/holds/{hold_id}/extend")
def extend_hold(request: Request) -> StockHoldView:
    lasts = timedelta(seconds=request.read(ExtendStockHold).expires_in)
    return hold_view(reserve().extend(_hold_id(request), lasts, datetime.now(UTC)))


@app.route("POST", "/holds/{hold_id}/release")
def release_hold(request: Request) -> StockHoldView:
    return hold_view(reserve().release(_hold_id(request), datetime.now(UTC)))


def hold_id_of(actor: str, idempotency_key: str | None) -> str:
    """The same key of the same client is the same hold by construction."""
    if idempotency_key is None:
        return f"hld_{uuid.uuid4().hex}"
    digest = hashlib.sha256(f"{actor}\x1f{idempotency_key}".encode()).digest()
    return "hld_" + base64.b32encode(digest).decode()[:26].lower()


def cart_of(channel: str, said: HoldStock | ChangeStockHold) -> Cart:
    """What it is made of, as its SKUs are called now."""
    items = items_table().resolve(line.sku for line in said.lines)
    if faults := [*_unknown(said.lines, items), *_nowhere(said.location)]:
        raise InvalidRequest(faults)
    return Cart(
        channel=channel,
        lines=tuple(HeldLine(x.sku, x.quantity, items[x.sku].takes) for x in said.lines),
        location=said.location or "",
        country=said.country or "",
        postal_code=said.postal_code,
    )


def _unknown(lines: Sequence[CartLine], items: Mapping[str, StockItem]) -> Iterator[Fault]:
    for place, line in enumerate(lines):
        if line.sku not in items:
            yield Fault(f"lines[{place}].sku", f"{line.sku} is no SKU that we know")
        elif not items[line.sku].active:
            yield Fault(f"lines[{place}].sku", f"{line.sku} is not sold any more")


def _nowhere(location: str | None) -> Iterator[Fault]:
    known = (each.location_id for each in reserve().network.locations()) if location else ()
    if location and location not in known:
        yield Fault("location", f"{location} is no location")


def told(deed: Callable[[], T]) -> T:
    """What is short is told line by line."""
    try:
        return deed()
    except NotEnough as error:
        faults = [
            Fault(f"lines[{x.place}]", f"{x.requested} of {x.sku}, {x.available} available")
            for x in error.short
        ]
        raise Problem(409, "Not enough stock", str(error)[:1000], faults) from None


def hold_view(hold: StockHold) -> StockHoldView:
    return StockHoldView(
        hold_id=hold.hold_id,
        channel=hold.channel,
        state=hold.state,
        expires_at=hold.expires_at,
        lines=[CartLineView(each.sku, each.quantity) for each in hold.lines],
        held=[HeldUnitsView(x.item, x.location, x.quantity) for x in hold.units if hold.is_held],
        order_id=hold.carried_by or None,
    )


def _hold_id(request: Request) -> str:
    return OfHold.read(dict(request.path)).hold_id
