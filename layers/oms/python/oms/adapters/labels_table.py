"""Labels and manifests, beside the orders that they are of. Nobody's name or address is in them.

ORDER#<id> / LABEL#<label id>     the label, from before its carrier is asked; while its parcel
                                  waits for a manifest: GSI1PK = LABELS#<location>#<carrier>, at
MANIFEST#<id> / MANIFEST          the parcels that were handed over together
MANIFESTS#<location> / <day>      how many manifests the day has had
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from oms.adapters import dynamodb as db
from oms.adapters.carriers.labels import Bought
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.order_rows import ABSENT, instant, order_pk
from oms.contracts import codec
from oms.domain.errors import Contended, NotFound
from oms.domain.ids import order_of_label
from oms.settings import setting

LABEL = "LABEL#"
MAX_PARCELS = 90  # of a manifest: with it and its number they come in one transaction


class LabelStatus(StrEnum):
    ASKED = "asked"
    BOUGHT = "bought"
    REFUSED = "refused"
    VOIDING = "voiding"
    VOIDED = "voided"


class ManifestStatus(StrEnum):
    ASKED = "asked"
    MADE = "made"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LabelRow:
    """`prepared` is what the carrier knows the purchase by, before it is one; `carrier_id` the
    label. Until `leased_until` somebody is asking for it. The cost is in minor units."""

    label_id: str
    fulfillment_order_id: str
    location_id: str
    carrier: str
    service: str
    fingerprint: str
    asked_at: datetime
    leased_until: datetime
    weight_g: int
    status: LabelStatus = LabelStatus.ASKED
    version: int = 0
    prepared: str = ""
    carrier_id: str = ""
    tracking_number: str = ""
    cost: int = 0
    currency: str = ""
    documents: tuple[str, ...] = ()
    bought_at: datetime | None = None
    voided_at: datetime | None = None
    manifest_id: str = ""
    reason: str = ""

    @property
    def is_waiting(self) -> bool:
        """For a manifest."""
        return self.status is LabelStatus.BOUGHT and not self.manifest_id

    @property
    def bought(self) -> Bought:
        return Bought(
            self.label_id,
            self.carrier_id,
            self.tracking_number,
            self.service,
            self.bought_at or self.asked_at,
            self.weight_g,
        )


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """`number` counts the location's manifests of its local `day`."""

    manifest_id: str
    location_id: str
    carrier: str
    fingerprint: str
    asked_at: datetime
    day: date
    number: int
    labels: tuple[str, ...]
    status: ManifestStatus = ManifestStatus.ASKED
    version: int = 0
    carrier_id: str = ""
    document: str = ""
    reason: str = ""


R = TypeVar("R", LabelRow, ManifestRow)


class _Overtaken(Contended):
    def __init__(self) -> None:
        super().__init__("somebody else is at it; ask again")


class LabelsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def find(self, label_id: str) -> LabelRow | None:
        row = db.get_row(self._client, self._table, _label_key(label_id))
        return _read(row, LabelRow) if row else None

    def get(self, label_id: str) -> LabelRow:
        if (found := self.find(label_id)) is None:
            raise NotFound("label", label_id)
        return found

    def save(self, row: LabelRow) -> LabelRow:
        """Over the version that was read, and over no other; version 0: where none is yet."""
        new = replace(row, version=row.version + 1)
        db.transact(self._client, [self._put(_label_item(new), row.version)])
        return new

    def find_manifest(self, manifest_id: str) -> ManifestRow | None:
        row = db.get_row(self._client, self._table, _manifest_key(manifest_id))
        return _read(row, ManifestRow) if row else None

    def labels(self, label_ids: Sequence[str]) -> tuple[LabelRow, ...]:
        """In this order, without those that are not there."""
        keys = [_label_key(each) for each in label_ids]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        found = {row.label_id: row for row in (_read(each, LabelRow) for each in rows)}
        return tuple(found[each] for each in label_ids if each in found)

    def waiting(self, location_id: str, carrier: str) -> tuple[LabelRow, ...]:
        """For a manifest, the oldest first. What was bought this moment may be missing."""
        rows = db.query(
            self._client,
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="GSI1PK = :pk",
            ExpressionAttributeValues={":pk": db.s(_shelf(location_id, carrier))},
        )
        ids = [db.text(row, "SK").removeprefix(LABEL) for row in rows]
        return tuple(row for row in self.labels(ids) if row.is_waiting)

    def of_order(self, order_id: str) -> tuple[LabelRow, ...]:
        """All that were asked for, the oldest first."""
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :label)",
            ExpressionAttributeValues={":pk": db.s(order_pk(order_id)), ":label": db.s(LABEL)},
            ConsistentRead=True,
        )
        found = (_read(row, LabelRow) for row in rows)
        return tuple(sorted(found, key=lambda row: (row.asked_at, row.label_id)))

    def open_manifest(self, row: ManifestRow, labels: Sequence[LabelRow]) -> ManifestRow:
        """Its number is the next of its day, and its labels are on no other. Contended where one
        of them, or the day's number, was changed since."""
        last = self._last_number(row)
        new = replace(row, number=last + 1, version=1)
        taken = [self._moved(label, new.manifest_id) for label in labels]
        counted = self._count(row, last)
        db.transact(self._client, [*taken, counted, self._put(_manifest_item(new), 0)])
        return new

    def close_manifest(self, row: ManifestRow, labels: Sequence[LabelRow] = ()) -> ManifestRow:
        """As it came out. `labels` are given back: they wait for another."""
        new = replace(row, version=row.version + 1)
        freed = [self._moved(each, "") for each in labels if each.manifest_id == row.manifest_id]
        db.transact(self._client, [*freed, self._put(_manifest_item(new), row.version)])
        return new

    def _moved(self, label: LabelRow, manifest_id: str) -> Write:
        new = replace(label, manifest_id=manifest_id, version=label.version + 1)
        return self._put(_label_item(new), label.version)

    def _last_number(self, row: ManifestRow) -> int:
        found = db.get_row(self._client, self._table, _count_key(row))
        return db.number(found, "count") if found else 0

    def _count(self, row: ManifestRow, last: int) -> Write:
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": {**_count_key(row), "count": db.n(last + 1)},
            "ConditionExpression": "#count = :last" if last else ABSENT,
        }
        if last:
            put["ExpressionAttributeNames"] = {"#count": "count"}
            put["ExpressionAttributeValues"] = {":last": db.n(last)}
        return Write({"Put": put}, lambda _: _Overtaken())

    def _put(self, item: Item, version: int) -> Write:
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        put["ConditionExpression"] = "version = :version" if version else ABSENT
        if version:
            put["ExpressionAttributeValues"] = {":version": db.n(version)}
        return Write({"Put": put}, lambda _: _Overtaken())


@cache
def labels_table() -> LabelsTable:
    return LabelsTable(db.client(), setting("ORDERS_TABLE"))


def _label_item(row: LabelRow) -> Item:
    item = {**_label_key(row.label_id), **_body(row)}
    if row.is_waiting:
        item["GSI1PK"] = db.s(_shelf(row.location_id, row.carrier))
        item["at"] = db.s(instant(row.bought_at or row.asked_at))
    return item


def _manifest_item(row: ManifestRow) -> Item:
    return {**_manifest_key(row.manifest_id), **_body(row)}


def _body(row: LabelRow | ManifestRow) -> Item:
    return {"version": db.n(row.version), "body": db.pack(codec.encode(row))}


def _read(item: Item, kind: type[R]) -> R:
    return codec.decode(db.unpack(item["body"]), kind)


def _label_key(label_id: str) -> Item:
    return db.key(order_pk(order_of_label(label_id)), f"{LABEL}{label_id}")


def _manifest_key(manifest_id: str) -> Item:
    return db.key(f"MANIFEST#{manifest_id}", "MANIFEST")


def _count_key(row: ManifestRow) -> Item:
    return db.key(f"MANIFESTS#{row.location_id}", row.day.isoformat())


def _shelf(location_id: str, carrier: str) -> str:
    return f"LABELS#{location_id}#{carrier}"
