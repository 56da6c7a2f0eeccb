"""How far shops were asked for what webhooks have lost, in the channels table.

POLL#<shop> / CURSOR     moved when all that came before it was done, and as it was read
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.contracts import codec
from oms.domain.errors import OmsError
from oms.settings import setting


class Overtaken(OmsError):
    """Somebody else asks the same shop."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`since`: what is asked for now has changed since then; `begun`: when that was begun, None
    between two rounds. `cursor` continues it. `not_before`: the shop wants to be left alone until
    then. `error`: why the last try ended early."""

    version: int = 0
    since: datetime | None = None
    begun: datetime | None = None
    cursor: str = ""
    not_before: datetime | None = None
    error: str = ""


class PollCursors:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def get(self, shop: str) -> Progress:
        row = db.get_row(self._client, self._table, _key(shop))
        return codec.decode(db.unpack(row["body"]), Progress) if row else Progress()

    def save(self, shop: str, progress: Progress) -> Progress:
        """In the place of the version before. Raises Overtaken."""
        new = replace(progress, version=progress.version + 1)
        put = {
            "TableName": self._table,
            "Item": {
                **_key(shop),
                "version": db.n(new.version),
                "body": db.pack(codec.encode(new)),
            },
            "ConditionExpression": "attribute_not_exists(PK) OR version = :seen",
            "ExpressionAttributeValues": {":seen": db.n(progress.version)},
        }
        db.transact(self._client, [Write({"Put": put}, lambda _: Overtaken(shop))])
        return new


@cache
def poll_cursors() -> PollCursors:
    return PollCursors(db.client(), setting("CHANNELS_TABLE"))


def _key(shop: str) -> Item:
    return db.key(f"POLL#{shop}", "CURSOR")
