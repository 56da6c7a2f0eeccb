"""An order of Amazon's as its two APIs say it, in one form. Amounts are in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oms.adapters.channels.base import Units
from oms.adapters.channels.reading import Reader, is_true
from oms.adapters.channels.shop_fields import Json, text

READER = Reader("amazon")


@dataclass(frozen=True, slots=True)
class Item:
    """Amounts are of the whole line, in minor units; `fees` are what is charged beside the goods,
    `fee_tax` and `shipping_tax` the taxes of those. `asked_back`: why the buyer wants no more of
    it."""

    item_id: str
    sku: str
    quantity: int
    price: int
    tax: int
    discount: int
    promotion: str
    shipping: int
    shipping_tax: int
    fees: int
    fee_tax: int
    asked_back: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    parcel_id: str
    units: tuple[Units, ...]
    carrier: str
    tracking_number: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AmazonOrder:
    order_id: str
    status: str
    by_amazon: bool
    at: datetime | None
    currency: str
    total: int | None
    items: tuple[Item, ...]
    extra: int = 0  # of the order and of no line
    customer: Json | None = None
    address: Json | None = None
    method: str = ""
    deliver_by: str | None = None
    tags: tuple[str, ...] = ()
    hold: str = ""
    parcels: tuple[Parcel, ...] = ()


def sku_of(sku: Any, asin: Any, item_id: str) -> str:
    if found := text(sku)[:100]:
        return found
    return f"product:{text(asin)[:40]}" if text(asin) else f"line:{item_id}"[:100]


def tags_of(**said: Any) -> tuple[str, ...]:
    return tuple(name for name, value in said.items() if is_true(value))
