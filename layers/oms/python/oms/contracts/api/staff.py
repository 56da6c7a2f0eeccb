"""What warehouses, buyers and operators ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from oms.contracts.api.fields import (
    MAX_LINES,
    Code,
    Codes,
    Contract,
    Country,
    Cursor,
    Day,
    FreeText,
    Identity,
    Label,
    PageSize,
    Quantity,
    Reason,
    Slug,
    UnitPrice,
)
from oms.contracts.api.orders import LineQuantity
from oms.contracts.invalid import Fault


class AvailabilityQuery(Contract):
    """`sku` may be repeated."""

    sku: Codes


class ReceiveStock(Contract):
    quantity: Quantity
    reason: FreeText = ""


class PutLocation(Contract):
    """Costs are in minor units: of a shipment from here, and of each unit in it."""

    name: Label
    kind: Literal["warehouse", "store", "third_party", "vendor"] = "warehouse"
    country: Country
    region: FreeText = ""
    postal_code: FreeText = ""
    fixed_cost: UnitPrice = 0
    unit_cost: UnitPrice = 0
    active: bool = True


class FulfillmentOrderQuery(Contract):
    """Without a status: what is still in the warehouse. Without a location: of all of them."""

    location: Identity | None = None
    status: (
        Literal[
            "open",
            "accepted",
            "picking",
            "packed",
            "shipped",
            "delivered",
            "rejected",
            "cancelled",
        ]
        | None
    ) = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class ParcelGiven(Contract):
    carrier: Slug
    tracking_number: Code
    lines: Annotated[list[LineQuantity], Field(min_length=1, max_length=MAX_LINES)]


class Ship(Contract):
    parcels: Annotated[list[ParcelGiven], Field(min_length=1, max_length=60)]

    def faults(self) -> Iterator[Fault]:
        seen: set[tuple[str, str]] = set()
        for place, parcel in enumerate(self.parcels):
            if (parcel.carrier, parcel.tracking_number) in seen:
                yield Fault(f"parcels[{place}].tracking_number", "is given twice")
            seen.add((parcel.carrier, parcel.tracking_number))


class Reject(Contract):
    reason: Reason


class SalesQuery(Contract):
    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    channel: Slug | None = None

    def faults(self) -> Iterator[Fault]:
        if self.first_day and self.last_day and self.first_day > self.last_day:
            yield Fault("to", "is before from")


class AttentionQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class ResolveAttention(Contract):
    reason: FreeText = ""


class BooksQuery(Contract):
    """The books are checked whole, or from where the last page ended."""

    cursor: Cursor | None = None
