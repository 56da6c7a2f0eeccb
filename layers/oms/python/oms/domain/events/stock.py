"""Of stock items and locations, not of one order; and when an order has moved its stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StockSettled:
    """The batches of a large stock change are all written; `cause` is the change's own."""

    cause: str


@dataclass(frozen=True, slots=True)
class StockReceived:
    """Of a stock item, not of an order: goods came in and can be promised."""

    sku: str
    location_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StockFreed:
    """Of a stock item: units can be promised again that were held, counted out or on their way."""

    sku: str
    location_id: str
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class StockLow:
    """What is available has fallen to the item's threshold; told once until it has recovered."""

    sku: str
    location_id: str
    available: int
    threshold: int


@dataclass(frozen=True, slots=True)
class StockOut:
    """Nothing is available any more; told once until something is."""

    sku: str
    location_id: str


@dataclass(frozen=True, slots=True)
class LocationChanged:
    """Of a location, not of an order: how much it can ship is another thing now.

    `change` is `closed`, `reopened`, `outage` (from `since` to `until`, open where not given) or
    `capacity`, its daily limit.
    """

    location_id: str
    change: str
    until: datetime | None = None
    since: datetime | None = None
