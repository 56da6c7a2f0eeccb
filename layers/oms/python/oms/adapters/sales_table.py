"""Sales by day, channel and currency: counters in the reports table, each event counted once.

SALES#<yyyy-mm> / <yyyy-mm-dd>#<channel>#<currency>    the counters
ORDER#<order_id> / ORDER     channel and currency; that it is there says the order was counted
SEEN#<event id> / SEEN       any other event was counted
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.domain.errors import OmsError
from oms.settings import setting

CHUNK = db.MAX_TRANSACTION_ITEMS // 2  # a marker each, and at worst a row of counters each
SEEN_FOR = timedelta(days=90)
ORDER_FOR = timedelta(days=400)
FIGURES = (
    "orders",
    "units",
    "gross",
    "discounts",
    "shipping",
    "taxes",
    "cancelled_orders",
    "cancelled_units",
    "refunds",
    "refunded",
)


@dataclass(frozen=True, slots=True)
class Market:
    """Where an order was sold."""

    channel: str
    currency: str


@dataclass(frozen=True, slots=True)
class Sale:
    """What one event adds to a day. `places` is true of the event that places the order."""

    event_id: str
    order_id: str
    day: date
    market: Market
    figures: Mapping[str, int]
    places: bool = False


@dataclass(frozen=True, slots=True)
class DayOfSales:
    day: str
    channel: str
    currency: str
    figures: Mapping[str, int] = field(default_factory=dict)


class AlreadyCounted(OmsError):
    """Some of the events were counted before; nothing was written."""

    def __init__(self, event_ids: frozenset[str]) -> None:
        super().__init__(f"{len(event_ids)} events were counted before")
        self.event_ids = event_ids

    def merged(self, other: AlreadyCounted) -> AlreadyCounted:
        return AlreadyCounted(self.event_ids | other.event_ids)


class SalesTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def count(self, sales: Sequence[Sale], now: datetime) -> None:
        """Count each event once, all in one transaction; at most `CHUNK` of them."""
        fresh = list({sale.event_id: sale for sale in sales}.values())
        while fresh:
            try:
                return db.transact(self._client, [*self._markers(fresh, now), *self._adds(fresh)])
            except AlreadyCounted as error:
                fresh = [sale for sale in fresh if sale.event_id not in error.event_ids]
        return None

    def markets(self, order_ids: Iterable[str]) -> dict[str, Market]:
        """Of the orders whose placement was counted."""
        keys = [_order_key(order_id) for order_id in dict.fromkeys(order_ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {
            db.text(row, "PK").removeprefix("ORDER#"): Market(
                db.text(row, "channel"), db.text(row, "currency")
            )
            for row in rows
        }

    def days(self, first: date, last: date) -> Iterator[DayOfSales]:
        """Every row of these days, in order."""
        for month in _months(first, last):
            rows = db.query(
                self._client,
                TableName=self._table,
                KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": db.s(f"SALES#{month}"),
                    ":first": db.s(first.isoformat()),
                    ":last": db.s(f"{last.isoformat()}#\U0010ffff"),
                },
            )
            yield from map(_read, rows)

    def _markers(self, sales: Sequence[Sale], now: datetime) -> Iterator[Write]:
        for sale in sales:
            item = _order_row(sale, now) if sale.places else _seen_row(sale, now)
            put = {"TableName": self._table, "Item": item, "ConditionExpression": _ABSENT}
            yield Write({"Put": put}, partial(_counted_before, sale.event_id))

    def _adds(self, sales: Sequence[Sale]) -> Iterator[Write]:
        for (day, market), figures in _summed(sales).items():
            update = {"TableName": self._table, "Key": _day_key(day, market), **_add(figures)}
            yield Write({"Update": update})


@cache
def sales_table() -> SalesTable:
    return SalesTable(db.client(), setting("REPORTS_TABLE"))


_ABSENT = "attribute_not_exists(PK)"


def _counted_before(event_id: str, old: Item | None) -> Exception:  # noqa: ARG001
    return AlreadyCounted(frozenset({event_id}))


def _summed(sales: Sequence[Sale]) -> dict[tuple[date, Market], Counter[str]]:
    """A transaction writes a row once."""
    rows: dict[tuple[date, Market], Counter[str]] = {}
    for sale in sales:
        rows.setdefault((sale.day, sale.market), Counter()).update(sale.figures)
    return rows


def _add(figures: Mapping[str, int]) -> dict[str, Any]:
    names = sorted(figures)
    return {
        "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": {f":{name}": db.n(figures[name]) for name in names},
    }


def _order_row(sale: Sale, now: datetime) -> Item:
    return {
        **_order_key(sale.order_id),
        "channel": db.s(sale.market.channel),
        "currency": db.s(sale.market.currency),
        "expires_at": _expiry(now, ORDER_FOR),
    }


def _seen_row(sale: Sale, now: datetime) -> Item:
    return {**db.key(f"SEEN#{sale.event_id}", "SEEN"), "expires_at": _expiry(now, SEEN_FOR)}


def _expiry(now: datetime, kept: timedelta) -> db.AttributeValue:
    return db.n(int((now + kept).timestamp()))


def _order_key(order_id: str) -> Item:
    return db.key(f"ORDER#{order_id}", "ORDER")


def _day_key(day: date, market: Market) -> Item:
    return db.key(
        f"SALES#{day.isoformat()[:7]}", f"{day.isoformat()}#{market.channel}#{market.currency}"
    )


def _read(item: Item) -> DayOfSales:
    day, _, market = db.text(item, "SK").partition("#")
    channel, _, currency = market.rpartition("#")
    figures = {name: db.number(item, name) for name in FIGURES if name in item}
    return DayOfSales(day, channel, currency, figures)


def _months(first: date, last: date) -> Iterator[str]:
    for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield f"{month // 12:04}-{month % 12 + 1:02}"
