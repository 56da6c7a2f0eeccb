"""Shops, and what their platforms call our items, in the channels table.

SHOPS / <name>                        the shop
SKUS#<name> / <platform's own id>     the SKU that a variant of theirs is here
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from oms.adapters.dynamodb import (
    DynamoDB,
    batch_get,
    client,
    get_row,
    key,
    pack,
    query,
    s,
    text,
    unpack,
)
from oms.contracts import codec
from oms.domain.errors import NotFound
from oms.domain.shops import Shop
from oms.settings import setting

SHOPS = "SHOPS"


class ShopsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def get(self, name: str) -> Shop:
        if (found := self.find(name)) is None:
            raise NotFound("shop", name)
        return found

    def find(self, name: str) -> Shop | None:
        row = get_row(self._client, self._table, key(SHOPS, name))
        return codec.decode(unpack(row["body"]), Shop) if row else None

    def all(self) -> tuple[Shop, ...]:
        """By their names."""
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(SHOPS)},
            ConsistentRead=True,
        )
        return tuple(codec.decode(unpack(row["body"]), Shop) for row in rows)

    def put(self, shop: Shop) -> None:
        """The last word counts."""
        row = {**key(SHOPS, shop.name), "body": pack(codec.encode(shop))}
        self._client.put_item(TableName=self._table, Item=row)

    def map_sku(self, name: str, theirs: str, sku: str) -> None:
        """What is theirs is this SKU from now on; the last word counts."""
        row = {**key(f"SKUS#{name}", theirs), "sku": s(sku)}
        self._client.put_item(TableName=self._table, Item=row)

    def skus(self, name: str, theirs: Iterable[str]) -> Mapping[str, str]:
        """Ours by theirs, of those that are mapped."""
        keys = [key(f"SKUS#{name}", each) for each in sorted(set(theirs))]
        rows = batch_get(self._client, self._table, keys) if keys else []
        return {text(row, "SK"): text(row, "sku") for row in rows}


@cache
def shops_table() -> ShopsTable:
    return ShopsTable(client(), setting("CHANNELS_TABLE"))
