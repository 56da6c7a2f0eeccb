"""Purchase orders, transfers and what they expect: one transaction for each change of a document.

Counters, movements, the document, the expected units and the outbox are written together, under
the condition that nobody else has changed the document since it was read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Generic

from oms.adapters.agenda import Agenda
from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Pause,
    Write,
    batch_get,
    client,
    full_jitter,
    get_row,
    key,
    n,
    query,
    s,
    text,
    transact,
)
from oms.adapters.orders_table import OnceKey
from oms.adapters.stock_rows import event_row, partition
from oms.adapters.stock_table import StockTable, stock_table
from oms.adapters.supply_rows import (
    PURCHASES,
    SUPPLY,
    TRANSFERS,
    D,
    Document,
    Kind,
    SupplyKey,
    expected_quantities,
    read_accepted,
    read_supply,
    request_key,
    request_row,
    supply_key,
    supply_row,
)
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.agenda import DueKind
from oms.domain.errors import Conflict, Contended, NotFound, OmsError
from oms.domain.inventory import IdempotencyConflict
from oms.domain.supply import (
    Accepted,
    ExpectedSupply,
    PurchaseOrder,
    Step,
    Transfer,
)
from oms.domain.supply.expecting import cause_of
from oms.settings import setting

PATIENCE = 8.0  # seconds, in which others may come first
THREADS = 10
ABSENT = "attribute_not_exists(PK)"


class Overtaken(OmsError):
    """Somebody else has changed the document since it was read."""


class _AlreadyAsked(Exception):
    """The request row was there."""

    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


class _AlreadyThere(Exception):
    """The document itself was there."""

    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


class OtherDocument(Conflict):
    def __init__(self, name: str, identity: str) -> None:
        super().__init__(f"{name} {identity} is there already, and says something else")


@dataclass(frozen=True, slots=True)
class Page(Generic[D]):
    """Newest first; `cursor` leads to the next page, and is None on the last."""

    documents: tuple[D, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Done(Generic[D]):
    """The document as it is, what its receipt brought, and whether it was done now."""

    document: D
    accepted: tuple[Accepted, ...] = ()
    new: bool = True


class SupplyTable:
    def __init__(
        self, client: DynamoDB, table_name: str, stock: StockTable, pause: Pause = time.sleep
    ) -> None:
        self._client, self._table, self._stock = client, table_name, stock
        self._pause = pause

    def expected(self, items: Iterable[str]) -> dict[str, tuple[ExpectedSupply, ...]]:
        """What is expected of each stock item that is asked for, earliest first."""
        distinct = list(dict.fromkeys(items))
        with ThreadPoolExecutor(THREADS) as threads:
            return dict(zip(distinct, threads.map(self._expected_of, distinct), strict=True))

    def look_again(self, document: Document, at: datetime) -> None:
        """Whoever waits for its items may have to be told another day."""
        items = sorted({line.stock_item for line in document.lines})
        agenda = Agenda(self._client, self._table)
        due = (agenda.writes(DueKind.RETELL_DAYS, item, at) for item in items)
        transact(self._client, [write for each in due for write in each])

    def get(self, kind: Kind[D], identity: str) -> D:
        return kind.read(self._row(kind, identity))

    def page(
        self, kind: Kind[D], limit: int, status: str | None = None, cursor: str | None = None
    ) -> Page[D]:
        """Of all documents of the kind, or of those that are in this status now."""
        under = kind.listed_under(status)
        start = {"ExclusiveStartKey": _start(under, cursor)} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(under)},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        documents = self._documents(kind, answer["Items"])
        return Page(documents, _cursor(last) if last else None)

    def order(
        self,
        ordered: Step[PurchaseOrder],
        *,
        fingerprint: str,
        actor: str,
        once: OnceKey | None = None,
    ) -> Done[PurchaseOrder]:
        """A purchase order, or the one of its id that was asked for with the same words.

        What it orders is known from now on: it can be sold before it is here.
        """
        new = ordered.document
        self._begin_items(new)
        return self._add(PURCHASES, ordered, (new.location,), fingerprint, actor, once)

    def draft(
        self, drafted: Transfer, *, fingerprint: str, actor: str, once: OnceKey | None = None
    ) -> Done[Transfer]:
        """A transfer that moves nothing yet."""
        places = (drafted.source, drafted.destination)
        return self._add(TRANSFERS, Step(drafted), places, fingerprint, actor, once)

    def change(
        self,
        kind: Kind[D],
        identity: str,
        how: Callable[[D], Step[D]],
        *,
        at: datetime,
        actor: str,
        once: OnceKey | None = None,
    ) -> Done[D]:
        """Decide on the newest document and write what follows; again, if others came first.

        The same `once` is done once, and answered with what it did then.
        """
        if once is not None and (row := self._asked(once)):
            return self._answer(kind, row, once)
        deadline, attempt = time.monotonic() + PATIENCE, 0
        while time.monotonic() < deadline:
            try:
                return self._changed(kind, identity, how, at, actor, once)
            except _AlreadyAsked as asked:
                return self._answer(kind, asked.row, once)
            except Overtaken:
                self._pause(full_jitter(attempt))
                attempt += 1
        raise Contended(f"{identity} is changed all the time")

    def _changed(
        self,
        kind: Kind[D],
        identity: str,
        how: Callable[[D], Step[D]],
        at: datetime,
        actor: str,
        once: OnceKey | None,
    ) -> Done[D]:
        before = self.get(kind, identity)
        step = how(before)
        after = step.document
        if after == before:
            return Done(before, new=False)
        writes = [
            *self._once(once, after.identity, step.accepted),
            self._update(kind, before, after),
            *self._stock.writes(*(replace(each, actor=actor) for each in step.changes)),
            *self._supply_writes(expected_quantities(before), expected_quantities(after)),
            *self._told(step, at, actor),
            *self._relisted(kind, before, after),
        ]
        transact(self._client, writes)
        return Done(after, step.accepted)

    def _add(
        self,
        kind: Kind[D],
        step: Step[D],
        locations: Iterable[str],
        fingerprint: str,
        actor: str,
        once: OnceKey | None,
    ) -> Done[D]:
        new = step.document
        writes = [
            *self._once(once, new.identity, ()),
            self._create(kind, new, fingerprint),
            *map(self._stock.known_location, sorted(set(locations))),
            *self._stock.writes(*(replace(each, actor=actor) for each in step.changes)),
            *self._supply_writes({}, expected_quantities(new)),
            *self._told(step, new.created_at, actor),
            self._put(kind.list_key(new, None)),
            self._put(kind.list_key(new, new.status)),
        ]
        try:
            transact(self._client, writes)
        except _AlreadyAsked as asked:
            return self._answer(kind, asked.row, once)
        except _AlreadyThere as there:
            if text(there.row, "fingerprint") != fingerprint:
                raise OtherDocument(kind.name, new.identity) from None
            return Done(kind.read(there.row), new=False)
        return Done(new)

    def _answer(self, kind: Kind[D], row: Item, once: OnceKey | None) -> Done[D]:
        if once is None or text(row, "fingerprint") != once.fingerprint:
            raise IdempotencyConflict
        return Done(self.get(kind, text(row, "document")), read_accepted(row), new=False)

    def _asked(self, once: OnceKey) -> Item | None:
        return self._found(request_key(once))

    def _row(self, kind: Kind[D], identity: str) -> Item:
        if row := self._found(kind.key(identity)):
            return row
        raise NotFound(kind.name, identity)

    def _found(self, where: Item) -> Item | None:
        return get_row(self._client, self._table, where)

    def _documents(self, kind: Kind[D], rows: Iterable[Item]) -> tuple[D, ...]:
        keys = list(map(kind.listed, rows))
        found = batch_get(self._client, self._table, keys, ConsistentRead=True)
        by_key = {text(row, "PK"): kind.read(row) for row in found}
        return tuple(by_key[text(each, "PK")] for each in keys)

    def _begin_items(self, new: PurchaseOrder) -> None:
        """Before the order itself, whose transaction may be full; a location must be there."""
        items = {line.stock_item for line in new.lines}
        if unknown := sorted(items - self._stock.known(items)):
            begun = [self._stock.begin_item(item, new.created_at) for item in unknown]
            transact(self._client, [self._stock.known_location(new.location), *begun])

    def _once(
        self, once: OnceKey | None, identity: str, accepted: tuple[Accepted, ...]
    ) -> list[Write]:
        if once is None:
            return []
        put = self._put(request_row(once, identity, accepted), ABSENT)
        return [Write(put.item, lambda old: _AlreadyAsked(old or {}))]

    def _create(self, kind: Kind[D], new: D, fingerprint: str) -> Write:
        put = self._put(kind.row(new, fingerprint), ABSENT)
        return Write(put.item, lambda old: _AlreadyThere(old or {}))

    def _update(self, kind: Kind[D], before: D, after: D) -> Write:
        update = {
            "TableName": self._table,
            "Key": kind.key(after.identity),
            "UpdateExpression": "SET body = :body, version = :next",
            "ConditionExpression": "version = :read",
            "ExpressionAttributeValues": {
                ":body": kind.body(after),
                ":next": n(after.version),
                ":read": n(before.version),
            },
        }
        return Write({"Update": update}, lambda _: Overtaken(after.identity))

    def _supply_writes(
        self, before: dict[SupplyKey, int], after: dict[SupplyKey, int]
    ) -> Iterator[Write]:
        for at in sorted(before.keys() | after.keys()):
            if at not in after:
                yield Write({"Delete": {"TableName": self._table, "Key": supply_key(at)}})
            elif after[at] != before.get(at):
                yield self._put(supply_row(at, after[at]))

    def _told(self, step: Step[D], at: datetime, actor: str) -> Iterator[Write]:
        """One event per stock item and location: `cause` is of the document's new version."""
        cause = cause_of(step.document.reference, step.document.version)
        for event in step.events:
            yield self._put(event_row(event, cause, at, actor))

    def _relisted(self, kind: Kind[D], before: D, after: D) -> list[Write]:
        if before.status == after.status:
            return []
        old = kind.list_key(before, before.status)
        delete = Write({"Delete": {"TableName": self._table, "Key": old}})
        return [delete, self._put(kind.list_key(after, after.status))]

    def _put(self, row: Item, condition: str = "") -> Write:
        guarded = {"ConditionExpression": condition} if condition else {}
        return Write({"Put": {"TableName": self._table, "Item": row, **guarded}})

    def _expected_of(self, item: str) -> tuple[ExpectedSupply, ...]:
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :supply)",
            ExpressionAttributeValues={":pk": s(partition(item)), ":supply": s(SUPPLY)},
        )
        return tuple(read_supply(row)[1] for row in rows)


@cache
def supply_table() -> SupplyTable:
    return SupplyTable(client(), setting("STOCK_TABLE"), stock_table())


def _cursor(last: Item) -> str:
    return encode_cursor({"PK": text(last, "PK"), "SK": text(last, "SK")})


def _start(under: str, cursor: str) -> Item:
    """A cursor of another listing would begin this one anywhere."""
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "SK"} or given["PK"] != under or "#" not in given["SK"]:
        raise BadCursor
    return key(under, given["SK"])
