"""Scans that came before their parcel, kept until the warehouse reports it, or its label is.

TRACKING#<carrier>#<number> / SCANS#<fingerprint>    one message of the carrier, as it was read

A message of an aggregator is kept under each carrier that the parcel may be shipped with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.order_rows import tracking_pk
from oms.adapters.orders_table import OrdersTable
from oms.contracts import codec
from oms.domain.commands import Command, RecordReturnScans, RecordScans
from oms.domain.order import Order
from oms.domain.tracking import Scan, TrackingUpdate
from oms.settings import setting

KEPT_FOR = timedelta(days=30)


class ScanInbox:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, update: TrackingUpdate, at: datetime) -> None:
        """The same message twice is one row."""
        said = {
            "body": db.pack(codec.encode(update)),
            "expires_at": db.n(int((at + KEPT_FOR).timestamp())),
        }
        for key in _row_keys(update):
            self._client.put_item(TableName=self._table, Item={**key, **said})

    def kept(self, carrier: str, tracking_number: str) -> tuple[TrackingUpdate, ...]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :scans)",
            ExpressionAttributeValues={
                ":pk": db.s(tracking_pk(carrier, tracking_number)),
                ":scans": db.s("SCANS#"),
            },
            ConsistentRead=True,
        )
        return tuple(codec.decode(db.unpack(row["body"]), TrackingUpdate) for row in rows)

    def drop(self, update: TrackingUpdate) -> None:
        """Under every name that it was kept under."""
        for key in _row_keys(update):
            self._client.delete_item(TableName=self._table, Key=key)


def record_kept(
    inbox: ScanInbox,
    orders: OrdersTable,
    order: Order,
    carrier: str,
    tracking_number: str,
    at: datetime,
) -> Order:
    """Record what was kept for a parcel of the order, and keep it no longer; twice is once."""
    number = (carrier, tracking_number)
    return _record(inbox, orders, order, number, at, lambda scans: RecordScans(*number, scans))


def record_kept_of_return(
    inbox: ScanInbox,
    orders: OrdersTable,
    order: Order,
    return_id: str,
    carrier: str,
    tracking_number: str,
    at: datetime,
) -> Order:
    """Likewise, for a parcel of a return of the order."""
    number = (carrier, tracking_number)

    def told(scans: tuple[Scan, ...]) -> Command:
        return RecordReturnScans(return_id, *number, scans)

    return _record(inbox, orders, order, number, at, told)


def _record(
    inbox: ScanInbox,
    orders: OrdersTable,
    order: Order,
    number: tuple[str, str],
    at: datetime,
    told: Callable[[tuple[Scan, ...]], Command],
) -> Order:
    for update in inbox.kept(*number):
        actor = f"carrier:{update.carrier}"
        order = orders.change(order.order_id, told(update.scans), at=at, actor=actor, seen=order)
        inbox.drop(update)
    return order


@cache
def scan_inbox() -> ScanInbox:
    return ScanInbox(db.client(), setting("ORDERS_TABLE"))


def _row_keys(update: TrackingUpdate) -> list[Item]:
    text = "\x1f".join(sorted(scan.fingerprint for scan in update.scans))
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:32]
    pks = (tracking_pk(name, update.tracking_number) for name in update.names)
    return [db.key(pk, f"SCANS#{fingerprint}") for pk in pks]
