"""Where parcels are weighed and given their labels: asked of a carrier once, and kept.

The row is written before the carrier is asked, with what the carrier will know the purchase by:
an answer that is lost is looked up under the same key, and nothing is bought twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from functions.labels.till import Orders, Till, void_unused
from oms.adapters.carriers.labels import (
    SUFFIXES,
    Label,
    LabelRefused,
    Labels,
    NotConnected,
    Rate,
    Shipment,
    Unanswered,
)
from oms.adapters.labels_table import LabelRow, LabelsTable, LabelStatus
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.contact import Contact, PostalAddress
from oms.domain.errors import Conflict, Contended, IllegalTransition, Refused
from oms.domain.fulfillment import Delivery, FulfillmentOrder
from oms.domain.ids import label_id as label_id_of
from oms.domain.ids import order_of_fulfillment
from oms.domain.locations import Location
from oms.domain.network.rates import Card, Load
from oms.domain.order import Order

FOLDER = "labels"
LEASE = timedelta(seconds=40)  # longer than a function lives


class Contacts(Protocol):
    def contact(self, customer_id: str, order_id: str) -> Contact | None: ...


class Places(Protocol):
    def location(self, location_id: str) -> Location: ...
    def cards(self) -> tuple[Card, ...]: ...


class Files(Protocol):
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


Offered = Callable[[Sequence[Card]], dict[str, Labels]]


class NoAddress(Refused):
    def __init__(self, fulfillment_order_id: str) -> None:
        super().__init__(f"nobody knows any more where {fulfillment_order_id} goes")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`measured`: one parcel."""

    carrier: str
    service: str
    measured: Load
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Priced:
    """`silent`: carriers that could not be asked, and why."""

    rates: tuple[Rate, ...]
    silent: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """`offered`: the carriers of labels that there are, given the cards."""

    orders: Orders
    contacts: Contacts
    places: Places
    files: Files
    rows: LabelsTable
    offered: Offered
    clock: Callable[[], datetime]

    @property
    def till(self) -> Till:
        return Till(self.orders, self.rows, self.carrier, self.clock)

    def carriers(self) -> dict[str, Labels]:
        return self.offered(self.places.cards())

    def carrier(self, code: str) -> Labels:
        found = self.carriers().get(code)
        if found is None:
            raise InvalidRequest([Fault("carrier", f"{code} is no carrier that labels are had of")])
        return found


def rates(counter: Counter, identity: str, measured: Load) -> Priced:
    """Of every carrier that can be asked; one that cannot hides no other."""
    shipment = _shipment(counter, identity, measured)
    found: list[Rate] = []
    silent: list[tuple[str, str]] = []
    for code, labels in counter.carriers().items():
        try:
            found += labels.rates(shipment)
        except (LabelRefused, NotConnected, Unanswered) as error:
            silent.append((code, str(error)))
    ranked = sorted(found, key=lambda rate: (rate.amount, rate.carrier, rate.service))
    return Priced(tuple(ranked), tuple(silent))


def buy(counter: Counter, identity: str, wanted: Wanted, actor: str, key: str) -> LabelRow:
    """The same key of the same actor is the same label."""
    label_id = label_id_of(identity, actor, key)
    known = counter.rows.find(label_id)
    if known and known.fingerprint != wanted.fingerprint:
        raise Conflict("this Idempotency-Key was used before for another label")
    if known and known.status is LabelStatus.REFUSED:
        raise LabelRefused(known.reason)
    if known and known.status is not LabelStatus.ASKED:
        return _given_back_if_stopped(counter, known)
    labels = counter.carrier(wanted.carrier)
    shipment = _shipment(counter, identity, wanted.measured, is_under_way=known is not None)
    row = known or _asked(counter, label_id, identity, wanted, shipment.origin)
    row = _finished(counter, _leased(counter, row), labels, shipment)
    return _given_back_if_stopped(counter, row)


