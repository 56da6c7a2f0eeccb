"""What channels have said of their orders so far, in the channels table.

HEARD#<order_id> / HEARD     written with the order that it changes, and as it was read
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.contracts import codec
from oms.domain.channel_orders import Heard
from oms.domain.errors import OmsError
from oms.settings import setting

KEPT_FOR = timedelta(days=400)  # since the channel has last said something


class Overheard(OmsError):
    """Something else was heard meanwhile; read it again."""


class HeardTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def get(self, order_id: str) -> Heard:
        row = db.get_row(self._client, self._table, _key(order_id))
        return codec.decode(db.unpack(row["body"]), Heard) if row else Heard()

    def write(self, order_id: str, heard: Heard, at: datetime) -> Write:
        """For the transaction that does what was heard; in the place of the version before."""
        new = replace(heard, version=heard.version + 1)
        put = {
            "TableName": self._table,
            "Item": {
                **_key(order_id),
                "version": db.n(new.version),
                "body": db.pack(codec.encode(new)),
                "expires_at": db.n(int((at + KEPT_FOR).timestamp())),
            },
            "ConditionExpression": "attribute_not_exists(PK) OR version = :seen",
            "ExpressionAttributeValues": {":seen": db.n(heard.version)},
        }
        return Write({"Put": put}, lambda _: Overheard(order_id))

    def keep(self, order_id: str, heard: Heard, at: datetime) -> None:
        db.transact(self._client, [self.write(order_id, heard, at)])


@cache
def heard_table() -> HeardTable:
    return HeardTable(db.client(), setting("CHANNELS_TABLE"))


def _key(order_id: str) -> Item:
    return db.key(f"HEARD#{order_id}", "HEARD")
