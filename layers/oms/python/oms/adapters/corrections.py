"""What mends an order's rows: its snapshot from its events, an event told again."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.bus import Bus, bus
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.order_rows import (
    event_sk,
    fact_of,
    open_shard,
    order_key,
    order_of,
    order_pk,
    snapshot,
)
from oms.contracts.events import envelope
from oms.domain.errors import Contended, NotFound
from oms.domain.order import Order
from oms.domain.waits import has_business
from oms.settings import setting


class OrderRows:
    def __init__(self, client: DynamoDB, table: str, bus: Bus) -> None:
        self._client, self._table, self._bus = client, table, bus

    def write_snapshot(self, order: Order, read: Order) -> None:
        """Under the condition that it still has the version and the body that were read."""
        row = db.get_row(self._client, self._table, order_key(order.order_id))
        if row is None:
            raise NotFound("order", order.order_id)
        if order_of(row) != read:
            raise Contended(f"order {read.order_id} has just changed")
        written = snapshot(order)
        shard = {":open": db.s(open_shard(order.order_id))} if has_business(order) else {}
        index = ", GSI3PK = :open" if shard else " REMOVE GSI3PK"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=order_key(order.order_id),
                UpdateExpression=f"SET #v = :version, #b = :body{index}",
                ConditionExpression="#v = :read AND #b = :was",
                ExpressionAttributeNames={"#v": "version", "#b": "body"},
                ExpressionAttributeValues={
                    ":version": written["version"],
                    ":body": written["body"],
                    ":read": row["version"],
                    ":was": row["body"],
                    **shard,
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise Contended(f"order {read.order_id} has just changed") from None

    def tell_again(self, order_id: str, seq: int) -> None:
        """The bus hears of the event as it was committed; who has heard it knows its id."""
        key = db.key(order_pk(order_id), event_sk(seq))
        if (row := db.get_row(self._client, self._table, key)) is None:
            raise NotFound("event", f"{order_id} {seq}")
        if self._bus.publish([envelope_of(order_id, row)]):
            raise Contended("the bus does not take it now")


@cache
def order_rows() -> OrderRows:
    return OrderRows(db.client(), setting("ORDERS_TABLE"), bus())


def envelope_of(order_id: str, row: Item) -> dict[str, Any]:
    """As the publisher tells of the row when it is new."""
    said: dict[str, Any] = {name: True for name in ("owes_stock", "at_risk") if name in row}
    body = {"data": json.loads(db.unpack(row["body"]))}
    return {**envelope(order_id, fact_of(row)), **said, **body}
