"""Segments and their members, in the customers table.

SEGMENTS / REVISION                 `n`: how often any definition was changed
SEGMENTS / SEGMENT#<name>           the definition that counts; `version`, who saved it and when
SEGMENT#<name> / VERSION#<number>   each version, which never changes; one that was deleted has no
                                    document. A name that comes again goes on with its numbers
MEMBERS#<name> / <customer_id>      a member, `since`: the root of its identities
PERSON#<customer_id> / SEGMENTS     of each identity, `names`: what the person belongs to; of those,
                                    `member_of`: where this identity is the one in the list;
                                    `revision`, what it was looked at by; `due_at`: when again
DUE#<day> / <instant>#<customer_id> when the clock changes memberships, or somebody has

A row of a person is changed with its members and its deadline, under its version. Whoever looked by
an older revision is refused by it, looks again, and finds the newer one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.order_rows import instant, moment
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.errors import Conflict, NotFound
from oms.domain.segments.definition import MAX_SEGMENTS, Segment
from oms.settings import setting

SEGMENTS, REVISION, SEGMENT, OF_PERSON = "SEGMENTS", "REVISION", "SEGMENT#", "SEGMENTS"
KNOWN_SECONDS = 60.0


class TooManySegments(Conflict):
    def __init__(self) -> None:
        super().__init__(f"there are {MAX_SEGMENTS} segments, and no room for more")


class Stale(Conflict):
    """The person's row was written since it was read."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Version 0: there is none of the name. `is_deleted`: not any more."""

    segment: Segment
    saved_at: datetime | None = None
    saved_by: str = ""
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Definitions:
    revision: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one identity; version 0: nobody has looked yet."""

    customer_id: str
    names: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    revision: int = 0
    due_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    customer_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class MemberPage:
    members: tuple[Member, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class DueRow:
    at: datetime
    customer_id: str


class SegmentsTable:
    def __init__(
        self, client: DynamoDB, table: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._table, self._clock = client, table, clock

    def definitions(self) -> Definitions:
        """All that count, as they are now."""
        rows = list(self._query("PK = :pk", {":pk": db.s(SEGMENTS)}))
        revision = next((db.number(x, "n") for x in rows if db.text(x, "SK") == REVISION), 0)
        saved = (_saved(row) for row in rows if db.text(row, "SK") != REVISION)
        return Definitions(revision, tuple(x.segment for x in saved if not x.is_deleted))

    def revision(self) -> int:
        row = db.get_row(self._client, self._table, db.key(SEGMENTS, REVISION))
        return db.number(row, "n") if row else 0

    def find(self, name: str) -> Saved:
        row = db.get_row(self._client, self._table, db.key(SEGMENTS, SEGMENT + name))
        return _saved(row) if row else Saved(Segment(name))

    def get(self, name: str) -> Saved:
        found = self.find(name)
        if not found.segment.version or found.is_deleted:
            raise NotFound("segment", name)
        return found

    def all(self) -> list[Saved]:
        key, values = "PK = :pk AND begins_with(SK, :it)", {":pk": SEGMENTS, ":it": SEGMENT}
        found = map(_saved, self._query(key, {name: db.s(x) for name, x in values.items()}))
        return [each for each in found if not each.is_deleted]

    def version(self, name: str, version: int) -> Saved:
        key = db.key(SEGMENT + name, f"VERSION#{version:09d}")
        if (row := db.get_row(self._client, self._table, key)) is None:
            raise NotFound("version", f"{version} of the segment {name}")
        return _saved(row)

    def save(self, saved: Saved) -> int:
        """As the version after the one that it names; the revision that it makes. `Conflict` where
        that is not the newest."""
        known = self.definitions()
        names = {each.name for each in known.segments}
        new = saved.segment.name not in names and not saved.is_deleted
        if new and len(names) >= MAX_SEGMENTS:
            raise TooManySegments
        db.transact(self._client, [*self._saving(saved), self._turn(known.revision)])
        return known.revision + 1

    def _saving(self, saved: Saved) -> Iterator[Write]:
        segment, seen = saved.segment, saved.segment.version - 1
        condition = "version = :seen" if seen else "attribute_not_exists(PK)"
        for pk, sk in (
            (SEGMENTS, SEGMENT + segment.name),
            (SEGMENT + segment.name, f"VERSION#{segment.version:09d}"),
        ):
            put: dict[str, Any] = {"TableName": self._table, "Item": _definition_row(pk, sk, saved)}
            if pk == SEGMENTS:
                put["ConditionExpression"] = condition
                if seen:
                    put["ExpressionAttributeValues"] = {":seen": db.n(seen)}
            said = f"the segment {segment.name} is not at version {seen}"
            yield Write({"Put": put}, lambda _, said=said: Conflict(said))  # type: ignore[misc]

    def _turn(self, seen: int) -> Write:
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": db.key(SEGMENTS, REVISION),
            "UpdateExpression": "SET n = :next",
            "ConditionExpression": "n = :seen" if seen else "attribute_not_exists(n)",
            "ExpressionAttributeValues": {
                ":next": db.n(seen + 1),
                **({":seen": db.n(seen)} if seen else {}),
            },
        }
        said = "another segment is being saved: try again"
        return Write({"Update": update}, lambda _: Conflict(said))

    def standing(self, customer_id: str) -> Standing:
        row = db.get_row(self._client, self._table, _place(customer_id))
        return _standing(row) if row else Standing(customer_id)

    def names(self, customer_id: str) -> tuple[str, ...]:
        """What the customer belongs to, perhaps a moment old, at half the price."""
        where = _place(customer_id)
        row = db.get_row(self._client, self._table, where, consistent=False)
        return _standing(row).names if row else ()

    def stand(self, before: Standing, after: Standing, now: datetime) -> None:
        """`Stale` where somebody else was faster."""
        writes = [self._standing_write(before, after)]
        new = sorted({*after.member_of} - {*before.member_of})
        gone = sorted({*before.member_of} - {*after.member_of})
        writes += [self._member_write(name, after.customer_id, now) for name in new]
        writes += [self._delete(_member_key(name, after.customer_id)) for name in gone]
        if before.due_at != after.due_at:
            writes += self._due_writes(before, after)
        db.transact(self._client, writes)

    def touch_write(self, customer_id: str, at: datetime) -> Write:
        """Have the customer looked at soon: for the transaction that makes it necessary."""
        item = _due_key(DueRow(at, customer_id))
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def touch(self, customer_id: str, at: datetime) -> None:
        self._client.put_item(TableName=self._table, Item=_due_key(DueRow(at, customer_id)))

    def due(self, day: date, now: datetime) -> Iterator[DueRow]:
        """What is due of a day, the oldest first."""
        values = {":pk": db.s(f"DUE#{day.isoformat()}"), ":now": db.s(instant(now) + "~")}
        for row in self._query("PK = :pk AND SK < :now", values):
            at, _, customer_id = db.text(row, "SK").partition("#")
            yield DueRow(moment(at), customer_id)

    def done(self, due: DueRow) -> None:
        self._client.delete_item(TableName=self._table, Key=_due_key(due))

    def swept_through(self) -> date | None:
        """The first day of which something may be left."""
        row = db.get_row(self._client, self._table, db.key(SEGMENTS + "#SWEEP", "DAY"))
        return date.fromisoformat(db.text(row, "day")) if row else None

    def sweep_from(self, day: date) -> None:
        item = {**db.key(SEGMENTS + "#SWEEP", "DAY"), "day": db.s(day.isoformat())}
        self._client.put_item(TableName=self._table, Item=item)

    def members(self, name: str, limit: int, cursor: str | None = None) -> MemberPage:
        pk = f"MEMBERS#{name}"
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(pk)},
            ConsistentRead=True,
            Limit=limit,
            **_start(pk, cursor),
        )
        found = (Member(db.text(x, "SK"), moment(db.text(x, "since"))) for x in answer["Items"])
        last = answer.get("LastEvaluatedKey")
        going_on = encode_cursor({"member": db.text(last, "SK")}) if last else None
        return MemberPage(tuple(found), going_on)

    def lives(self, segment: int, of: int, start: Any) -> tuple[list[str], Any]:
        """A page of all customers that have figures or memberships, of a part of the table; where
        to go on, or None."""
        asked: dict[str, Any] = {"ExclusiveStartKey": start} if start else {}
        answer = self._client.scan(
            TableName=self._table,
            FilterExpression="SK = :life OR SK = :standing",
            ExpressionAttributeValues={":life": db.s("LIFETIME"), ":standing": db.s(OF_PERSON)},
            ProjectionExpression="PK, SK",
            Segment=segment,
            TotalSegments=of,
            Limit=500,
            **asked,
        )
        persons = (db.text(row, "PK") for row in answer["Items"])
        found = [each.removeprefix("PERSON#") for each in persons if each.startswith("PERSON#")]
        return list(dict.fromkeys(found)), answer.get("LastEvaluatedKey")

    def forget(self, customer_id: str) -> None:
        """The customer is in no list any more; also twice."""
        before = self.standing(customer_id)
        for name in before.member_of:
            self._client.delete_item(TableName=self._table, Key=_member_key(name, customer_id))
        if before.due_at:
            self.done(DueRow(before.due_at, customer_id))
        self._client.delete_item(TableName=self._table, Key=_place(customer_id))

    def _standing_write(self, before: Standing, after: Standing) -> Write:
        item = {
            **_place(after.customer_id),
            "names": db.s(" ".join(after.names)),
            "member_of": db.s(" ".join(after.member_of)),
            "revision": db.n(after.revision),
            "version": db.n(before.version + 1),
            **({"due_at": db.s(instant(after.due_at))} if after.due_at else {}),
        }
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        put["ConditionExpression"] = "attribute_not_exists(PK)"
        if before.version:
            put["ConditionExpression"] = "version = :seen"
            put["ExpressionAttributeValues"] = {":seen": db.n(before.version)}
        return Write({"Put": put}, lambda _: Stale(after.customer_id))

    def _member_write(self, name: str, customer_id: str, now: datetime) -> Write:
        item = {**_member_key(name, customer_id), "since": db.s(instant(now))}
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def _due_writes(self, before: Standing, after: Standing) -> list[Write]:
        writes = []
        if before.due_at:
            writes.append(self._delete(_due_key(DueRow(before.due_at, before.customer_id))))
        if after.due_at:
            writes.append(self.touch_write(after.customer_id, after.due_at))
        return writes

    def _delete(self, key: Item) -> Write:
        return Write({"Delete": {"TableName": self._table, "Key": key}})

    def _query(self, condition: str, values: Item) -> Iterator[Item]:
        return db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )


def days_of(first: date, now: datetime) -> Iterator[date]:
    for number in range((now.astimezone(UTC).date() - first).days + 1):
        yield first + timedelta(days=number)


def _saved(row: Item) -> Saved:
    segment = codec.decode(db.unpack(row["segment"]), Segment)
    at = datetime.fromisoformat(db.text(row, "saved_at"))
    return Saved(segment, at, db.text(row, "saved_by"), bool(row["deleted"]["BOOL"]))


def _definition_row(pk: str, sk: str, saved: Saved) -> Item:
    assert saved.saved_at
    return {
        **db.key(pk, sk),
        "version": db.n(saved.segment.version),
        "segment": db.pack(codec.encode(saved.segment)),
        "saved_at": db.s(saved.saved_at.isoformat()),
        "saved_by": db.s(saved.saved_by),
        "deleted": db.flag(saved.is_deleted),
    }


def _standing(row: Item) -> Standing:
    return Standing(
        db.text(row, "PK").removeprefix("PERSON#"),
        tuple(db.text(row, "names").split()),
        tuple(db.text(row, "member_of").split()),
        db.number(row, "revision"),
        moment(db.text(row, "due_at")) if "due_at" in row else None,
        db.number(row, "version"),
    )


def _place(customer_id: str) -> Item:
    return db.key(f"PERSON#{customer_id}", OF_PERSON)


def _member_key(name: str, customer_id: str) -> Item:
    return db.key(f"MEMBERS#{name}", customer_id)


def _due_key(due: DueRow) -> Item:
    day = due.at.astimezone(UTC).date().isoformat()
    return db.key(f"DUE#{day}", f"{instant(due.at)}#{due.customer_id}")


def _start(pk: str, cursor: str | None) -> dict[str, Any]:
    if cursor is None:
        return {}
    given = decode_cursor(cursor)
    if given.keys() != {"member"} or not given["member"]:
        raise BadCursor
    return {"ExclusiveStartKey": db.key(pk, given["member"])}


def ids(members: Iterable[Member]) -> Sequence[str]:
    return [each.customer_id for each in members]


@cache
def segments_table() -> SegmentsTable:
    """Needs CUSTOMERS_TABLE."""
    return SegmentsTable(db.client(), setting("CUSTOMERS_TABLE"))
