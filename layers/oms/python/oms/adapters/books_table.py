"""Tasks in the reports table.

TASK#<task_id> / TASK                    the task
TASKS#open / <found_at>#<task_id>        where it is listed while somebody has to do something,
TASKS#closed / <found_at>#<task_id>      and afterwards

A task is written under a condition on its version, together with the row that lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.stock_rows import stamp
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor, sort_key
from oms.domain.books.tasks import Found, Task
from oms.domain.errors import Contended, NotFound, OmsError
from oms.settings import setting

ATTEMPTS = 10
TASKS, OPEN, CLOSED = "TASKS#", "open", "closed"
LISTS = (f"{TASKS}{OPEN}", f"{TASKS}{CLOSED}")
FIRST = " "  # sorts before what a list has


class _Moved(OmsError):
    """Somebody else has written the task since it was read."""


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Open ones first, each list oldest first; `cursor` is None on the last page."""

    tasks: tuple[Task, ...]
    cursor: str | None


class Tasks:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def get(self, task_id: str) -> Task:
        if (task := self.find(task_id)) is None:
            raise NotFound("task", task_id)
        return task

    def find(self, task_id: str) -> Task | None:
        row = db.get_row(self._client, self._table, _task_key(task_id))
        return _read(row) if row else None

    def found(self, found: Found, at: datetime) -> Task:
        """The task of this difference: a new one, or the known one as it looks now."""
        for _ in range(ATTEMPTS):
            known = self.find(found.task_id)
            task = known.seen(found, at) if known else Task.of(found, at)
            try:
                return self._written(known, task)
            except _Moved:
                continue
        raise Contended(f"task {found.task_id} is written by others all the time")

    def gone(self, task_id: str, at: datetime) -> Task:
        return self.change(task_id, lambda task: task.gone(at))

    def change(self, task_id: str, how: Callable[[Task], Task]) -> Task:
        """Change it, again if somebody else has meanwhile; what `how` leaves alone is not
        written."""
        for _ in range(ATTEMPTS):
            task = self.get(task_id)
            try:
                return self._written(task, how(task))
            except _Moved:
                continue
        raise Contended(f"task {task_id} is written by others all the time")

    def page(
        self, limit: int, cursor: str | None = None, kind: str = "", state: str = ""
    ) -> TaskPage:
        """`state`: `open` or `closed` ones alone. With a `kind`, those of it alone; a page may then
        have fewer, and another follow."""
        name, start = _start(cursor) if cursor else (f"{TASKS}{state or OPEN}", None)
        if state and name != f"{TASKS}{state}":
            raise BadCursor
        rows, last = self._listed(name, limit, start, kind)
        following = _cursor(last) if last else None
        if following is None and name == f"{TASKS}{OPEN}" and not state:
            following = encode_cursor({"PK": f"{TASKS}{CLOSED}", "SK": FIRST})
            if not rows:
                return self.page(limit, following, kind)
        return TaskPage(self._many(rows), following)

    def open_page(self, limit: int, cursor: str | None = None) -> TaskPage:
        """Of those that are undecided alone."""
        start = _start(cursor)[1] if cursor else None
        rows, last = self._listed(f"{TASKS}{OPEN}", limit, start, "")
        return TaskPage(self._many(rows), _cursor(last) if last else None)

    def count_open(self, *kinds: str) -> int:
        """All, or those of these kinds; read page by page."""
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(f"{TASKS}{OPEN}")},
            ProjectionExpression="kind",
        )
        return sum(1 for row in rows if not kinds or db.text(row, "kind") in kinds)

    def _listed(
        self, name: str, limit: int, start: Item | None, kind: str
    ) -> tuple[list[Item], Item | None]:
        only = {"FilterExpression": "kind = :kind"} if kind else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={
                ":pk": db.s(name),
                **({":kind": db.s(kind)} if kind else {}),
            },
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
            **only,
        )
        return answer["Items"], answer.get("LastEvaluatedKey")

    def _many(self, listed: Sequence[Item]) -> tuple[Task, ...]:
        return self.many([db.text(row, "SK").rpartition("#")[2] for row in listed])

    def many(self, ids: Sequence[str]) -> tuple[Task, ...]:
        """In the order of their ids; those that are there."""
        keys = [_task_key(task_id) for task_id in ids]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        by_id = {task.task_id: task for task in map(_read, rows)}
        return tuple(by_id[task_id] for task_id in ids if task_id in by_id)

    def _written(self, known: Task | None, task: Task) -> Task:
        if known == task:
            return task
        written = replace(task, version=known.version + 1 if known else 1)
        db.transact(self._client, list(self._writes(known, written)))
        return written

    def _writes(self, known: Task | None, task: Task) -> Iterable[Write]:
        put = {"TableName": self._table, "Item": _row(task), **_condition(known)}
        yield Write({"Put": put}, lambda _: _Moved(task.task_id))
        if known is None or _listed_key(known) != _listed_key(task):
            listed = {**_listed_key(task), "kind": db.s(task.kind)}
            yield Write({"Put": {"TableName": self._table, "Item": listed}})
            if known is not None:
                yield Write({"Delete": {"TableName": self._table, "Key": _listed_key(known)}})


@cache
def tasks() -> Tasks:
    return Tasks(db.client(), setting("REPORTS_TABLE"))


def _condition(known: Task | None) -> dict[str, object]:
    if known is None:
        return {"ConditionExpression": "attribute_not_exists(PK)"}
    return {
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": db.n(known.version)},
    }


def _row(task: Task) -> Item:
    body = {"body": db.pack(codec.encode(task)), "version": db.n(task.version)}
    return {**_task_key(task.task_id), **body}


def _read(row: Item) -> Task:
    return codec.decode(db.unpack(row["body"]), Task)


def _task_key(task_id: str) -> Item:
    return db.key(f"TASK#{task_id}", "TASK")


def _listed_key(task: Task) -> Item:
    listed = LISTS[0] if task.is_open else LISTS[1]
    return db.key(listed, f"{stamp(task.found_at)}#{task.task_id}")


def _cursor(last: Item) -> str:
    return encode_cursor({name: db.text(last, name) for name in ("PK", "SK")})


def _start(cursor: str) -> tuple[str, Item]:
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "SK"} or given["PK"] not in LISTS:
        raise BadCursor
    return given["PK"], db.key(given["PK"], sort_key(given["SK"]))
