"""Stock has moved: tell of watched levels that are low or empty now, once until they recover.

A record says where to look, never what is there: it may be late, or come again. A changed item
has its levels watched as its policy says; so has a level that begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oms.adapters.dynamodb import text
from oms.adapters.stock_rows import LEVEL, sku_of
from oms.adapters.stock_watch import StockWatch, stock_watch
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = ("STOCK_TABLE",)


@dataclass(frozen=True, slots=True)
class Record:
    """A row in the stream: of a level, or of an item where there is no location."""

    position: str
    item: str
    location: str


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    records = [record_of(each) for each in event["Records"]]
    failed = watch(records, stock_watch(), datetime.now(UTC))
    return {"batchItemFailures": [{"itemIdentifier": failed.position}] if failed else []}


def watch(records: Sequence[Record], levels: StockWatch, at: datetime) -> Record | None:
    """The first record that could not be looked at; the ones before it were."""
    seen: set[tuple[str, str]] = set()
    for record in records:
        if (where := (record.item, record.location)) in seen:
            continue
        try:
            look(record, levels, at)
        except Exception as error:  # noqa: BLE001  (whatever it is, the stream gives it again)
            logger().error("not looked at", extra={"sku": record.item, **describe(error)})
            return record
        seen.add(where)
    return None


def look(record: Record, levels: StockWatch, at: datetime) -> None:
    if record.location:
        levels.look(record.item, record.location, at)
    else:
        levels.follow(record.item)


def record_of(raw: dict[str, Any]) -> Record:
    keys = raw["dynamodb"]["Keys"]
    sort = text(keys, "SK")
    location = sort.removeprefix(LEVEL) if sort.startswith(LEVEL) else ""
    return Record(raw["dynamodb"]["SequenceNumber"], sku_of(keys), location)
