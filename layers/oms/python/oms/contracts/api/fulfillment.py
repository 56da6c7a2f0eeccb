"""What warehouses and stores report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from oms.contracts.api.fields import (
    MAX_LINES,
    MAX_QUANTITY,
    Code,
    Contract,
    Cursor,
    Identity,
    PageSize,
    Quantity,
    Reason,
    Slug,
    repeats,
)
from oms.contracts.api.orders import LineQuantity
from oms.contracts.invalid import Fault
from oms.domain.tracking import number_of


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
            "arrived",
            "ready_for_pickup",
            "collected",
            "rejected",
            "cancelled",
        ]
        | None
    ) = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class ParcelGiven(Contract):
    carrier: Slug
    # Carriers print their numbers in groups, and tell them without.
    tracking_number: Annotated[Code, AfterValidator(number_of)]
    lines: Annotated[list[LineQuantity], Field(min_length=1, max_length=MAX_LINES)]


class Ship(Contract):
    """Without `parcels`: all of it is in the one parcel that a label was bought for."""

    parcels: Annotated[list[ParcelGiven], Field(min_length=1, max_length=60)] = Field(
        default_factory=list
    )

    def faults(self) -> Iterator[Fault]:
        for place in repeats((each.carrier, each.tracking_number) for each in self.parcels):
            yield Fault(f"parcels[{place}].tracking_number", "is given twice")


class Reject(Contract):
    reason: Reason


class Reroute(Contract):
    reason: Reason


class ShortLine(Contract):
    """Units that are not there, or those that are: a report of what was `found` may be repeated."""

    line_id: Identity
    missing: Quantity | None = None
    found: Annotated[int, Field(ge=0, le=MAX_QUANTITY)] | None = None


class ShortPick(Contract):
    lines: Annotated[list[ShortLine], Field(min_length=1, max_length=MAX_LINES)]
    reason: Reason = "not found"

    def faults(self) -> Iterator[Fault]:
        again = set(repeats(line.line_id for line in self.lines))
        for place, line in enumerate(self.lines):
            if (line.missing is None) == (line.found is None):
                yield Fault(f"lines[{place}]", "says either `missing` or `found`")
            if place in again:
                yield Fault(f"lines[{place}].line_id", "is given twice")
