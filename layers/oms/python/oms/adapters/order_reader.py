"""Orders, read: one at a time, many, their histories, and by the ways they are found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.order_rows import (
    DECISION,
    INSTRUMENTS,
    OPEN_SHARDS,
    event_sk,
    fact_of,
    instant,
    moment,
    order_key,
    order_of,
    order_pk,
    tracking_pk,
    wait_key,
)
from oms.contracts.cursors import BadCursor
from oms.domain.errors import NotFound
from oms.domain.order import Fact, Order, cause_of
from oms.settings import setting


@dataclass(frozen=True, slots=True)
class EventPage:
    facts: tuple[Fact, ...]
    last_seq: int | None


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Keys found by an index, and where to go on; None at the end."""

    keys: tuple[tuple[str, str], ...]
    start: dict[str, Any] | None


class OrderReader:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def token(self, order_id: str, wait: str) -> str | None:
        item = self._item(wait_key(order_id, wait))
        return None if item is None else db.text(item, "token")

    def get(self, order_id: str) -> Order:
        return order_of(self._row(order_id))

    def glance(self, order_id: str) -> Order:
        """Perhaps a moment old, at half the price: to show it, or where the write will check."""
        return order_of(self._row(order_id, consistent=False))

    def with_instruments(self, order_id: str) -> tuple[Order, dict[str, str]]:
        """The providers' tokens of authorizations that have no answer yet, by operation."""
        row = self._row(order_id)
        return order_of(row), json.loads(row[INSTRUMENTS]["S"]) if INSTRUMENTS in row else {}

    def many(self, order_ids: Iterable[str]) -> dict[str, Order]:
        keys = [order_key(order_id) for order_id in dict.fromkeys(order_ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {order.order_id: order for order in map(order_of, rows)}

    def history(self, order_id: str, after: int = 0, limit: int = 100) -> EventPage:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :from AND :to",
            ExpressionAttributeValues={
                ":pk": db.s(order_pk(order_id)),
                ":from": db.s(event_sk(after + 1)),
                ":to": db.s("EVENT#999999"),
            },
            ConsistentRead=True,
            Limit=limit,
        )
        page = tuple(fact_of(item) for item in answer["Items"])
        more = "LastEvaluatedKey" in answer
        return EventPage(page, page[-1].seq if more else None)

    def fact(self, order_id: str, seq: int) -> Fact:
        item = self._item(db.key(order_pk(order_id), event_sk(seq)))
        if item is None:
            raise NotFound("event", cause_of(order_id, seq))
        return fact_of(item)

    def whole_history(self, order_id: str) -> tuple[Fact, ...]:
        found: tuple[Fact, ...] = ()
        after: int | None = 0
        while after is not None:
            page = self.history(order_id, after)
            found, after = (*found, *page.facts), page.last_seq
        return found

    def decisions(self, order_id: str) -> Iterator[tuple[Fact, bytes]]:
        """Facts that were decided by routing, each with what was kept of the decision."""
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            FilterExpression="attribute_exists(#decision)",
            ExpressionAttributeNames={"#decision": DECISION},
            ExpressionAttributeValues={":pk": db.s(order_pk(order_id)), ":event": db.s("EVENT#")},
            ConsistentRead=True,
        )
        return ((fact_of(row), db.unpack(row[DECISION])) for row in rows)

    def by_customer(self, customer_id: str, **how: Any) -> KeyPage:
        return self._index("GSI1", f"CUSTOMER#{customer_id}", **how)

    def listed(
        self, customer_id: str, until: datetime | None, limit: int
    ) -> tuple[tuple[str, str], ...]:
        """The customer's orders, each with the instant that it was placed at, newest first."""
        request = self._listed("GSI1", f"CUSTOMER#{customer_id}", None, until)
        answer = self._client.query(**request, ScanIndexForward=False, Limit=limit)
        return tuple(
            (db.text(item, "PK").removeprefix("ORDER#"), db.text(item, "at"))
            for item in answer["Items"]
        )

    def placed_before(self, customer_id: str, until: datetime, limit: int) -> tuple[datetime, ...]:
        """When the customer's last orders were placed, newest first; the index is a moment late."""
        request = self._listed("GSI1", f"CUSTOMER#{customer_id}", None, until)
        answer = self._client.query(**request, ScanIndexForward=False, Limit=limit)
        return tuple(moment(db.text(item, "at")) for item in answer["Items"])

    def by_day(self, day: date, **how: Any) -> KeyPage:
        return self._index("GSI2", f"DAY#{day:%Y-%m-%d}", **how)

    def by_location(self, location_id: str, *, in_warehouse: bool, **how: Any) -> KeyPage:
        """Fulfillment orders of a location, newest first; or only those still to be shipped."""
        if in_warehouse:
            return self._index("GSI3", f"WORK#{location_id}", **how)
        return self._index("GSI1", f"LOCATION#{location_id}", **how)

    def open_orders(self, before: datetime) -> Iterator[str]:
        """Orders placed before the instant that have business left, in bounded memory."""
        for shard in range(OPEN_SHARDS):
            start: dict[str, Any] | None = None
            while True:
                page = self._index(
                    "GSI3", f"OPEN#{shard}", until=before, start=start, newest_first=False
                )
                yield from (pk.removeprefix("ORDER#") for pk, _ in page.keys)
                if (start := page.start) is None:
                    break

    def oldest_open(self, each: int) -> Iterator[str]:
        """So many of each shard, the oldest of it first."""
        for shard in range(OPEN_SHARDS):
            page = self._index("GSI3", f"OPEN#{shard}", limit=each, newest_first=False)
            yield from (pk.removeprefix("ORDER#") for pk, _ in page.keys)

    def oldest_work(self, location_id: str, limit: int) -> Iterator[str]:
        """Orders of which the location has something to ship, the oldest work first."""
        page = self.by_location(location_id, in_warehouse=True, limit=limit, newest_first=False)
        yield from (pk.removeprefix("ORDER#") for pk, _ in page.keys)

    def all_orders(self) -> Iterator[Order]:
        """Every order, by a scan in bounded memory; for the books, not for pages."""
        rows = db.scan(
            self._client,
            TableName=self._table,
            FilterExpression="SK = :order",
            ExpressionAttributeValues={":order": db.s("ORDER")},
        )
        return map(order_of, rows)

    def parcels(self, carrier: str, tracking_number: str) -> tuple[str, ...]:
        """Fulfillment orders that shipped under this number, and returns whose label has it;
        carriers use a number again."""
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": db.s(tracking_pk(carrier, tracking_number)),
                ":first": db.s("ful_"),
                ":last": db.s("ret_~"),
            },
            ConsistentRead=True,
        )
        return tuple(db.text(row, "SK") for row in rows)

    def _index(
        self,
        index: str,
        partition: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        start: dict[str, Any] | None = None,
        limit: int = 50,
        newest_first: bool = True,
    ) -> KeyPage:
        request = self._listed(index, partition, since, until)
        request |= {"ScanIndexForward": not newest_first, "Limit": limit}
        answer = self._page(request, start)
        keys = tuple((db.text(item, "PK"), db.text(item, "SK")) for item in answer["Items"])
        return KeyPage(keys, answer.get("LastEvaluatedKey"))

    def _listed(
        self, index: str, partition: str, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": f"{index}PK = :pk AND #at BETWEEN :since AND :until",
            "ExpressionAttributeNames": {"#at": "at"},
            "ExpressionAttributeValues": {
                ":pk": db.s(partition),
                ":since": db.s(instant(since) if since else "0"),
                ":until": db.s(instant(until) if until else "9"),
            },
        }

    def _page(self, request: dict[str, Any], start: dict[str, Any] | None) -> dict[str, Any]:
        if start is None:
            return self._client.query(**request)
        try:
            return self._client.query(**request, ExclusiveStartKey=start)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException":
                raise BadCursor from error  # a cursor of another listing
            raise

    def _row(self, order_id: str, *, consistent: bool = True) -> Item:
        item = self._item(order_key(order_id), consistent=consistent)
        if item is None:
            raise NotFound("order", order_id)
        return item

    def _item(self, key: Item, *, consistent: bool = True) -> Item | None:
        return db.get_row(self._client, self._table, key, consistent=consistent)


@cache
def order_reader() -> OrderReader:
    return OrderReader(db.client(), setting("ORDERS_TABLE"))
