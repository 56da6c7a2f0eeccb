"""Checks of the books in the reports table, and what one must remember from phase to phase.

CHECKS / <check_id>                     a check; ids sort by when it began
CHECK#<check_id> / FOUND#<task_id>      a difference that it has found
PILE#<check_id>#<pile> / <step>#<n>     what steps have put on a pile: JSON, a list
BOOKS / <name>                          where something that goes on for ever has come to

A check is moved under a condition on its version: of two who work on it, one goes on. What a step
has put on its piles is put there again when the step is done again, at the same places.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor, sort_key
from oms.domain.books.checks import Check
from oms.domain.errors import NotFound, OmsError
from oms.domain.ids import name_of
from oms.settings import setting

PARTITION = "CHECKS"
KEEP = timedelta(days=90)
KEEP_PILES = timedelta(days=7)
ENTRIES = 2_000  # of a pile in one row
THREADS = 8

Piles = Mapping[str, Sequence[Any]]


class Overtaken(OmsError):
    """Somebody else has moved the check since it was read."""


@dataclass(frozen=True, slots=True)
class FoundPage:
    task_ids: tuple[str, ...]
    cursor: str | None


class ChecksTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def begin(self, check: Check) -> Check:
        """Asked for again under the same id, the one that is there."""
        try:
            db.transact(self._client, [self._put(check, None)])
        except Overtaken:
            return self.get(check.check_id)
        return check

    def get(self, check_id: str) -> Check:
        if (row := db.get_row(self._client, self._table, db.key(PARTITION, check_id))) is None:
            raise NotFound("check", check_id)
        return _read(row)

    def newest_first(self) -> Iterator[Check]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(PARTITION)},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=10,
        )
        return map(_read, rows)

    def running(self) -> Check | None:
        return next((c for c in islice(self.newest_first(), 10) if not c.is_done), None)

    def last_done(self) -> Check | None:
        return next((check for check in islice(self.newest_first(), 50) if check.is_done), None)

    def save(self, read: Check, moved: Check) -> Check:
        moved = replace(moved, version=read.version + 1)
        db.transact(self._client, [self._put(moved, read.version)])
        return moved

    def note(self, check: Check, task_ids: Iterable[str]) -> None:
        expires = _expiry(check.began_at + KEEP)
        self._put_all(
            {**db.key(f"CHECK#{check.check_id}", f"FOUND#{task_id}"), **expires}
            for task_id in task_ids
        )

    def noted(self, check_id: str, limit: int, cursor: str | None = None) -> FoundPage:
        pk = f"CHECK#{check_id}"
        start = {"ExclusiveStartKey": db.key(pk, _sort_key(cursor))} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(pk)},
            ConsistentRead=True,
            Limit=limit,
            **start,
        )
        ids = tuple(db.text(row, "SK").removeprefix("FOUND#") for row in answer["Items"])
        last = answer.get("LastEvaluatedKey")
        return FoundPage(ids, encode_cursor({"SK": db.text(last, "SK")}) if last else None)

    def pile(self, check: Check, piles: Piles) -> None:
        """As what the check's next step puts on them; the order of entries says where."""
        expires = _expiry(check.began_at + KEEP_PILES)
        self._put_all(
            {
                **db.key(f"PILE#{check.check_id}#{name}", f"{check.steps:09d}#{start:09d}"),
                "body": db.pack(_json(entries[start : start + ENTRIES])),
                **expires,
            }
            for name, entries in piles.items()
            for start in range(0, len(entries), ENTRIES)
        )

    def piled(self, check: Check, name: str) -> Iterator[Any]:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(f"PILE#{check.check_id}#{name}")},
            ConsistentRead=True,
        )
        for row in rows:
            yield from json.loads(db.unpack(row["body"]))

    def place(self, name: str) -> dict[str, Any]:
        """Where it has come to; nothing for one that has not begun."""
        row = db.get_row(self._client, self._table, db.key("BOOKS", name))
        return dict(json.loads(db.unpack(row["body"]))) if row else {}

    def keep_place(self, name: str, place: Mapping[str, Any]) -> None:
        """Two who go on at once both look; nobody is the worse for it."""
        row = {**db.key("BOOKS", name), "body": db.pack(_json(place))}
        self._client.put_item(TableName=self._table, Item=row)

    def _put(self, check: Check, read: int | None) -> Write:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
        if read is not None:
            condition = {
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": {":read": db.n(read)},
            }
        row = {
            **db.key(PARTITION, check.check_id),
            "body": db.pack(codec.encode(check)),
            "version": db.n(check.version),
            **_expiry(check.began_at + KEEP),
        }
        put = {"TableName": self._table, "Item": row, **condition}
        return Write({"Put": put}, lambda _: Overtaken(check.check_id))

    def _put_all(self, rows: Iterable[Item]) -> None:
        """So many at a time, however many there are."""
        rest = iter(rows)
        with ThreadPoolExecutor(THREADS) as threads:
            while some := list(islice(rest, 8 * THREADS)):
                list(threads.map(self._put_row, some))

    def _put_row(self, row: Item) -> None:
        self._client.put_item(TableName=self._table, Item=row)


@cache
def checks_table() -> ChecksTable:
    return ChecksTable(db.client(), setting("REPORTS_TABLE"))


def check_id_of(at: datetime, seed: str) -> str:
    """Ids sort by time; the same key of the same moment is the same check."""
    return f"chk_{at:%Y%m%d%H%M%S}{name_of(seed)[:12]}"


def _read(row: Item) -> Check:
    return codec.decode(db.unpack(row["body"]), Check)


def _expiry(at: datetime) -> Item:
    return {"expires_at": db.n(int(at.timestamp()))}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _sort_key(cursor: str) -> str:
    given = sort_key(decode_cursor(cursor).get("SK", ""))
    if not given.startswith("FOUND#"):
        raise BadCursor
    return given