def _given_back_if_stopped(counter: Counter, row: LabelRow) -> LabelRow:
    """Whoever stopped its box while it was bought has given back what was bought by then."""
    order_id = order_of_fulfillment(row.fulfillment_order_id)
    if not void_unused(counter.till, order_id):
        return row
    return counter.rows.get(row.label_id)


def _asked(
    counter: Counter, label_id: str, identity: str, wanted: Wanted, origin: Location
) -> LabelRow:
    return LabelRow(
        label_id,
        identity,
        origin.location_id,
        wanted.carrier,
        wanted.service,
        wanted.fingerprint,
        asked_at=counter.clock(),
        leased_until=counter.clock(),
        weight_g=wanted.measured.weight_g,
    )


def _leased(counter: Counter, row: LabelRow) -> LabelRow:
    """One at a time asks the carrier."""
    if row.version and counter.clock() < row.leased_until:
        raise Contended(f"{row.label_id} is being bought")
    return counter.rows.save(replace(row, leased_until=counter.clock() + LEASE))


def _finished(counter: Counter, row: LabelRow, labels: Labels, shipment: Shipment) -> LabelRow:
    try:
        if not row.prepared and (prepared := labels.prepare(shipment, row.label_id)):
            row = counter.rows.save(replace(row, prepared=prepared))
        label = labels.buy(shipment, row.service, row.label_id, row.prepared)
    except LabelRefused as error:
        counter.rows.save(replace(row, status=LabelStatus.REFUSED, reason=str(error)))
        raise
    except (NotConnected, Unanswered):
        counter.rows.save(replace(row, leased_until=counter.clock()))
        raise
    return counter.rows.save(_bought(row, label, _filed(counter, row, label), counter.clock()))


def _filed(counter: Counter, row: LabelRow, label: Label) -> tuple[str, ...]:
    """The names of its documents. The same again replaces the same."""
    pieces = {SUFFIXES[label.media_type]: label.document, "zpl": label.zpl}
    names = {f"{FOLDER}/{row.label_id}.{suffix}": each for suffix, each in pieces.items() if each}
    for name, octets in names.items():
        counter.files.write(name, [octets])
    return tuple(names)


def _bought(row: LabelRow, label: Label, documents: tuple[str, ...], at: datetime) -> LabelRow:
    return replace(
        row,
        status=LabelStatus.BOUGHT,
        carrier_id=label.label_id,
        tracking_number=label.tracking_number,
        cost=label.cost,
        currency=label.currency,
        documents=documents,
        bought_at=at,
    )


def _shipment(
    counter: Counter, identity: str, measured: Load, *, is_under_way: bool = False
) -> Shipment:
    """What is under way is finished, whatever has become of the box since."""
    order = counter.orders.get(order_of_fulfillment(identity))
    box = order.fulfillment_order(identity)
    if not is_under_way and (not box.in_warehouse or box.delivery is Delivery.PICKUP):
        raise IllegalTransition(identity, box.status, "be given a label")
    origin = counter.places.location(box.location_id)
    _, weight_g, *sides = measured
    return Shipment(
        identity,
        _address_of(origin),
        _receiver(counter, order, box),
        origin,
        counter.clock(),
        weight_g,
        *sides,
    )


def _receiver(counter: Counter, order: Order, box: FulfillmentOrder) -> PostalAddress:
    if box.delivery is Delivery.SHIP_TO_STORE:
        return _address_of(counter.places.location(order.pickup_location))
    contact = counter.contacts.contact(order.customer_id, order.contact_id)
    if contact is None or contact.address is None:
        raise NoAddress(box.fulfillment_order_id)
    return contact.address


def _address_of(place: Location) -> PostalAddress:
    return PostalAddress(
        place.country,
        name=place.name,
        line1=place.line1,
        line2=place.line2,
        city=place.city,
        region=place.region,
        postal_code=place.postal_code,
        phone=place.phone,
    )
