"""What lies where, what can be promised, what comes in, and the places themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from oms.adapters.http_api import HttpApi, Request
from oms.adapters.stock_table import StockTable, stock_table
from oms.contracts.api.fields import Code, Contract, Identity
from oms.contracts.api.staff import AvailabilityQuery, PutLocation, ReceiveStock
from oms.contracts.api.views import (
    AvailabilityItem,
    AvailabilityView,
    LevelView,
    LocationsView,
    LocationView,
    StockView,
)
from oms.domain.inventory import Level, UnknownSku
from oms.domain.locations import Location, LocationKind

ENVIRONMENT: tuple[str, ...] = ("STOCK_TABLE",)

app = HttpApi("InventoryApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class OfSku(Contract):
    sku: Code


class AtLocation(Contract):
    location: Identity


class OfStockItem(Contract):
    sku: Code
    location: Identity


@app.route("GET", "/availability")
def get_availability(request: Request) -> AvailabilityView:
    return availability(stock_table(), request.read_query(AvailabilityQuery).sku)


@app.route("GET", "/stock/{sku}")
def get_stock(request: Request) -> StockView:
    return stock_of(stock_table(), OfSku.read(dict(request.path)).sku)


@app.route("POST", "/stock/{sku}/{location}/receipts")
def post_receipt(request: Request) -> StockView:
    item = OfStockItem.read(dict(request.path))
    said = request.read(ReceiveStock)
    stock_table().receive(
        item.sku,
        item.location,
        said.quantity,
        at=datetime.now(UTC),
        actor=request.actor,
        idempotency_key=request.idempotency_key,
        reason=said.reason,
    )
    return stock_of(stock_table(), item.sku)


@app.route("GET", "/locations")
def get_locations(request: Request) -> LocationsView:  # noqa: ARG001  (nothing is asked)
    return LocationsView([location_view(each) for each in stock_table().locations()])


@app.route("PUT", "/locations/{location}")
def put_location(request: Request) -> LocationView:
    location_id = AtLocation.read(dict(request.path)).location
    location = location_of(location_id, request.read(PutLocation))
    stock_table().put_location(location)
    return location_view(location)


def availability(stock: StockTable, skus: Sequence[str]) -> AvailabilityView:
    """What nobody ever received is not available; only open locations can promise."""
    open_ = {location.location_id for location in stock.locations() if location.active}
    found = stock.levels(skus)
    return AvailabilityView(
        [
            AvailabilityItem(sku, sum(lv.available for lv in levels if lv.location in open_))
            for sku, levels in found.items()
        ]
    )


def stock_of(stock: StockTable, sku: str) -> StockView:
    levels = stock.levels([sku])[sku]
    if not levels:
        raise UnknownSku(sku)
    return StockView(
        sku=sku,
        on_hand=sum(level.on_hand for level in levels),
        available=sum(level.available for level in levels),
        reserved=sum(level.reserved for level in levels),
        levels=[level_view(level) for level in levels],
    )


def level_view(level: Level) -> LevelView:
    return LevelView(level.location, level.on_hand, level.available, level.reserved)


def location_of(location_id: str, said: PutLocation) -> Location:
    return Location(
        location_id=location_id,
        name=said.name,
        kind=LocationKind(said.kind),
        country=said.country,
        region=said.region,
        postal_code=said.postal_code,
        fixed_cost=said.fixed_cost,
        unit_cost=said.unit_cost,
        active=said.active,
    )


def location_view(location: Location) -> LocationView:
    return LocationView(
        location_id=location.location_id,
        name=location.name,
        kind=location.kind,
        country=location.country,
        region=location.region,
        postal_code=location.postal_code,
        fixed_cost=location.fixed_cost,
        unit_cost=location.unit_cost,
        active=location.active,
    )
