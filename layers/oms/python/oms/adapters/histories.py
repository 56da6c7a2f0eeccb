"""Every order beside its own history, for those who check the books."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.order_rows import fact_of, order_of
from oms.domain.order import Fact, Order
from oms.settings import setting

ORDER, EVENT = "ORDER", "EVENT#"
ORDERS_AND_EVENTS = "begins_with(PK, :orders) AND (SK = :order OR begins_with(SK, :event))"


@dataclass(frozen=True, slots=True)
class Filed:
    """`order` is the snapshot as stored; None where there are events and no snapshot.

    `unreadable` counts rows that today's code cannot read.
    """

    order_id: str
    order: Order | None
    facts: tuple[Fact, ...]
    unreadable: int = 0


class Histories:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def scan(self, after: str | None = None) -> Iterator[Filed]:
        """All orders, or those that come after this one; a scan is no snapshot of the table."""
        start = {"ExclusiveStartKey": db.key(f"ORDER#{after}", ORDER)} if after else {}
        rows = db.scan(
            self._client,
            TableName=self._table,
            FilterExpression=ORDERS_AND_EVENTS,
            ExpressionAttributeValues={
                ":orders": db.s("ORDER#"),
                ":order": db.s(ORDER),
                ":event": db.s(EVENT),
            },
            **start,
        )
        for pk, of_order in groupby(rows, key=lambda row: db.text(row, "PK")):
            yield _filed(pk.removeprefix("ORDER#"), of_order)

    def read(self, order_id: str) -> Filed:
        """Of one moment: the snapshot first, then the events that it knows of."""
        key = db.key(f"ORDER#{order_id}", ORDER)
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        snapshot = [answer["Item"]] if "Item" in answer else []
        filed = _filed(order_id, [*snapshot, *self._events(order_id)])
        known = filed.order.version if filed.order else 0
        facts = tuple(fact for fact in filed.facts if fact.seq <= known)
        return Filed(order_id, filed.order, facts, filed.unreadable)

    def _events(self, order_id: str) -> Iterator[Item]:
        return db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            ExpressionAttributeValues={":pk": db.s(f"ORDER#{order_id}"), ":event": db.s(EVENT)},
            ConsistentRead=True,
        )


@cache
def histories() -> Histories:
    return Histories(db.client(), setting("ORDERS_TABLE"))


def _filed(order_id: str, rows: Iterable[Item]) -> Filed:
    order: Order | None = None
    facts: list[Fact] = []
    unreadable = 0
    for row in rows:
        try:
            if db.text(row, "SK") == ORDER:
                order = order_of(row)
            else:
                facts.append(fact_of(row))
        except (KeyError, ValueError):  # a type that nobody knows, or a body that is none of it
            unreadable += 1
    return Filed(order_id, order, tuple(facts), unreadable)
