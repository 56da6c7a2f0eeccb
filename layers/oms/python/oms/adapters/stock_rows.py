"""The rows of the stock table: their keys, and how the domain's values are written in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from oms.adapters.dynamodb import Item, flag, key, n, number, pack, s, text
from oms.contracts import codec
from oms.domain.events import StockFreed, StockLow, StockOut, StockReceived
from oms.domain.inventory import (
    Effect,
    Level,
    Movement,
    MovementKind,
    Receipt,
    StockChange,
    StockItemChange,
    WaitingOrder,
    claims,
)

LEVEL, MOVE, WAIT = "LEVEL#", "MOVE#", "WAIT#"
ALWAYS = ("on_hand", "available", "reserved")
SAID = ("reason", "reservation", "taken_from", "note", "actor")

StockEvent = StockReceived | StockFreed | StockLow | StockOut


def stamp(at: datetime) -> str:
    """An instant that sorts as text: UTC, always with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant(stamped: str) -> datetime:
    return datetime.fromisoformat(stamped)


def partition(sku: str) -> str:
    return f"SKU#{sku}"


def sku_of(item: Item) -> str:
    return text(item, "PK").removeprefix("SKU#")


def item_key(sku: str) -> Item:
    return key(partition(sku), "ITEM")


def level_key(sku: str, location: str) -> Item:
    return key(partition(sku), LEVEL + location)


def wait_key(sku: str, placed_at: datetime, order_id: str) -> Item:
    return key(partition(sku), f"{WAIT}{stamp(placed_at)}#{order_id}")


def request_key(idempotency_key: str) -> Item:
    digest = hashlib.sha256(idempotency_key.encode()).hexdigest()
    return key(f"REQUEST#{digest}", "REQUEST")


def movement_row(change: StockChange, item: StockItemChange) -> Item:
    at = stamp(change.at)
    whose = "".join(f"#{holder}" for holder in (item.reservation, item.taken_from) if holder)
    sort = f"{MOVE}{at}#{change.cause}#{change.kind}#{item.location}{whose}"
    return {
        **key(partition(item.sku), sort),
        "kind": s(change.kind),
        "quantity": n(item.quantity),
        "location": s(item.location),
        "cause": s(change.cause),
        "at": s(at),
        **{name: n(delta) for name, delta in counters(change.effect(item)).items()},
        **({"reason": s(change.reason)} if change.reason else {}),
        **({"reservation": s(item.reservation)} if item.reservation else {}),
        **({"taken_from": s(item.taken_from)} if item.taken_from else {}),
        **({"note": s(change.note)} if change.note else {}),
        **({"actor": s(change.actor)} if change.actor else {}),
    }


def counters(effect: Effect) -> dict[str, int]:
    """As they are written: most stock is not expected, so `incoming` is often left out."""
    every = effect._asdict()
    return every if effect.incoming else {name: every[name] for name in ALWAYS}


def read_effect(item: Item) -> Effect:
    on_hand, available, reserved = (number(item, name) for name in ALWAYS)
    incoming = number(item, "incoming") if "incoming" in item else 0
    return Effect(on_hand, available, reserved, incoming)


def read_movement(item: Item) -> Movement:
    return Movement(
        sku=sku_of(item),
        location=text(item, "location"),
        kind=MovementKind(text(item, "kind")),
        quantity=number(item, "quantity"),
        effect=read_effect(item),
        cause=text(item, "cause"),
        at=instant(text(item, "at")),
        **{name: item.get(name, {}).get("S", "") for name in SAID},
    )


def read_claims(item: Item) -> tuple[tuple[str, int], ...]:
    """What a movement adds to each reservation, without reading the rest of it."""
    kind, reserved = MovementKind(text(item, "kind")), number(item, "reserved")
    reservation, taken_from = (item.get(n, {}).get("S", "") for n in ("reservation", "taken_from"))
    return claims(kind, number(item, "quantity"), reserved, reservation, taken_from)


def read_level(item: Item) -> Level:
    location = text(item, "SK").removeprefix(LEVEL)
    return Level(sku_of(item), location, *read_effect(item))


def wait_row(sku: str, placed_at: datetime, order_id: str) -> Item:
    return {
        **wait_key(sku, placed_at, order_id),
        "order_id": s(order_id),
        "placed_at": s(stamp(placed_at)),
    }


def read_waiting(item: Item) -> WaitingOrder:
    return WaitingOrder(sku_of(item), text(item, "order_id"), instant(text(item, "placed_at")))


def request_row(idempotency_key: str, receipt: Receipt) -> Item:
    return {
        **request_key(idempotency_key),
        "receipt_id": s(receipt.receipt_id),
        "sku": s(receipt.sku),
        "location": s(receipt.location),
        "quantity": n(receipt.quantity),
        "at": s(stamp(receipt.at)),
    }


def read_receipt(item: Item) -> Receipt:
    return Receipt(
        receipt_id=text(item, "receipt_id"),
        sku=text(item, "sku"),
        location=text(item, "location"),
        quantity=number(item, "quantity"),
        at=instant(text(item, "at")),
    )


def received_row(receipt: Receipt, actor: str) -> Item:
    received = StockReceived(receipt.sku, receipt.location, receipt.quantity)
    return event_row(received, receipt.receipt_id, receipt.at, actor)


def event_row(told: StockEvent, identity: str, at: datetime, actor: str) -> Item:
    """The outbox: the publisher makes an event of it. `identity` is one for each item and cause."""
    where = key(partition(told.sku), f"EVENT#{stamp(at)}#{identity}")
    return {**outbox_row(where, told, at, actor), "id": s(identity), "sku": s(told.sku)}


def outbox_row(where: Item, told: object, at: datetime, actor: str) -> Item:
    """What the publisher reads of an event, under whichever key."""
    return {
        **where,
        "type": s(type(told).__name__),
        "at": s(stamp(at)),
        "actor": s(actor),
        "body": pack(codec.encode(told)),
        "publish": flag(True),
    }


def read_levels(items: Iterable[Item]) -> tuple[Level, ...]:
    return tuple(sorted(map(read_level, items), key=lambda level: (level.sku, level.location)))
