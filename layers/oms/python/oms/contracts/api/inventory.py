"""Stock items, what lies where, the ledger, and what can be promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from oms.contracts.api.fields import (
    MAX_QUANTITY,
    Code,
    Codes,
    Contract,
    Country,
    Currency,
    Cursor,
    Day,
    FreeText,
    Identity,
    PageSize,
    Quantity,
    Slug,
    backwards,
    repeats,
)
from oms.contracts.api.promises import PromiseView
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault

MAX_LEVEL = 10**9
MAX_RULES = 200
MAX_TAGS = 20

Units = Annotated[int, Field(ge=0, le=MAX_LEVEL)]
Measure = Annotated[int, Field(ge=1, le=10_000_000)]
UnitCost = Annotated[int, Field(ge=0, le=10**9)]
Days = Annotated[int, Field(ge=1, le=3_650)]
On = Annotated[date, Meta(description="yyyy-mm-dd")]


def _instant(value: Any) -> Any:
    try:
        if isinstance(value, str) and "T" in value:
            found = datetime.fromisoformat(value.replace(" ", "+"))  # a plus is a space in a query
            return found.astimezone(UTC) if found.tzinfo else found
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("instant", "is no instant of the form 2026-11-01T10:00:00Z")


Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]


class AvailabilityQuery(Contract):
    """`sku` may be repeated. With a country or a postal code: what can be promised to there, of one
    unit of each. Without a country it is the one in which all locations are."""

    sku: Codes
    channel: Slug | None = None
    detail: Literal["locations"] | None = None
    country: Country | None = None
    postal_code: FreeText = ""


class StockQuery(Contract):
    """`at`: what lay there at a past instant. `cursor` goes through the open reservations."""

    at: Instant | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50

    def faults(self) -> Iterator[Fault]:
        if self.at is not None and self.cursor is not None:
            yield Fault("cursor", "goes through reservations, which are of now only")


class MovementQuery(Contract):
    """Days are UTC; both are included."""

    location: Identity | None = None
    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    cursor: Cursor | None = None
    limit: PageSize = 50

    def faults(self) -> Iterator[Fault]:
        return backwards(self.first_day, self.last_day)


class ReceiveStock(Contract):
    quantity: Quantity
    reason: FreeText = ""


class AdjustStock(Contract):
    """`quantity` is what changes: units found, or, below zero, units that are gone."""

    quantity: Annotated[int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
    reason: Literal[
        "damaged",
        "lost",
        "found",
        "theft",
        "expired",
        "sample",
        "correction",
        "returned_to_vendor",
        "customer_return",
        "own_use",
        "donated",
    ]
    note: FreeText = ""

    def faults(self) -> Iterator[Fault]:
        if not self.quantity:
            yield Fault("quantity", "changes nothing")


class CountStock(Contract):
    """`counted` is what lies there, reserved units included."""

    counted: Units
    note: FreeText = ""


class ComponentGiven(Contract):
    sku: Code
    quantity: Annotated[int, Field(ge=1, le=1_000)] = 1


class SafetyStockGiven(Contract):
    """Of the rules that fit, the one that names most decides."""

    units: Units
    channel: Slug | None = None
    location: Identity | None = None


class BackordersGiven(Contract):
    mode: Literal["wait", "deny", "preorder"] = "wait"
    cancel_after_days: Days | None = None
    release_on: Day | None = None
    partial: bool = False
    limit: Units | None = None

    def faults(self) -> Iterator[Fault]:
        if self.release_on and self.mode != "preorder":
            yield Fault("backorders.release_on", "is for preorders only")


class PutItem(Contract):
    """All that is said of an item; what is left out is nothing. Grams, millimetres, packed.

    `daily_sales`, units of it that a location sells in a day, tell routing how long stock lasts.
    `unit_cost`, in minor units of `cost_currency`, tells the inventory report what stock is worth.
    """

    components: Annotated[list[ComponentGiven], Field(max_length=25)] = Field(default_factory=list)
    weight_g: Measure | None = None
    length_mm: Measure | None = None
    width_mm: Measure | None = None
    height_mm: Measure | None = None
    tags: Annotated[list[Slug], Field(max_length=MAX_TAGS)] = Field(default_factory=list)
    category: FreeText = ""
    unit_cost: UnitCost | None = None
    cost_currency: Currency | None = None
    low_stock: Units | None = None
    daily_sales: Units | None = None
    safety_stock: Annotated[list[SafetyStockGiven], Field(max_length=MAX_RULES)] = Field(
        default_factory=list
    )
    backorders: BackordersGiven = BackordersGiven()

    def faults(self) -> Iterator[Fault]:
        yield from self.backorders.faults()
        yield from _twice("components", "sku", [each.sku for each in self.components])
        if (self.unit_cost is None) != (self.cost_currency is None):
            missing = "cost_currency" if self.cost_currency is None else "unit_cost"
            yield Fault(missing, "is missing: a cost is an amount and its currency")
        places = [f"{each.channel} {each.location}" for each in self.safety_stock]
        yield from _twice("safety_stock", "units", places)
        for name in ("low_stock", "safety_stock", "unit_cost") if self.components else ():
            if getattr(self, name):
                yield Fault(name, "a kit has no stock of its own")


class RenameItem(Contract):
    sku: Code


class PutChannel(Contract):
    """`locations` null: all that ship. `safety_stock` where the item itself says nothing."""

    locations: Annotated[list[Identity], Field(max_length=1_000)] | None = None
    safety_stock: Units = 0
    on_shortage: Literal["wait", "partial", "cancel"] = "wait"


def _twice(where: str, field: str, names: list[str]) -> Iterator[Fault]:
    return (Fault(f"{where}[{place}].{field}", "is given twice") for place in repeats(names))


class PlaceAvailability(View):
    location_id: str
    available: int


class IncomingView(View):
    """What can be promised from that day on, beside what could be before."""

    date: On
    quantity: int


class BackorderView(View):
    mode: str
    expected_on: On | None = None
    limit: int | None = None


class AvailabilityItem(View, omit_defaults=True):
    """Of a SKU that was never received or created: nothing, and no `backorder`."""

    sku: str
    available: int
    locations: list[PlaceAvailability] | None = None
    incoming: list[IncomingView] = msgspec.field(default_factory=list)
    backorder: BackorderView | None = None


class AvailabilityView(View, omit_defaults=True):
    """`promises`: by which methods one unit of each can go to the country, if it was asked for."""

    items: list[AvailabilityItem]
    promises: list[PromiseView] | None = None


class LevelView(View):
    """`on_hand` = `available` + `reserved`. `safety_stock` is not sold, `incoming` is announced."""

    location_id: str
    on_hand: int
    available: int
    reserved: int
    incoming: int = 0
    safety_stock: int = 0


class ReservationView(View):
    """`kind` is order, cart_hold or lease; an order's reservation is its fulfillment order."""

    reservation_id: str
    kind: str
    location_id: str
    quantity: int
    since: At


