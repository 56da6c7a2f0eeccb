"""The outbox rows that say which units can be promised again: what wakes the orders that wait."""

from __future__ import annotations

from collections.abc import Iterable

from oms.adapters.dynamodb import Item, Write
from oms.adapters.stock_rows import event_row
from oms.domain.events import StockFreed
from oms.domain.inventory import MovementKind, StockChange, StockItemChange


def freed_writes(table: str, changes: Iterable[StockChange], reason: str) -> list[Write]:
    """One row for each stock item and location of what the changes release."""
    rows = (
        freed_row(change, item, reason)
        for change in changes
        if change.kind is MovementKind.RELEASED
        for item in change.items
    )
    return [Write({"Put": {"TableName": table, "Item": row}}) for row in rows]


def freed_row(change: StockChange, item: StockItemChange, reason: str) -> Item:
    freed = StockFreed(item.sku, item.location, item.quantity, reason)
    return event_row(freed, f"{change.cause}#{item.location}", change.at, "system")
