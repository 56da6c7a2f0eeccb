"""A label for the goods of a return that was approved: asked of the carrier once, and kept.

Nobody else reads the customer's address for it, and nothing of it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from oms.adapters.carriers.label_carriers import return_labels
from oms.adapters.carriers.labels import SUFFIXES, Label, Parcel, ReturnLabels
from oms.adapters.files import files
from oms.adapters.items_table import items_table
from oms.adapters.network_table import network_table
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.scan_inbox import ScanInbox, record_kept_of_return, scan_inbox
from oms.adapters.vault import vault
from oms.domain.commands import RecordReturnLabel
from oms.domain.contact import Contact, PostalAddress
from oms.domain.errors import IllegalTransition
from oms.domain.ids import order_of_return
from oms.domain.items import StockItem
from oms.domain.locations import Location
from oms.domain.order import Order
from oms.domain.returns import Return
from oms.domain.returns.way_back import goes_back_to, needs_no_label
from oms.observability import observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    *("ORDERS_TABLE", "STOCK_TABLE", "CUSTOMERS_TABLE", "KEYS_TABLE", "VAULT_KEY_ID"),
    *("FILES_BUCKET", "RETURN_CARRIER", "SECRET_ID", "EASYPOST_API"),
)
FOLDER = "labels"


class Contacts(Protocol):
    def contact(self, customer_id: str, order_id: str) -> Contact | None: ...


class Locations(Protocol):
    def location(self, location_id: str) -> Location: ...


class Files(Protocol):
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


Items = Callable[[Iterable[str]], Mapping[str, StockItem]]


@dataclass(frozen=True, slots=True)
class Counter:
    """Where parcels are given their labels; `labels` is None where customers choose a carrier."""

    orders: OrdersTable
    contacts: Contacts
    locations: Locations
    files: Files
    inbox: ScanInbox
    labels: ReturnLabels | None
    clock: Callable[[], datetime]
    items: Items = lambda _: {}


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    counter = Counter(
        orders_table(),
        vault(),
        network_table(),
        files(),
        scan_inbox(),
        return_labels(setting("RETURN_CARRIER")),
        lambda: datetime.now(UTC),
        items_table().of,
    )
    return_id = event["detail"]["data"]["return_id"]
    ids = {"order_id": event["detail"]["order_id"], "return_id": return_id}
    return {"outcome": issue(counter, return_id), **ids}


def issue(counter: Counter, return_id: str) -> str:
    """issued, or why not; twice is once."""
    order = counter.orders.get(order_of_return(return_id))
    found = order.return_(return_id)
    if counter.labels is None:
        return "customers choose the carrier"
    if why := needs_no_label(found):
        return why
    label = counter.labels.create(_parcel(counter, order, found))
    if any(each.tracking_number != label.tracking_number for each in found.parcels):
        return "it has a label"
    name = f"{FOLDER}/{return_id}.{SUFFIXES[label.media_type]}"
    counter.files.write(name, [label.document])
    return _record(counter, found, label, name)


def _record(counter: Counter, found: Return, label: Label, name: str) -> str:
    number, at = (label.carrier, label.tracking_number), counter.clock()
    command = RecordReturnLabel(found.return_id, *number, name, label.qr)
    order_id = order_of_return(found.return_id)
    try:
        order = counter.orders.change(order_id, command, at=at, actor="system")
    except IllegalTransition:
        return "it was called off meanwhile"
    record_kept_of_return(counter.inbox, counter.orders, order, found.return_id, *number, at)
    return "issued"


def _parcel(counter: Counter, order: Order, found: Return) -> Parcel:
    contact = counter.contacts.contact(order.customer_id, order.contact_id) or Contact()
    sender = contact.address or PostalAddress(order.destination.country, name=contact.name)
    receiver = counter.locations.location(goes_back_to(order, found))
    ids = found.return_id, found.return_id
    return Parcel(*ids, sender, _address(receiver), grams(counter.items, order, found))


def grams(items: Items, order: Order, found: Return) -> int:
    """What comes back, as far as anybody has weighed it; 0 where a part of it was not."""
    units = [
        (part.item, part.quantity * line.quantity)
        for line in found.lines
        for part in order.line(line.line_id).parts
    ]
    known = items([item for item, _ in units])
    weights = [known[item].attributes.weight_g if item in known else None for item, _ in units]
    if None in weights:
        return 0
    return sum((each or 0) * count for each, (_, count) in zip(weights, units, strict=True))


def _address(place: Location) -> PostalAddress:
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
