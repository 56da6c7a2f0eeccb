"""A carrier of whom we have a card: it asks what the card says, and we print its labels.

For whoever drives their own vans, or has a range of numbers from a carrier without an interface.
A label costs nothing until its parcel is handed over, so it is voided by word alone.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from oms.adapters.carriers.labels import (
    PDF,
    Bought,
    HandOver,
    Label,
    LabelRefused,
    Manifest,
    Rate,
    Shipment,
    Voided,
    Voiding,
)
from oms.domain.network.quoting import NoQuote, Quote, Reason, quote
from oms.domain.network.rates import Card, Load, Tables
from oms.domain.routing.decision import Destination

VOID_WITHIN = timedelta(days=14)
DIGITS = 18
NUMBER = re.compile(rf"BT(\d{{{DIGITS}}})(\d\d)", re.ASCII)
WHY = {
    Reason.METHOD_NOT_OFFERED: "the location does not offer this service",
    Reason.NO_ZONE: "it does not go there",
    Reason.NO_RATE: "it does not go there with this service",
    Reason.TOO_HEAVY: "the parcel is too heavy",
    Reason.NO_SHIP_DAY: "the location does not ship for now",
}


@dataclass(frozen=True)
class TableCarrier:
    card: Card

    @property
    def code(self) -> str:
        return self.card.carrier

    def rates(self, shipment: Shipment) -> tuple[Rate, ...]:
        quotes = (self._quote(shipment, method) for method in Tables([self.card]).methods)
        rates = [self._rate(shipment, each) for each in quotes if isinstance(each, Quote)]
        return tuple(sorted(rates, key=lambda rate: (rate.amount, rate.service)))

    def prepare(self, shipment: Shipment, key: str) -> str:  # noqa: ARG002
        return ""

    def buy(
        self,
        shipment: Shipment,
        service: str,
        key: str,
        prepared: str = "",  # noqa: ARG002
    ) -> Label:
        from oms.adapters.carriers.label_paper import shipping_label
        from oms.adapters.carriers.zpl import zpl_label

        rate, number = self._asked(shipment, service), tracking_number(self.code, key)
        document = shipping_label(shipment, self.code, service, number)
        zpl = zpl_label(shipment, self.code, service, number)
        return Label(
            self.code,
            number,
            document,
            PDF,
            zpl=zpl,
            service=service,
            cost=rate.amount,
            currency=rate.currency,
            label_id=number,
        )

    def void(self, label: Bought, at: datetime) -> Voided:
        if at - label.bought_at > VOID_WITHIN:
            return Voided(Voiding.REFUSED, f"it is older than {VOID_WITHIN.days} days")
        return Voided(Voiding.VOIDED)

    def manifest(self, hand_over: HandOver) -> Manifest:
        from oms.adapters.carriers.label_paper import manifest_pages

        number = manifest_number(hand_over)
        return Manifest(manifest_pages(hand_over, number), PDF, number)

    def _asked(self, shipment: Shipment, service: str) -> Rate:
        if service not in Tables([self.card]).methods:
            raise LabelRefused(f"{self.code} has no service {service}")
        found = self._quote(shipment, service)
        if isinstance(found, NoQuote):
            raise LabelRefused(f"{self.code}: {WHY[found.reason]}")
        return self._rate(shipment, found)

    def _quote(self, shipment: Shipment, method: str) -> Quote | NoQuote:
        """The carrier's charge alone, without what the location costs us."""
        origin = replace(shipment.origin, fixed_cost=0, unit_cost=0)
        to = shipment.receiver
        destination = Destination(to.country, to.region, to.postal_code)
        loads = [_load(shipment)]
        return quote(origin, destination, method, loads, Tables([self.card]), shipment.at)

    def _rate(self, shipment: Shipment, found: Quote) -> Rate:
        days = (found.deliver_by - found.ship_on).days if found.deliver_by else None
        amount = found.cost([_load(shipment)])
        rate_id = f"{self.code}.{found.version}.{found.method}"
        return Rate(
            self.code, found.method, amount, self.card.currency, days, found.deliver_by, rate_id
        )


def tracking_number(carrier: str, key: str) -> str:
    """`BT`, eighteen digits that the key decides, two that check them."""
    digest = hashlib.sha256(f"label\x1f{carrier}\x1f{key}".encode()).digest()
    digits = f"{int.from_bytes(digest, 'big') % 10**DIGITS:0{DIGITS}}"
    return f"BT{digits}{check_digits(digits)}"


def check_digits(digits: str) -> str:
    """By ISO 7064 MOD 97-10: one wrong digit, or two that changed places, are found."""
    return f"{98 - int(digits) * 100 % 97:02}"


def is_number(text: str) -> bool:
    found = NUMBER.fullmatch(text)
    return found is not None and check_digits(found[1]) == found[2]


def manifest_number(hand_over: HandOver) -> str:
    return f"{hand_over.location.location_id}-{hand_over.day:%Y%m%d}-{hand_over.number:03}"


def _load(shipment: Shipment) -> Load:
    sides = shipment.length_mm, shipment.width_mm, shipment.height_mm
    return Load(1, shipment.weight_g, *sides)
