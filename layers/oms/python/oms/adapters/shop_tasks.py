"""What shops are still to be told, what they refused, and what they were told of late.

TASKS#<shop> / <key of the task>    the task. GSI1PK and `at` say where it is listed:
                                    WAITING#<shop>   since when it is due
                                    FAILED_TASKS     since when somebody should look at it
                                    DONE#<shop>      when it was told; `expires_at` removes it

Every change is under the condition that the task is as it was read: of two who tell the same, one
marks it. The index is a moment late: what it finds is read again before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    batch_get,
    client,
    flag,
    get_row,
    key,
    n,
    number,
    query,
    s,
    text,
)
from oms.adapters.stock_rows import instant, stamp
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.errors import NotFound
from oms.domain.shop_tasks import GIVEN_UP, Task, TaskKind, TaskState, shop_and_key
from oms.settings import setting

FAILED_TASKS = "FAILED_TASKS"
KEEP_DONE = timedelta(days=30)
REFUSED_FOR = timedelta(days=1)  # a level that a shop does not take
PAGE = 100
MAX_KEY = 1024  # bytes, of a sort key
TEXTS = ("order_id", "sku", "error", "reference")
NUMBERS = ("seq", "part")
FLAGS = ("claimed", "alarmed")
ABSENT = "attribute_not_exists(PK)"
AS_READ = "#state = :was AND since = :since AND tries = :tries"
TOUCH = (
    "SET #state = :waiting, GSI1PK = :listed, #at = :due, kind = :kind, sku = :sku,"
    " since = :since, tries = :none REMOVE claimed, finished_at, due_at, expires_at"
)
FREE = (
    f"{ABSENT} OR #state = :done OR (#state = :waiting AND claimed = :claimed)"
    " OR (#state = :failed AND (#at <= :before OR begins_with(#error, :given_up)))"
)
CLAIMED, UNCLAIMED = "claimed = :claimed", "attribute_not_exists(claimed)"


@dataclass(frozen=True, slots=True)
class TaskPage:
    """What has changed since it was listed is left out; `cursor` None at the end."""

    tasks: tuple[Task, ...]
    cursor: str | None


class ShopTasks:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def put(self, tasks: Iterable[Task]) -> int:
        """How many are new; the others stay as they are."""
        return sum([self._put(task, ABSENT) for task in tasks])

    def touch(self, task: Task, refused_for: timedelta = REFUSED_FOR) -> datetime:
        """When the stock level is told: as the task says, or when it waits for already.

        One that is being read now is told again: perhaps it was read before it changed. What the
        shop has refused it is asked again after so long, unless a person asks before."""
        try:
            self._client.update_item(**self._touching(task, refused_for))
        except ClientError as error:
            _pass_refused(error)
            found: Any = error.response.get("Item")
            waits = found and text(found, "state") == TaskState.WAITING
            return instant(text(found, "at")) if waits else task.since
        return task.due_at

    def _touching(self, task: Task, refused_for: timedelta) -> dict[str, Any]:
        values = {
            ":waiting": s(TaskState.WAITING),
            ":done": s(TaskState.DONE),
            ":failed": s(TaskState.FAILED),
            ":listed": s(_listed(task)),
            ":due": s(stamp(task.due_at)),
            ":kind": s(task.kind),
            ":sku": s(task.sku),
            ":since": s(stamp(task.since)),
            ":none": n(0),
            ":claimed": flag(True),
            ":before": s(stamp(task.since - refused_for)),
            ":given_up": s(GIVEN_UP),
        }
        return {
            "TableName": self._table,
            "Key": key(_pk(task.shop), task.key),
            "UpdateExpression": TOUCH,
            "ConditionExpression": FREE,
            "ExpressionAttributeNames": {"#state": "state", "#at": "at", "#error": "error"},
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def get(self, task_id: str) -> Task:
        where = key(*_where(task_id))
        if (row := get_row(self._client, self._table, where)) is None:
            raise NotFound("task", task_id)
        return _task(row)

    def of_order(self, shop: str, order_id: str) -> tuple[Task, ...]:
        """In the order of its facts, as they are now."""
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :order)",
            ExpressionAttributeValues={":pk": s(_pk(shop)), ":order": s(f"{order_id}.")},
            ConsistentRead=True,
        )
        return tuple(map(_task, rows))

    def due(self, shop: str, now: datetime) -> Iterator[Task]:
        """The longest due first, read page by page."""
        start: Item | None = None
        while True:
            answer = self._page(f"WAITING#{shop}", PAGE, start, until=now)
            yield from (task for task in self._tasks(answer["Items"]) if task.is_due(now))
            if (start := answer.get("LastEvaluatedKey")) is None:
                return

    def has_due(self, shop: str, now: datetime) -> bool:
        return bool(self._page(f"WAITING#{shop}", 1, None, until=now)["Items"])

    def claim(self, task: Task) -> bool:
        """From now on a change of the level is a task again."""
        return self._mark(task, replace(task, claimed=True))

    def done(self, task: Task, reference: str, at: datetime) -> bool:
        done = replace(task, state=TaskState.DONE, reference=reference, finished_at=at, error="")
        return self._mark(task, replace(done, claimed=False, alarmed=False))

    def later(self, task: Task, due_at: datetime, error: str) -> bool:
        again = replace(task, tries=task.tries + 1, due_at=due_at, error=error, claimed=False)
        return self._mark(task, again)

    def failed(self, task: Task, error: str, at: datetime) -> bool:
        failed = replace(task, state=TaskState.FAILED, error=error, finished_at=at)
        return self._mark(task, replace(failed, claimed=False, alarmed=True))

    def redrive(self, task: Task, at: datetime) -> bool:
        """Try it again as if for the first time; one that has not failed stays as it is."""
        if task.state is not TaskState.FAILED:
            return False
        again = replace(task, state=TaskState.WAITING, since=at, due_at=at, tries=0)
        return self._mark(task, replace(again, finished_at=None, alarmed=False))

    def page(self, shop: str, state: TaskState, limit: int, cursor: str | None = None) -> TaskPage:
        """Of a shop: what waits and what failed the longest first, what is done the latest first.
        Of what failed a page may be short: it is listed for all shops together."""
        if state is TaskState.FAILED:
            found = self._listing(FAILED_TASKS, limit, cursor)
            return TaskPage(tuple(x for x in found.tasks if x.shop == shop), found.cursor)
        how = {"ScanIndexForward": state is not TaskState.DONE}
        return self._listing(f"{state.upper()}#{shop}", limit, cursor, **how)

    def failed_tasks(self, limit: int, cursor: str | None = None) -> TaskPage:
        """Of all shops, the longest failed first."""
        return self._listing(FAILED_TASKS, limit, cursor)

    def _listing(self, listed: str, limit: int, cursor: str | None, **how: Any) -> TaskPage:
        start = _start(cursor, listed) if cursor else None
        answer = self._page(listed, limit, start, **how)
        found = (task for task in self._tasks(answer["Items"]) if _listed(task) == listed)
        last = answer.get("LastEvaluatedKey")
        return TaskPage(tuple(found), _cursor(last) if last else None)

    def _page(
        self,
        listed: str,
        limit: int,
        start: Item | None,
        *,
        until: datetime | None = None,
        **how: Any,
    ) -> dict[str, Any]:
        return self._client.query(
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="GSI1PK = :listed AND #at <= :until",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={
                ":listed": s(listed),
                ":until": s(stamp(until) if until else "9"),
            },
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
            **how,
        )

    def _tasks(self, found: Sequence[Item]) -> list[Task]:
        """As they are now, in the order in which they were found."""
        keys = [{"PK": row["PK"], "SK": row["SK"]} for row in found]
        rows = batch_get(self._client, self._table, keys, ConsistentRead=True) if keys else ()
        read = {(task.shop, task.key): task for task in map(_task, rows)}
        places = ((text(row, "PK").removeprefix(_pk("")), text(row, "SK")) for row in found)
        return [read[place] for place in places if place in read]

    def _mark(self, read: Task, changed: Task) -> bool:
        values = {
            ":was": s(read.state),
            ":since": s(stamp(read.since)),
            ":tries": n(read.tries),
            **({":claimed": flag(True)} if read.claimed else {}),
        }
        return self._put(changed, f"{AS_READ} AND {CLAIMED if read.claimed else UNCLAIMED}", values)

    def _put(self, task: Task, condition: str, values: Mapping[str, Any] | None = None) -> bool:
        guard: dict[str, Any] = {"ConditionExpression": condition}
        if values:
            guard |= {"ExpressionAttributeNames": {"#state": "state"}}
            guard |= {"ExpressionAttributeValues": dict(values)}
        try:
            self._client.put_item(TableName=self._table, Item=_row(task), **guard)
        except ClientError as error:
            _pass_refused(error)
            return False
        return True


@cache
def shop_tasks() -> ShopTasks:
    return ShopTasks(client(), setting("CHANNELS_TABLE"))


def failed_tasks(limit: int, cursor: str | None = None) -> TaskPage:
    """What shops have refused, or were asked for in vain: somebody should look at it."""
    return shop_tasks().failed_tasks(limit, cursor)


def _pass_refused(error: ClientError) -> None:
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error


def _pk(shop: str) -> str:
    return f"TASKS#{shop}"


def _where(task_id: str) -> tuple[str, str]:
    shop, name = shop_and_key(task_id)
    return _pk(shop), name


def _listed(task: Task) -> str:
    if task.state is TaskState.FAILED:
        return FAILED_TASKS
    return f"{task.state.upper()}#{task.shop}"


def _row(task: Task) -> Item:
    at = task.finished_at or task.due_at
    return {
        **key(_pk(task.shop), task.key),
        "GSI1PK": s(_listed(task)),
        "at": s(stamp(at)),
        "kind": s(task.kind),
        "state": s(task.state),
        "since": s(stamp(task.since)),
        "tries": n(task.tries),
        **{name: s(getattr(task, name)) for name in TEXTS if getattr(task, name)},
        **{name: n(getattr(task, name)) for name in NUMBERS if getattr(task, name)},
        **{name: flag(True) for name in FLAGS if getattr(task, name)},
        **_ending(task),
    }


def _ending(task: Task) -> Item:
    if task.finished_at is None:
        return {}
    ended = {"finished_at": s(stamp(task.finished_at)), "due_at": s(stamp(task.due_at))}
    if task.state is not TaskState.DONE:
        return ended
    return ended | {"expires_at": n(int((task.finished_at + KEEP_DONE).timestamp()))}


def _task(row: Item) -> Task:
    said: dict[str, Any] = {name: text(row, name) for name in TEXTS if name in row}
    said |= {name: number(row, name) for name in NUMBERS if name in row}
    said |= {name: row[name]["BOOL"] for name in FLAGS if name in row}
    return Task(
        shop=text(row, "PK").removeprefix(_pk("")),
        kind=TaskKind(text(row, "kind")),
        since=instant(text(row, "since")),
        due_at=instant(text(row, "due_at" if "due_at" in row else "at")),
        state=TaskState(text(row, "state")),
        tries=number(row, "tries"),
        finished_at=instant(text(row, "finished_at")) if "finished_at" in row else None,
        **said,
    )


def _cursor(last: Mapping[str, Mapping[str, str]]) -> str:
    return encode_cursor({name: last[name]["S"] for name in ("PK", "SK", "at")})


def _start(cursor: str, listed: str) -> Item:
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "SK", "at"} or not all(given.values()):
        raise BadCursor
    if not given["PK"].startswith(_pk("")) or not _is_place(given):
        raise BadCursor
    return {name: s(value) for name, value in {**given, "GSI1PK": listed}.items()}


def _is_place(given: Mapping[str, str]) -> bool:
    """Where a list can go on: a moment of ours, and a key as long as one may be."""
    try:
        at = stamp(instant(given["at"]))
    except ValueError:
        return False
    return at == given["at"] and len(given["SK"].encode()) <= MAX_KEY
