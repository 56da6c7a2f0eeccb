"""The rows of an order's item collection: their keys, and how facts and snapshots are written."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import Item
from oms.contracts import codec, events
from oms.domain.order import Fact, Order

OPEN_SHARDS = 10
ABSENT = "attribute_not_exists(PK)"
INSTRUMENTS = "instruments"  # of the order's row: tokens of authorizations, by operation
DECISION = "decision"  # of an event row: what routing knew when it decided, packed


def fact_of(item: Item) -> Fact:
    event = events.read(db.text(item, "type"), db.unpack(item["body"]))
    at = datetime.fromisoformat(db.text(item, "at"))
    return Fact(int(db.text(item, "SK").removeprefix("EVENT#")), at, db.text(item, "actor"), event)


def order_of(item: Item) -> Order:
    return codec.decode(db.unpack(item["body"]), Order)


def snapshot(order: Order) -> Item:
    return {"version": db.n(order.version), "body": db.pack(codec.encode(order))}


def event_item(order_id: str, fact: Fact) -> Item:
    """`publish` brings the row to the publisher: the stream's filter looks for it."""
    quiet = events.CATALOGUE[type(fact.event).__name__].quiet
    return {
        **db.key(order_pk(order_id), event_sk(fact.seq)),
        "type": db.s(type(fact.event).__name__),
        "at": db.s(fact.at.isoformat()),
        "actor": db.s(fact.actor),
        "body": db.pack(codec.encode(fact.event)),
        **({} if quiet else {"publish": db.flag(True)}),
    }


def order_pk(order_id: str) -> str:
    return f"ORDER#{order_id}"


def order_key(order_id: str) -> Item:
    return db.key(order_pk(order_id), "ORDER")


def event_sk(seq: int) -> str:
    return f"EVENT#{seq:06d}"


def wait_key(order_id: str, wait: str) -> Item:
    """Of a wait of the order, or of one of its returns (`returns.waits.token_name`)."""
    return db.key(order_pk(order_id), f"WAIT#{wait}")


def tracking_pk(carrier: str, tracking_number: str) -> str:
    return f"TRACKING#{carrier}#{tracking_number}"


def open_shard(order_id: str) -> str:
    return f"OPEN#{int(hashlib.sha256(order_id.encode()).hexdigest(), 16) % OPEN_SHARDS}"


def instant(at: datetime) -> str:
    """Sortable as text; milliseconds are enough to order a list."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S") + f"{at.microsecond // 1000:03d}"


def moment(said: str) -> datetime:
    """Of an instant in a list."""
    return datetime.strptime(said, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
