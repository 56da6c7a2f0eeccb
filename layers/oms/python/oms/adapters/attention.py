"""The orders that wait for a person's decision, the oldest first.

    ORDER#<order_id> / ATTENTION     GSI3PK = ATTENTION, at = since when

The row comes and goes in the transaction that changes the order: a final order can need a
decision too, and an index over open orders would not show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.order import Order
from oms.settings import setting

PARTITION = "ATTENTION"


@dataclass(frozen=True, slots=True)
class Waiting:
    order_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WaitingPage:
    orders: tuple[Waiting, ...]
    cursor: str | None


class AttentionList:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def page(self, limit: int, cursor: str | None = None) -> WaitingPage:
        start = {"ExclusiveStartKey": _start(cursor)} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName="GSI3",
            KeyConditionExpression="GSI3PK = :pk",
            ExpressionAttributeValues={":pk": db.s(PARTITION)},
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        found = tuple(_waiting(item) for item in answer["Items"])
        return WaitingPage(found, _cursor(last) if last else None)


def attention_writes(table: str, before: Order, after: Order, at: datetime) -> Iterator[Write]:
    """What keeps the list true when the order changes so."""
    key = db.key(f"ORDER#{after.order_id}", "ATTENTION")
    if after.attention and not before.attention:
        item = {**key, "GSI3PK": db.s(PARTITION), "at": db.s(_instant(at))}
        yield Write({"Put": {"TableName": table, "Item": item}})
    elif before.attention and not after.attention:
        yield Write({"Delete": {"TableName": table, "Key": key}})


@cache
def attention_list() -> AttentionList:
    return AttentionList(db.client(), setting("ORDERS_TABLE"))


def _waiting(item: Item) -> Waiting:
    since = datetime.strptime(db.text(item, "at") + "+0000", "%Y%m%dT%H%M%S%f%z")
    return Waiting(db.text(item, "PK").removeprefix("ORDER#"), since)


def _cursor(last: Mapping[str, db.AttributeValue]) -> str:
    return encode_cursor({"PK": last["PK"]["S"], "at": last["at"]["S"]})


def _start(cursor: str) -> Item:
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "at"} or not given["PK"].startswith("ORDER#") or not given["at"]:
        raise BadCursor
    key = {"PK": given["PK"], "SK": "ATTENTION", "GSI3PK": PARTITION, "at": given["at"]}
    return {name: db.s(value) for name, value in key.items()}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S") + f"{at.microsecond // 1000:03d}"
