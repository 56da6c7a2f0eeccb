"""Jobs in DynamoDB: how far each has come, moved on in the transaction that does the work.

    JOB#<job_id> / JOB               the job; GSI1PK = JOBS, at = when it was asked for
    JOB#<job_id> / SLICE#<number>    a slice and its cursor
    KEPT#<job_id> / <slice>#<step>   what a step wants to find again when the job ends

A step is its kind's own writes and the slice's new cursor, all or nothing, under the condition
that nobody else has moved the slice: done twice, or by two at once, it counts once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Write,
    batch_get,
    client,
    flag,
    get_row,
    key,
    n,
    number,
    pack,
    query,
    s,
    text,
    transact,
    unpack,
)
from oms.adapters.stock_rows import instant, stamp
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.errors import Contended, NotFound, OmsError
from oms.domain.inventory import IdempotencyConflict
from oms.domain.jobs import Job, Progress, Slice, SlicePlan, together
from oms.settings import setting

LISTED = "JOBS"
PROGRESS = ("done", "total", "refused")
MAX_SLICES = 64  # they come and go in one transaction
MAX_STEP_WRITES = 98  # of 100; the slice and what is kept of the step are the others
KEEP = timedelta(days=30)
ATTEMPTS = 20
NEW_CURSOR = (
    "SET version = :next, #cursor = :cursor, done = :done, refused = :refused, "
    "#total = :total, is_done = :is_done, worked_at = :at"
)


class Overtaken(OmsError):
    """Somebody else has moved the slice, or stopped the job, since it was read."""


@dataclass(frozen=True, slots=True)
class Step:
    """Work to be committed at once: at most MAX_STEP_WRITES writes, and the cursor behind it.

    `kept` is read again by `JobsTable.kept` when the job ends; `total` corrects the slice's own.
    """

    cursor: Any
    done: int = 0
    refused: int = 0
    kept: bytes = b""
    writes: Sequence[Write] = ()
    total: int | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Newest first."""

    jobs: tuple[Job, ...]
    cursor: str | None