class ComponentView(View):
    sku: str
    item_id: str
    quantity: int


class StockView(View, omit_defaults=True):
    """Of a kit: what its components allow. `reservations_omitted`: the ledger was too long to
    name the oldest. `at`: the past instant that it is of."""

    sku: str
    item_id: str
    on_hand: int
    available: int
    reserved: int
    incoming: int
    levels: list[LevelView]
    components: list[ComponentView] | None = None
    reservations: list[ReservationView] | None = None
    reservations_omitted: bool = False
    cursor: str | None = None
    at: At | None = None


class MovementView(View, omit_defaults=True):
    """The four counters are what the movement added to each."""

    at: At
    kind: str
    location_id: str
    quantity: int
    on_hand: int
    available: int
    reserved: int
    incoming: int
    cause: str
    reason: str = ""
    note: str = ""
    reservation_id: str = ""
    taken_from: str = ""
    actor: str = ""


class MovementPage(View):
    items: list[MovementView]
    cursor: str | None = None


class CountView(View):
    """`variance` is what was counted beyond what was on hand, below zero if less."""

    sku: str
    location_id: str
    counted: int
    variance: int
    stock: StockView


class FormerSkuView(View):
    sku: str
    until: At


class SafetyStockView(View):
    units: int
    channel: str | None = None
    location: str | None = None


class BackordersView(View):
    mode: str
    cancel_after_days: int | None = None
    release_on: On | None = None
    partial: bool = False
    limit: int | None = None


class ItemView(View):
    """`item_id` never changes. `active` false: it is not offered any more."""

    item_id: str
    sku: str
    active: bool
    former_skus: list[FormerSkuView]
    components: list[ComponentView]
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    tags: list[str]
    category: str
    unit_cost: int | None
    cost_currency: str | None
    low_stock: int | None
    daily_sales: int | None
    safety_stock: list[SafetyStockView]
    backorders: BackordersView


class ChannelView(View):
    channel: str
    locations: list[str] | None
    safety_stock: int
    on_shortage: str
