"""Deadlines in the stock table: written with what they belong to, looked at every minute.

DUE#<shard> / <instant>#<kind>#<subject>
PARCELS#<shard> / …                         likewise, of those who ask other systems and may be slow

Whoever acts on one looks at its subject first: a row may be early, late or for nothing, as when the
subject's deadline was moved after the row was tried in vain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.adapters.dynamodb import DynamoDB, Item, Write, client, key, n, number, s, text, transact
from oms.adapters.stock_rows import instant, stamp
from oms.domain.agenda import Due
from oms.domain.errors import OmsError
from oms.settings import setting

SHARDS = 8
DUE, PARCELS = "DUE", "PARCELS"
AFTER = "~"  # follows every character of a row's instant


class NotDue(OmsError):
    """Somebody else has removed or moved the row."""


class Agenda:
    def __init__(self, client: DynamoDB, table_name: str, name: str = DUE) -> None:
        self._client, self._table, self._name = client, table_name, name

    def writes(self, kind: str, subject: str, at: datetime, tries: int = 0) -> list[Write]:
        """Have the subject looked at then; for the transaction that makes it necessary."""
        item = {**self._key(Due(kind, subject, at)), **({"tries": n(tries)} if tries else {})}
        return [Write({"Put": {"TableName": self._table, "Item": item}})]

    def removal(self, kind: str, subject: str, at: datetime) -> list[Write]:
        """It need not be looked at then; nor need it be there."""
        return [self._delete(Due(kind, subject, at))]

    def due(self, now: datetime, limit: int) -> list[Due]:
        """What is due by now, the oldest first; each shard gives as much as it can."""
        with ThreadPoolExecutor(SHARDS) as threads:
            shards = threads.map(lambda shard: self._due_of(shard, now, limit), range(SHARDS))
            found = [entry for shard in shards for entry in shard]
        return sorted(found, key=lambda entry: entry.at)[:limit]

    def overdue(self, before: datetime) -> int:
        """How many should have been done before then."""
        return sum(sum(self._counts(shard, before)) for shard in range(SHARDS))

    def done(self, entry: Due) -> None:
        self._client.delete_item(TableName=self._table, Key=self._key(entry))

    def move(self, entry: Due, later: Due) -> None:
        """In one transaction, and only while the row is where it was."""
        taken = self._delete(entry, "attribute_exists(PK)")
        put = self.writes(later.kind, later.subject, later.at, later.tries)
        transact(self._client, [taken, *put])

    def _delete(self, entry: Due, condition: str = "") -> Write:
        guarded = {"ConditionExpression": condition} if condition else {}
        delete = {"TableName": self._table, "Key": self._key(entry), **guarded}
        return Write({"Delete": delete}, lambda _: NotDue(entry.subject))

    def _key(self, entry: Due) -> Item:
        digest = hashlib.sha256(entry.subject.encode()).digest()
        sort = f"{stamp(entry.at)}#{entry.kind}#{entry.subject}"
        return key(f"{self._name}#{digest[0] % SHARDS}", sort)

    def _due_of(self, shard: int, now: datetime, limit: int) -> list[Due]:
        answer = self._client.query(**self._until(shard, now), Limit=limit, ConsistentRead=True)
        return [_read(item) for item in answer["Items"]]

    def _counts(self, shard: int, before: datetime) -> Iterator[int]:
        request = self._until(shard, before) | {"Select": "COUNT"}
        while True:
            answer = self._client.query(**request)
            yield answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _until(self, shard: int, now: datetime) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk AND SK <= :now",
            "ExpressionAttributeValues": {
                ":pk": s(f"{self._name}#{shard}"),
                ":now": s(stamp(now) + AFTER),
            },
        }


class Failures:
    """The dead letters of the agenda: their alarm wakes a person."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def tell(self, entry: Due) -> None:
        said = {"kind": entry.kind, "subject": entry.subject, "tries": entry.tries}
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(said))


@cache
def failures() -> Failures:
    return Failures(aws.client("sqs"), setting("AGENDA_FAILURES"))


@cache
def agenda() -> Agenda:
    return Agenda(client(), setting("STOCK_TABLE"))


@cache
def parcels_agenda() -> Agenda:
    return Agenda(client(), setting("STOCK_TABLE"), PARCELS)


def _read(item: Item) -> Due:
    at, kind, subject = text(item, "SK").split("#", 2)
    return Due(kind, subject, instant(at), number(item, "tries") if "tries" in item else 0)
