"""Count sales as they are told: orders on the day they were placed, what cancels or edits them on
its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from oms.adapters.sales_table import CHUNK, Market, Sale, sales_table
from oms.domain import events as e
from oms.domain.errors import Contended
from oms.domain.lines import Shipping
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = ("REPORTS_TABLE",)

PLACED = "OrderPlaced"
GIVEN_BACK = ("RefundGranted", "ReturnSettled")
LATER = ("OrderCancelled", "OrderLinesCancelled", "OrderEdited", *GIVEN_BACK)  # than the placement


class Sales(Protocol):
    def count(self, sales: Sequence[Sale], now: datetime) -> None: ...
    def markets(self, order_ids: Iterable[str]) -> Mapping[str, Market]: ...


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the bus, as far as it is counted."""

    id: str
    type: str
    at: datetime
    order_id: str
    data: dict[str, Any]


class Message(NamedTuple):
    message_id: str
    told: Told


class Entry(NamedTuple):
    message_id: str
    sale: Sale


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    failed = project(event["Records"], sales_table(), datetime.now(UTC))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def project(records: Sequence[dict[str, Any]], sales: Sales, now: datetime) -> list[str]:
    """Count what the records tell; the ids of those that must be brought again."""
    failed: list[str] = []
    messages = list(_each(_message, records, failed))
    placed = [m for m in messages if m.told.type == PLACED]
    later = [m for m in messages if m.told.type in LATER]
    failed += _count(list(_each(_placement, placed, failed)), sales, now)
    markets = sales.markets(message.told.order_id for message in later)
    entries = _each(lambda message: _change(message, markets), later, failed)
    return failed + _count(list(entries), sales, now)


def _each(read: Callable[[Any], Any], given: Iterable[Any], failed: list[str]) -> Iterator[Any]:
    """What can be read of them; the rest goes back to the queue, and after some times aside."""
    for each in given:
        try:
            yield read(each)
        except (LookupError, TypeError, ValueError) as error:
            message_id = each["messageId"] if isinstance(each, dict) else each.message_id
            logger().warning("not counted", extra={"message_id": message_id, **describe(error)})
            failed.append(message_id)


def _message(record: dict[str, Any]) -> Message:
    detail = json.loads(record["body"])["detail"]
    return Message(record["messageId"], msgspec.convert(detail, Told))


def _placement(message: Message) -> Entry:
    told = message.told
    placed = msgspec.convert(told.data, e.OrderPlaced)
    sale = Sale(
        event_id=told.id,
        order_id=told.order_id,
        day=placed.placed_at.astimezone(UTC).date(),
        market=Market(placed.channel, placed.currency),
        figures=figures_of(placed),
        places=True,
    )
    return Entry(message.message_id, sale)


def figures_of(placed: e.OrderPlaced) -> dict[str, int]:
    line_discounts = sum(each.amount for line in placed.lines for each in line.discounts)
    line_taxes = sum(tax.amount for line in placed.lines for tax in line.taxes)
    return {
        "orders": 1,
        "units": sum(line.quantity for line in placed.lines),
        "gross": sum(line.gross for line in placed.lines),
        "discounts": line_discounts + sum(line.order_discount for line in placed.lines),
        "shipping": placed.shipping.price,
        "taxes": line_taxes + sum(tax.amount for tax in placed.shipping.taxes),
    }


def edited_figures(edited: e.OrderEdited) -> dict[str, int]:
    """What the edit sells more; what it takes away is cancelled, like any unit."""
    added, now = edited.edit.changes.added, edited.edit.changes.shipping
    before = edited.shipping_before if now else None
    taxes = sum(tax.amount for line in added for tax in line.taxes)
    return {
        "units": sum(line.quantity for line in added),
        "gross": sum(line.gross for line in added),
        "discounts": sum(each.amount for line in added for each in line.discounts),
        "shipping": (now.price if now else 0) - (before.price if before else 0),
        "taxes": taxes + _taxes(now) - _taxes(before),
        "cancelled_orders": 0,
        "cancelled_units": sum(unit.quantity for unit in edited.units),
    }


def refunded_figures(amount: int) -> dict[str, int]:
    """What was granted beside cancellations; a replacement gives no money."""
    return {"refunds": int(amount > 0), "refunded": amount}


def _taxes(shipping: Shipping | None) -> int:
    return sum(tax.amount for tax in shipping.taxes) if shipping else 0


class NotPlacedYet(LookupError):
    """The change came before the placement: later it will be known where it was sold."""


def _change(message: Message, markets: Mapping[str, Market]) -> Entry:
    told = message.told
    if told.order_id not in markets:
        raise NotPlacedYet(told.order_id)
    figures = {
        "cancelled_orders": int(told.type == "OrderCancelled"),
        "cancelled_units": sum(unit["quantity"] for unit in told.data.get("units", ())),
    }
    if told.type in GIVEN_BACK:
        figures = refunded_figures(told.data["credit"]["amount"])
    if told.type == "OrderEdited":
        figures = edited_figures(msgspec.convert(told.data, e.OrderEdited))
    day = told.at.astimezone(UTC).date()
    sale = Sale(told.id, told.order_id, day, markets[told.order_id], figures)
    return Entry(message.message_id, sale)


def _count(entries: Sequence[Entry], sales: Sales, now: datetime) -> list[str]:
    return [
        message_id
        for start in range(0, len(entries), CHUNK)
        for message_id in _count_chunk(entries[start : start + CHUNK], sales, now)
    ]


def _count_chunk(entries: Sequence[Entry], sales: Sales, now: datetime) -> list[str]:
    """The ids of what was not counted: one that cannot be does not keep the others from it."""
    try:
        sales.count([entry.sale for entry in entries], now)
    except Exception as error:  # noqa: BLE001  (the queue brings it again, whatever it was)
        logger().warning("not counted", extra={"events": len(entries), **describe(error)})
        if len(entries) == 1 or isinstance(error, Contended):
            return [entry.message_id for entry in entries]
        return [m for entry in entries for m in _count_chunk([entry], sales, now)]
    return []
