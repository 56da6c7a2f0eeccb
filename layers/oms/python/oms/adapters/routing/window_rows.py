"""Who waits for the end of a short window, to be routed with others that want the same scarce item.

WINDOW#<its end> / <order_id>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from oms.adapters.agenda import Agenda, agenda
from oms.adapters.dynamodb import DynamoDB, Write, client, key, query, s, text
from oms.adapters.stock_rows import stamp
from oms.domain.agenda import DueKind
from oms.settings import setting

WINDOW = "WINDOW#"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Windows:
    """Windows by their names, which say when they end."""

    def __init__(self, client: DynamoDB, table_name: str, agenda: Agenda) -> None:
        self._client, self._table, self._agenda = client, table_name, agenda

    def writes(self, order_id: str, until: datetime) -> list[Write]:
        """Let the order wait until then; for the transaction that defers the order."""
        name = stamp(until)
        put = {"TableName": self._table, "Item": key(f"{WINDOW}{name}", order_id)}
        return [Write({"Put": put}), *self._agenda.writes(DueKind.ROUTING_WINDOW, name, until)]

    def waiting(self, name: str) -> list[str]:
        """Ids of the orders that wait for its end."""
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(f"{WINDOW}{name}")},
            ConsistentRead=True,
        )
        return [text(row, "SK") for row in rows]

    def forget(self, name: str, order_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=key(f"{WINDOW}{name}", order_id))


def window_end(at: datetime, seconds: int) -> datetime:
    """Windows follow each other: whoever comes within one waits for the same end."""
    length = timedelta(seconds=seconds)
    return EPOCH + ((at - EPOCH) // length + 1) * length


@cache
def windows() -> Windows:
    return Windows(client(), setting("STOCK_TABLE"), agenda())
