"""Labels: what a parcel may cost, its label, and the list that goes with a day's parcels.

`Labels` is what every carrier of labels does; `label_carriers` knows whose can be had.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from oms.domain.contact import PostalAddress
from oms.domain.errors import Contended, OmsError, Refused
from oms.domain.locations import Location

PDF, PNG = "application/pdf", "image/png"
SUFFIXES = {PDF: "pdf", PNG: "png"}


class LabelRefused(OmsError):
    """The carrier will not take such a parcel: another time it would say the same."""


class Unanswered(Contended):
    """Nobody knows what the carrier has done: the same key finds out."""

    def __init__(self, carrier: str, why: str) -> None:
        super().__init__(f"{carrier} gave no answer ({why}); ask again under the same key")


class NotConnected(Refused):
    """The carrier's key is missing, unknown or may not do it: nothing was bought."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a label is asked for. `key`: the same key is the same label; `reference` is printed;
    `weight_g` is 0 where nobody knows."""

    key: str
    reference: str
    sender: PostalAddress
    receiver: PostalAddress
    weight_g: int = 0


@dataclass(frozen=True, slots=True)
class Shipment:
    """One parcel: what it weighs and measures, sides 0 where nobody measured; `at` is now.

    `origin` is the location that it leaves, by which cards know zones and ship days.
    """

    reference: str
    sender: PostalAddress
    receiver: PostalAddress
    origin: Location
    at: datetime
    weight_g: int
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """`days` until it is there, and the day; None where the carrier does not say."""

    carrier: str
    service: str
    amount: int
    currency: str
    days: int | None = None
    deliver_by: date | None = None
    rate_id: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """`document` is to be printed; whoever has no printer shows `qr` as a picture where parcels are
    taken: it names nobody. `zpl` is for label printers, empty where there is none; `label_id` is
    what the carrier knows it by; the cost is in minor units."""

    carrier: str
    tracking_number: str
    document: bytes
    media_type: str
    qr: str = ""
    zpl: bytes = b""
    service: str = ""
    cost: int = 0
    currency: str = ""
    label_id: str = ""


@dataclass(frozen=True, slots=True)
class Bought:
    """A label as it is remembered."""

    key: str
    label_id: str
    tracking_number: str
    service: str
    bought_at: datetime
    weight_g: int = 0


class Voiding(StrEnum):
    VOIDED = "voided"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Voided:
    outcome: Voiding
    why: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The parcels that leave a location with a carrier; `number` counts those of its `day`."""

    key: str
    carrier: str
    location: Location
    day: date
    number: int
    labels: tuple[Bought, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest_id` is what the carrier knows it by."""

    document: bytes
    media_type: str
    manifest_id: str = ""


class Labels(Protocol):
    """Whatever raises neither LabelRefused nor NotConnected may be tried again under its key."""

    @property
    def code(self) -> str:
        """Of the carrier whose webhooks tell of these parcels."""

    def rates(self, shipment: Shipment) -> tuple[Rate, ...]:
        """The cheapest first; nothing where it does not take such a parcel."""

    def prepare(self, shipment: Shipment, key: str) -> str:
        """What the carrier will know the purchase by. Nothing is bought; whoever keeps this before
        they buy never buys twice, whatever becomes of the answer."""

    def buy(self, shipment: Shipment, service: str, key: str, prepared: str = "") -> Label:
        """The same key is the same label. Raises LabelRefused."""

    def void(self, label: Bought, at: datetime) -> Voided:
        """A label that nobody will use is not paid for; twice is once."""

    def manifest(self, hand_over: HandOver) -> Manifest:
        """The same parcels are on one list, however often it is asked for. Raises LabelRefused."""


class ReturnLabels(Protocol):
    @property
    def code(self) -> str:
        """Of the carrier whose webhooks tell of these parcels."""

    @property
    def suffix(self) -> str:
        """Of the document's file name."""

    def create(self, parcel: Parcel) -> Label:
        """Raises LabelRefused; anything else may be tried again under the same key."""
