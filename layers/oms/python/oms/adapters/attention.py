"""The orders, and returns, that wait for a person's decision, the oldest first.

    ORDER#<order_id> / ATTENTION[#<return_id>]     GSI3PK = ATTENTION, at = since when

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
ROW = "ATTENTION"


@dataclass(frozen=True, slots=True)
class Waiting:
    """`return_id`: where it is not the order itself."""

    order_id: str
    since: datetime
    return_id: str = ""


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
    had, have = _needing(before), _needing(after)
    for name in sorted(have - had):
        item = {**_key(after, name), "GSI3PK": db.s(PARTITION), "at": db.s(_instant(at))}
        yield Write({"Put": {"TableName": table, "Item": item}})
    for name in sorted(had - have):
        yield Write({"Delete": {"TableName": table, "Key": _key(after, name)}})


def _needing(order: Order) -> set[str]:
    """Sort keys of their rows: of the order, and of its returns."""
    of_returns = {f"{ROW}#{each.return_id}" for each in order.returns if each.attention}
    return of_returns | ({ROW} if order.attention else set())


def _key(order: Order, name: str) -> Item:
    return db.key(f"ORDER#{order.order_id}", name)


@cache
def attention_list() -> AttentionList:
    return AttentionList(db.client(), setting("ORDERS_TABLE"))


def _waiting(item: Item) -> Waiting:
    since = datetime.strptime(db.text(item, "at") + "+0000", "%Y%m%dT%H%M%S%f%z")
    return_id = db.text(item, "SK").partition("#")[2]
    return Waiting(db.text(item, "PK").removeprefix("ORDER#"), since, return_id)


def _cursor(last: Mapping[str, db.AttributeValue]) -> str:
    return encode_cursor({name: last[name]["S"] for name in ("PK", "SK", "at")})


def _start(cursor: str) -> Item:
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "SK", "at"} or not given["at"]:
        raise BadCursor
    if not (given["PK"].startswith("ORDER#") and given["SK"].partition("#")[0] == ROW):
        raise BadCursor
    key = {**given, "GSI3PK": PARTITION}
    return {name: db.s(value) for name, value in key.items()}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S") + f"{at.microsecond // 1000:03d}"
