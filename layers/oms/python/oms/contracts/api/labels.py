"""Labels: what a parcel may cost, its label, and the list of a day's parcels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from msgspec import field
from pydantic import Field

from oms.contracts.api.fields import Code, Contract, Slug
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault

MAX_GRAMS = 1_000_000
MAX_SIDE = 10_000  # mm
SIDES = ("length_mm", "width_mm", "height_mm")

Grams = Annotated[int, Field(ge=1, le=MAX_GRAMS)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class ParcelMeasured(Contract):
    """Weighed as it is packed. Its sides are told all or not at all."""

    weight_g: Grams
    length_mm: Side | None = None
    width_mm: Side | None = None
    height_mm: Side | None = None

    def faults(self) -> Iterator[Fault]:
        missing = [side for side in SIDES if getattr(self, side) is None]
        if len(missing) < len(SIDES):
            yield from (Fault(side, "is needed beside the other sides") for side in missing)


class BuyLabel(Contract):
    """`carrier` and `service` as a rate names them."""

    carrier: Slug
    service: Code
    parcel: ParcelMeasured

    def faults(self) -> Iterator[Fault]:
        for fault in self.parcel.faults():
            yield Fault(f"parcel.{fault.field}", fault.reason)


class PostManifest(Contract):
    """Of the carrier's parcels that wait; with `service` of those alone whose service begins so: a
    carrier that buys of others lists the parcels of one of them (`USPS`)."""

    carrier: Slug
    service: Code | None = None


class RateView(View):
    """`days` until it is there; null where the carrier does not say."""

    carrier: str
    service: str
    amount: int
    currency: str
    days: int | None
    deliver_by: date | None
    rate_id: str


class SilentCarrierView(View):
    carrier: str
    reason: str


class RatesView(View):
    """The cheapest first. `silent`: carriers that could not be asked, and why."""

    rates: list[RateView]
    silent: list[SilentCarrierView]


class LabelDocumentView(View):
    """`format`: `pdf`, `png` or `zpl`; the link expires."""

    format: str
    link: str


class LabelView(View, omit_defaults=True):
    """`cost` is in minor units. `reason`: why the carrier refused it."""

    label_id: str
    fulfillment_order_id: str
    location_id: str
    carrier: str
    service: str
    status: str
    weight_g: int
    tracking_number: str = ""
    cost: int = 0
    currency: str = ""
    documents: list[LabelDocumentView] = field(default_factory=list)
    bought_at: At | None = None
    voided_at: At | None = None
    manifest_id: str = ""
    reason: str = ""


class LabelsView(View):
    """The oldest first, also those that were voided."""

    items: list[LabelView]


class VoidedLabelView(View):
    """`outcome`: `voided`, or `already`."""

    outcome: str
    label: LabelView


class ManifestView(View):
    """`number` counts those of the location's day. `waiting`: parcels that found no room on it."""

    manifest_id: str
    location_id: str
    carrier: str
    day: date
    number: int
    status: str
    labels: list[str]
    document: str
    waiting: int
