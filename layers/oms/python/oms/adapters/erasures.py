"""The register of erasures, in the table of the keys: no restore of another table undoes it.

ERASING / <customer_id>   what was asked for, as far as it is done; its keys are not destroyed yet
ERASED / <customer_id>    the last erasure of the person that is done
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.person_keys import Named
from oms.contracts import codec
from oms.domain.errors import Contended
from oms.settings import setting

ERASING, ERASED = "ERASING", "ERASED"


@dataclass(frozen=True, slots=True)
class Erasure:
    """`identities`: all that the person was known as. `keys` are destroyed with it, `files` are
    deleted; `counts`: what was there of each kind; `times`: how often the person was erased;
    `taken_at`: its keys were retired then, and all rows and files went."""

    customer_id: str
    identities: tuple[str, ...]
    asked_at: datetime
    actor: str
    keys: tuple[Named, ...]
    files: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    destroyed_at: datetime | None = None
    times: int = 1
    taken_at: datetime | None = None

    @property
    def beside(self) -> tuple[str, ...]:
        """Names of keys that are no person's: of drafts and messages."""
        return tuple(each.name for each in self.keys if each.name not in self.identities)

    def counted(self, found: Mapping[str, int]) -> Erasure:
        kinds = {*self.counts, *found}
        both = {kind: self.counts.get(kind, 0) + found.get(kind, 0) for kind in sorted(kinds)}
        return replace(self, counts=both)


class Erasures:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def pending(self, customer_id: str) -> Erasure | None:
        return self._find(ERASING, customer_id)

    def done(self, customer_id: str) -> Erasure | None:
        return self._find(ERASED, customer_id)

    def begin(self, erasure: Erasure) -> Erasure:
        """The first to ask begins it; Contended where somebody else was faster."""
        before = self.done(erasure.customer_id)
        new = replace(erasure, times=before.times + 1 if before else 1)
        put = {**self._row(ERASING, new), "ConditionExpression": "attribute_not_exists(PK)"}
        busy = Contended("the person is being erased; ask again")
        db.transact(self._client, [Write({"Put": put}, lambda _: busy)])
        return new

    def save(self, erasure: Erasure) -> None:
        self._client.put_item(**self._row(ERASING, erasure))

    def finish(self, erasure: Erasure, at: datetime) -> Erasure:
        """Its keys are destroyed."""
        done = replace(erasure, destroyed_at=at)
        gone = {"TableName": self._table, "Key": db.key(ERASING, done.customer_id)}
        db.transact(
            self._client, [Write({"Put": self._row(ERASED, done)}), Write({"Delete": gone})]
        )
        return done

    def all_pending(self) -> Iterator[Erasure]:
        return self._all(ERASING)

    def all_done(self) -> Iterator[Erasure]:
        return self._all(ERASED)

    def _all(self, state: str) -> Iterator[Erasure]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(state)},
            ConsistentRead=True,
        )
        return map(_read, rows)

    def _find(self, state: str, customer_id: str) -> Erasure | None:
        row = db.get_row(self._client, self._table, db.key(state, customer_id))
        return _read(row) if row else None

    def _row(self, state: str, erasure: Erasure) -> dict[str, Any]:
        item = db.key(state, erasure.customer_id) | {"body": db.pack(codec.encode(erasure))}
        return {"TableName": self._table, "Item": item}


@cache
def erasures() -> Erasures:
    return Erasures(db.client(), setting("KEYS_TABLE"))


def _read(row: Item) -> Erasure:
    return codec.decode(db.unpack(row["body"]), Erasure)
