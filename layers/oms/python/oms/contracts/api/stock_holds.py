"""Carts and the units that are held for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from oms.contracts.api.fields import Code, Contract, Country, FreeText, Identity, Quantity, Slug
from oms.contracts.api.views import At, View
from oms.domain.stock_holds import MAX_ITEMS

DAY = 24 * 3600

StockHoldId = Annotated[str, StringConstraints(pattern=r"^hld_[a-z0-9]{8,40}$")]
Seconds = Annotated[int, Field(ge=1, le=DAY)]


class CartLine(Contract):
    sku: Code
    quantity: Quantity


CartLines = Annotated[list[CartLine], Field(min_length=1, max_length=MAX_ITEMS)]


class HoldStock(Contract):
    """All lines or none. `location`: only from there; else near `country` and `postal_code`."""

    channel: Slug
    hold_id: StockHoldId | None = None
    lines: CartLines
    expires_in: Seconds = 900
    location: Identity | None = None
    country: Country | None = None
    postal_code: FreeText = ""


class ChangeStockHold(Contract):
    """What the cart has become; its deadline stays."""

    lines: CartLines
    location: Identity | None = None
    country: Country | None = None
    postal_code: FreeText = ""


class ExtendStockHold(Contract):
    """From now on, not from the deadline."""

    expires_in: Seconds = 900


class CartLineView(View):
    sku: str
    quantity: int


class HeldUnitsView(View):
    """`item` is the stock item: of a renamed SKU, or of a kit, it is called otherwise."""

    item: str
    location_id: str
    quantity: int


class StockHoldView(View):
    """`order_id` is the order that has taken the units over; then none are held any more."""

    hold_id: str
    channel: str
    state: str
    expires_at: At
    lines: list[CartLineView]
    held: list[HeldUnitsView]
    order_id: str | None = None
