"""Which kits a stock item is a part of, in the channels table.

KITS#<item> / <kit>    by the identities of both; a kit that has lost the part may still be there
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from oms.adapters.dynamodb import DynamoDB, client, key, query, s, text
from oms.domain.items import StockItem
from oms.settings import setting


class KitsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def note(self, kit: StockItem) -> None:
        for part in kit.components:
            row = key(f"KITS#{part.item}", kit.item)
            self._client.put_item(TableName=self._table, Item=row)

    def with_part(self, items: Iterable[str]) -> set[str]:
        return {kit for item in items for kit in self._of(item)}

    def _of(self, item: str) -> set[str]:
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(f"KITS#{item}")},
        )
        return {text(row, "SK") for row in rows}


@cache
def kits_table() -> KitsTable:
    return KitsTable(client(), setting("CHANNELS_TABLE"))
