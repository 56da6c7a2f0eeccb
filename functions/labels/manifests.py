"""The list that a carrier is handed with its parcels: each is on one, and each is numbered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from functions.labels.counter import FOLDER, Counter
from oms.adapters.carriers.labels import SUFFIXES, HandOver, LabelRefused, Manifest
from oms.adapters.labels_table import MAX_PARCELS, LabelRow, ManifestRow, ManifestStatus
from oms.domain.errors import Conflict, Refused
from oms.domain.ids import name_of
from oms.domain.locations import Location


class NothingToHandOver(Refused):
    def __init__(self, location_id: str, carrier: str) -> None:
        super().__init__(f"no parcel of {carrier} waits in {location_id}")


@dataclass(frozen=True, slots=True)
class Listing:
    """`service`: of those alone whose service begins so."""

    location_id: str
    carrier: str
    service: str
    fingerprint: str


def list_parcels(counter: Counter, listing: Listing, actor: str, key: str) -> ManifestRow:
    """The same key of the same actor is the same manifest."""
    manifest_id = f"man_{name_of(listing.location_id, actor, key)}"
    known = counter.rows.find_manifest(manifest_id)
    if known and known.fingerprint != listing.fingerprint:
        raise Conflict("this Idempotency-Key was used before for another manifest")
    if known and known.status is ManifestStatus.REFUSED:
        raise LabelRefused(known.reason)
    if known and known.status is ManifestStatus.MADE:
        return known
    location = counter.places.location(listing.location_id)
    row = known or _opened(counter, manifest_id, listing, location)
    return _made(counter, row, location)


def waiting(counter: Counter, listing: Listing) -> tuple[LabelRow, ...]:
    found = counter.rows.waiting(listing.location_id, listing.carrier)
    return tuple(row for row in found if row.service.startswith(listing.service))


def _opened(
    counter: Counter, manifest_id: str, listing: Listing, location: Location
) -> ManifestRow:
    counter.carrier(listing.carrier)
    labels = waiting(counter, listing)[:MAX_PARCELS]
    if not labels:
        raise NothingToHandOver(listing.location_id, listing.carrier)
    at = counter.clock()
    row = ManifestRow(
        manifest_id,
        listing.location_id,
        listing.carrier,
        listing.fingerprint,
        at,
        at.astimezone(ZoneInfo(location.calendar.time_zone)).date(),
        0,
        tuple(label.label_id for label in labels),
    )
    return counter.rows.open_manifest(row, labels)


def _made(counter: Counter, row: ManifestRow, location: Location) -> ManifestRow:
    labels = counter.rows.labels(row.labels)
    bought = tuple(label.bought for label in labels)
    hand_over = HandOver(row.manifest_id, row.carrier, location, row.day, row.number, bought)
    try:
        found = counter.carrier(row.carrier).manifest(hand_over)
    except LabelRefused as error:
        refused = replace(row, status=ManifestStatus.REFUSED, reason=str(error))
        counter.rows.close_manifest(refused, labels)
        raise
    name = _filed(counter, row, found)
    made = replace(row, status=ManifestStatus.MADE, carrier_id=found.manifest_id, document=name)
    return counter.rows.close_manifest(made)


def _filed(counter: Counter, row: ManifestRow, manifest: Manifest) -> str:
    name = f"{FOLDER}/{row.manifest_id}.{SUFFIXES[manifest.media_type]}"
    counter.files.write(name, [manifest.document])
    return name