class JobsTable:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name

    def add(self, job: Job) -> Job:
        """The job, or the one of the same id that was asked for with the same words."""
        try:
            transact(self._client, [self._put_job(job, None)])
        except Overtaken:
            known = self.get(job.job_id)
            if (known.kind, known.actor) != (job.kind, job.actor) or not (
                job.params.items() <= known.params.items()
            ):
                raise IdempotencyConflict from None
            return known
        return job

    def get(self, job_id: str) -> Job:
        if (row := get_row(self._client, self._table, _job_key(job_id))) is None:
            raise NotFound("job", job_id)
        return _read_job(row)

    def slices(self, job_id: str) -> tuple[Slice, ...]:
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :slice)",
            ExpressionAttributeValues={":pk": s(f"JOB#{job_id}"), ":slice": s("SLICE#")},
            ConsistentRead=True,
        )
        return tuple(map(_read_slice, rows))

    def slice(self, job_id: str, number: int) -> Slice:
        if (row := get_row(self._client, self._table, _slice_key(job_id, number))) is None:
            raise NotFound("slice", f"{job_id}#{number}")
        return _read_slice(row)

    def page(self, limit: int, cursor: str | None = None) -> JobPage:
        """The index is a moment late."""
        start = {"ExclusiveStartKey": _start(cursor)} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="GSI1PK = :pk",
            ExpressionAttributeValues={":pk": s(LISTED)},
            ScanIndexForward=False,
            Limit=limit,
            **start,
        )
        keys = [{"PK": item["PK"], "SK": item["SK"]} for item in answer["Items"]]
        jobs = map(_read_job, batch_get(self._client, self._table, keys))
        newest_first = sorted(jobs, key=lambda job: (job.created_at, job.job_id), reverse=True)
        last = answer.get("LastEvaluatedKey")
        return JobPage(tuple(newest_first), _cursor(last) if last else None)

    def begin(self, job: Job, plans: Sequence[SlicePlan], at: datetime) -> Job:
        """Let it run, with all its slices; whoever comes second finds it running."""
        if not 1 <= len(plans) <= MAX_SLICES:
            raise ValueError(f"a job has 1 to {MAX_SLICES} slices, not {len(plans)}")
        begun = _next(job.begun())
        puts = [self._put_slice(job, number, plan, at) for number, plan in enumerate(plans)]
        transact(self._client, [self._put_job(begun, job.version), *puts])
        return begun

    def advance(self, job: Job, part: Slice, step: Step, at: datetime) -> Slice:
        """Commit the step, or raise `Overtaken` or the refusal of one of its writes."""
        total = part.progress.total if step.total is None else step.total
        done, refused = part.progress.done + step.done, part.progress.refused + step.refused
        moved = replace(
            part,
            cursor=step.cursor,
            progress=Progress(done, total, refused),
            version=part.version + 1,
            worked_at=at,
        )
        kept = [self._put_kept(job, moved, step.kept)] if step.kept else []
        transact(self._client, [self._move(job, part, moved), *kept, *step.writes])
        return moved

    def complete(self, job: Job, part: Slice, at: datetime) -> Slice:
        done = replace(part, is_done=True, version=part.version + 1, worked_at=at)
        transact(self._client, [self._move(job, part, done)])
        return done

    def kept(self, job_id: str) -> Iterator[bytes]:
        """What the steps have kept, slice by slice, in the order of their work."""
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(f"KEPT#{job_id}")},
            ConsistentRead=True,
        )
        return (unpack(row["body"]) for row in rows)

    def change(self, job_id: str, how: Callable[[Job], Job]) -> Job:
        """Change the job alone; who changes it at the same moment is read again."""
        return self._changed(job_id, lambda job, _: how(job), lambda _: ())

    def stop(self, job_id: str, how: Callable[[Job, Progress], Job]) -> Job:
        """Change it so that it does not go on: steps on their way find that they are too late."""
        return self._changed(job_id, how, self._slices_of)

    def _slices_of(self, job: Job) -> tuple[Slice, ...]:
        """Read after the job: those of one that begins meanwhile are not missed."""
        return self.slices(job.job_id)

    def _changed(
        self,
        job_id: str,
        how: Callable[[Job, Progress], Job],
        halted: Callable[[Job], Sequence[Slice]],
    ) -> Job:
        for _ in range(ATTEMPTS):
            job = self.get(job_id)
            parts = halted(job)
            if (changed := how(job, together(parts))) == job:
                return job
            try:
                changed = _next(changed)
                halts = [self._halt(job_id, part) for part in parts if not part.is_done]
                transact(self._client, [self._put_job(changed, job.version), *halts])
            except Overtaken:
                continue
            return changed
        raise Contended(f"job {job_id} is changed all the time")

    def _put_job(self, job: Job, read: int | None) -> Write:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(PK)"}
        if read is not None:
            values = {":read": n(read)}
            condition = {
                "ConditionExpression": "version = :read",
                "ExpressionAttributeValues": values,
            }
        put = {"TableName": self._table, "Item": _job_row(job), **condition}
        return Write({"Put": put}, lambda _: Overtaken(job.job_id))

    def _put_slice(self, job: Job, number: int, plan: SlicePlan, at: datetime) -> Write:
        row = {
            **_slice_key(job.job_id, number),
            "params": pack(_json(plan.params)),
            "total": n(plan.total),
            "version": n(1),
            "worked_at": s(stamp(at)),
            "expires_at": _expiry(job),
        }
        return Write({"Put": {"TableName": self._table, "Item": row}})

    def _put_kept(self, job: Job, moved: Slice, kept: bytes) -> Write:
        row = {
            **key(f"KEPT#{job.job_id}", f"{moved.number:04d}#{moved.version:09d}"),
            "body": pack(kept),
            "expires_at": _expiry(job),
        }
        return Write({"Put": {"TableName": self._table, "Item": row}})

    def _move(self, job: Job, read: Slice, moved: Slice) -> Write:
        update = {
            "TableName": self._table,
            "Key": _slice_key(job.job_id, read.number),
            "UpdateExpression": NEW_CURSOR,
            "ConditionExpression": "version = :read",
            "ExpressionAttributeNames": {"#cursor": "cursor", "#total": "total"},
            "ExpressionAttributeValues": {
                ":read": n(read.version),
                ":next": n(moved.version),
                ":cursor": pack(_json(moved.cursor)),
                ":done": n(moved.progress.done),
                ":refused": n(moved.progress.refused),
                ":total": n(moved.progress.total),
                ":is_done": flag(moved.is_done),
                ":at": s(stamp(moved.worked_at or job.created_at)),
            },
        }
        return Write({"Update": update}, lambda _: Overtaken(job.job_id))

    def _halt(self, job_id: str, part: Slice) -> Write:
        update = {
            "TableName": self._table,
            "Key": _slice_key(job_id, part.number),
            "UpdateExpression": "ADD version :one",
            "ExpressionAttributeValues": {":one": n(1)},
        }
        return Write({"Update": update})


@cache
def jobs_table() -> JobsTable:
    return JobsTable(client(), setting("JOBS_TABLE"))


def _next(job: Job) -> Job:
    return replace(job, version=job.version + 1)


def _job_key(job_id: str) -> Item:
    return key(f"JOB#{job_id}", "JOB")


def _slice_key(job_id: str, number: int) -> Item:
    return key(f"JOB#{job_id}", f"SLICE#{number:04d}")


def _job_row(job: Job) -> Item:
    return {
        **_job_key(job.job_id),
        "GSI1PK": s(LISTED),
        "at": s(stamp(job.created_at)),
        "body": pack(codec.encode(job)),
        "version": n(job.version),
        "expires_at": _expiry(job),
    }


def _read_job(item: Item) -> Job:
    return codec.decode(unpack(item["body"]), Job)


def _read_slice(item: Item) -> Slice:
    progress = Progress(*(number(item, name) if name in item else 0 for name in PROGRESS))
    return Slice(
        number=int(text(item, "SK").removeprefix("SLICE#")),
        params=json.loads(unpack(item["params"])),
        cursor=json.loads(unpack(item["cursor"])) if "cursor" in item else None,
        progress=progress,
        is_done=bool(item.get("is_done", {}).get("BOOL", False)),
        version=number(item, "version"),
        worked_at=instant(text(item, "worked_at")),
    )


def _expiry(job: Job) -> dict[str, Any]:
    return n(int((job.created_at + KEEP).timestamp()))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _cursor(last: Item) -> str:
    return encode_cursor({"PK": text(last, "PK"), "at": text(last, "at")})


def _start(cursor: str) -> Item:
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "at"} or not given["PK"].startswith("JOB#") or not given["at"]:
        raise BadCursor
    where = {"PK": given["PK"], "SK": "JOB", "GSI1PK": LISTED, "at": given["at"]}
    return {name: s(value) for name, value in where.items()}
