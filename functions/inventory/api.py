"""Stock items, what lies where and why, and what can be promised of it."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from functions.inventory import catalogue, levels
from functions.inventory.offers import answer
from oms.adapters.channels_table import channels_table
from oms.adapters.http_api import HttpApi, Request
from oms.adapters.items_table import items_table
from oms.adapters.network_table import network_table
from oms.adapters.offers import offers, promised, shelves
from oms.adapters.stock_ledger import stock_ledger
from oms.adapters.stock_table import stock_table
from oms.contracts.api.fields import Code, Contract, Identity, Slug
from oms.contracts.api.inventory import (
    AdjustStock,
    AvailabilityQuery,
    AvailabilityView,
    ChannelView,
    CountStock,
    CountView,
    ItemView,
    MovementPage,
    MovementQuery,
    PutChannel,
    PutItem,
    ReceiveStock,
    RenameItem,
    StockQuery,
    StockView,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render_offers import promise_view
from oms.domain.inventory import AdjustmentReason
from oms.domain.items import NoComponent, NotStocked, SkuGivenUp, StockItem
from oms.domain.locations import Location
from oms.domain.routing import Destination

ENVIRONMENT: tuple[str, ...] = ("STOCK_TABLE",)

app = HttpApi("InventoryApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class OfSku(Contract):
    sku: Code


class OfStockItem(Contract):
    sku: Code
    location: Identity


class OfChannel(Contract):
    channel: Slug


@app.route("GET", "/availability")
def get_availability(request: Request) -> AvailabilityView:
    query = request.read_query(AvailabilityQuery)
    places, skus = shelves(), list(dict.fromkeys(query.sku))
    found = offers(places, skus, query.channel)
    view = AvailabilityView(
        [answer(sku, found, by_location=query.detail == "locations") for sku in skus]
    )
    if query.country or query.postal_code:
        country = query.country or _home(found.locations)
        destination = Destination(country, postal_code=query.postal_code)
        one = dict.fromkeys(skus, 1)
        told = promised(places, found, one, destination, datetime.now(UTC))
        view.promises = [promise_view(each, skus) for each in told]
    return view


@app.route("GET", "/stock/{sku}")
def get_stock(request: Request) -> StockView:
    query = request.read_query(StockQuery)
    item = items_table().get(_sku(request))
    if query.at is not None and query.at > datetime.now(UTC):
        raise _refused("at", "has not come yet")
    if item.is_kit:
        return _kit(item, query.at)
    if query.at is not None:
        return levels.of_item(item, stock_ledger().levels_at(item.item, query.at), query.at)
    standing = stock_ledger().standing(item.item)
    view = levels.of_item(item, standing.levels)
    return levels.with_reservations(view, standing, query.limit, query.cursor)


@app.route("GET", "/stock/{sku}/movements")
def get_movements(request: Request) -> MovementPage:
    query = request.read_query(MovementQuery)
    page = stock_ledger().movements(
        items_table().get(_sku(request)).item,
        limit=query.limit,
        cursor=query.cursor,
        location=query.location,
        since=_midnight(query.first_day),
        until=_midnight(query.last_day, days=1),
    )
    return MovementPage([levels.movement_view(each) for each in page.movements], page.cursor)


@app.route("POST", "/stock/{sku}/{location}/receipts")
def post_receipt(request: Request) -> StockView:
    place = OfStockItem.read(dict(request.path))
    said = request.read(ReceiveStock)
    item = items_table().fresh([place.sku]).get(place.sku) or _beginning(place.sku)
    stock_table().receive(
        item.item,
        place.location,
        said.quantity,
        at=datetime.now(UTC),
        actor=request.actor,
        idempotency_key=request.idempotency_key,
        reason=said.reason,
    )
    return _stock_of(item)


@app.route("POST", "/stock/{sku}/{location}/adjustments")
def post_adjustment(request: Request) -> StockView:
    place = OfStockItem.read(dict(request.path))
    said = request.read(AdjustStock)
    item = _stocked(place.sku)
    stock_ledger().adjust(
        item.item,
        place.location,
        said.quantity,
        AdjustmentReason(said.reason),
        at=datetime.now(UTC),
        actor=request.actor,
        note=said.note,
        idempotency_key=request.idempotency_key,
    )
    return _stock_of(item)


@app.route("POST", "/stock/{sku}/{location}/counts")
def post_count(request: Request) -> CountView:
    place = OfStockItem.read(dict(request.path))
    said = request.read(CountStock)
    item = _stocked(place.sku)
    variance = stock_ledger().count(
        item.item,
        place.location,
        said.counted,
        at=datetime.now(UTC),
        actor=request.actor,
        note=said.note,
        idempotency_key=request.idempotency_key,
    )
    return CountView(item.sku, place.location, said.counted, variance, _stock_of(item))


@app.route("GET", "/items/{sku}")
def get_item(request: Request) -> ItemView:
    return _item_view(items_table().get(_sku(request)))


@app.route("PUT", "/items/{sku}")
def put_item(request: Request) -> ItemView:
    sku, said = _sku(request), request.read(PutItem)
    try:
        item = items_table().put(
            sku, catalogue.wanted(said), at=datetime.now(UTC), identity=_new_identity()
        )
    except NoComponent as error:
        place = [each.sku for each in said.components].index(error.sku)
        raise _refused(f"components[{place}].sku", str(error)) from None
    return _item_view(item)


@app.route("POST", "/items/{sku}/rename")
def rename_item(request: Request) -> ItemView:
    name = request.read(RenameItem).sku
    return _item_view(items_table().rename(_sku(request), name, at=datetime.now(UTC)))


@app.route("DELETE", "/items/{sku}")
def delete_item(request: Request) -> ItemView:
    return _item_view(items_table().retire(_sku(request)))


@app.route("GET", "/channels/{channel}")
def get_channel(request: Request) -> ChannelView:
    return catalogue.channel_view(channels_table().get(_channel(request)))


@app.route("PUT", "/channels/{channel}")
def put_channel(request: Request) -> ChannelView:
    said = request.read(PutChannel)
    channel = catalogue.channel_of(_channel(request), said)
    known = {location.location_id for location in network_table().locations()}
    unknown = [
        Fault(f"locations[{place}]", f"{name} is no location")
        for place, name in enumerate(said.locations or ())
        if name not in known
    ]
    if unknown:
        raise InvalidRequest(unknown)
    channels_table().put(channel)
    return catalogue.channel_view(channel)


def _sku(request: Request) -> str:
    return OfSku.read(dict(request.path)).sku


def _channel(request: Request) -> str:
    return OfChannel.read(dict(request.path)).channel


def _beginning(sku: str) -> StockItem:
    if items_table().given_up([sku]):
        raise SkuGivenUp(sku)
    return StockItem(sku, sku)


def _stocked(sku: str) -> StockItem:
    item = items_table().get(sku)
    if item.is_kit:
        raise NotStocked(sku)
    return item


def _stock_of(item: StockItem) -> StockView:
    return levels.of_item(item, stock_table().levels([item.item])[item.item])


def _kit(kit: StockItem, at: datetime | None) -> StockView:
    items = [part.item for part in kit.parts]
    found = (
        stock_table().levels(items)
        if at is None
        else {item: stock_ledger().levels_at(item, at) for item in items}
    )
    return levels.of_kit(kit, _components(kit), found, at)


def _components(item: StockItem) -> Mapping[str, StockItem]:
    return items_table().of(part.item for part in item.components) if item.is_kit else {}


def _item_view(item: StockItem) -> ItemView:
    return catalogue.item_view(item, _components(item))


def _new_identity() -> str:
    return "itm_" + base64.b32encode(uuid.uuid4().bytes).decode()[:26].lower()


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """The last day of the calendar has no day after it."""
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days), time.min, UTC)


def _home(locations: Iterable[Location]) -> str:
    """Where the network is, when it is in one country."""
    countries = {each.country for each in locations if each.active}
    if len(countries) != 1:
        raise _refused("country", "is needed: the locations are not all in one country")
    return countries.pop()


def _refused(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest([Fault(field, reason)])
