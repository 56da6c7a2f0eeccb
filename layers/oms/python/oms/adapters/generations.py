"""Generations of a report's rows: one is shown, a newer one may be in the making.

PROJECTIONS / <report>              `live`, the number of the generation that is shown
PROJECTIONS / <report>#<number>     a generation: `last_number`, of the last segment that is in it,
                                    and `counted_until`, when that was written; `time_zone`, whose
                                    days it has; who asked for it, and when
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.domain.errors import Conflict, NotFound
from oms.settings import setting

PARTITION = "PROJECTIONS"
CONDITION_FAILED = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Generation:
    """`counted_until`: when the last of its segments was written; `live_since`: when it took the
    place of the one before."""

    report: str
    number: int
    time_zone: str
    through: int = 0
    counted_until: datetime | None = None
    asked_at: datetime | None = None
    asked_by: str = ""
    live_since: datetime | None = None

    @property
    def name(self) -> str:
        return f"{self.report}.{self.number}"


@dataclass(frozen=True, slots=True)
class Generations:
    """Of one report; `live` is the number of the one that is shown, 0 where there is none."""

    live: int
    known: tuple[Generation, ...]

    @property
    def shown(self) -> Generation | None:
        return self.of(self.live)

    @property
    def building(self) -> Generation | None:
        """The newest, where it is not shown yet."""
        newest = max(self.known, key=lambda each: each.number, default=None)
        return newest if newest and newest.number > self.live else None

    @property
    def retired(self) -> tuple[Generation, ...]:
        return tuple(each for each in self.known if each.number < self.live)

    def of(self, number: int) -> Generation | None:
        return next((each for each in self.known if each.number == number), None)


class BeingRebuilt(Conflict):
    def __init__(self, report: str) -> None:
        super().__init__(f"the report {report} is being rebuilt already")


class GenerationsTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def all(self) -> dict[str, Generations]:
        """By report, as they are now."""
        rows = self._rows("PK = :pk", {":pk": db.s(PARTITION)})
        names = dict.fromkeys(db.text(row, "SK").partition("#")[0] for row in rows)
        return {name: _generations(name, rows) for name in names}

    def of(self, report: str) -> Generations:
        values = {
            ":pk": db.s(PARTITION),
            ":first": db.s(report),
            ":last": db.s(f"{report}#~"),
        }
        return _generations(report, self._rows("PK = :pk AND SK BETWEEN :first AND :last", values))

    def begin(self, report: str, time_zone: str, at: datetime, actor: str) -> Generation:
        """The next generation; the first one of a report is shown at once. `BeingRebuilt` while
        there is one in the making."""
        present = self.of(report)
        if present.building:
            raise BeingRebuilt(report)
        number = max((each.number for each in present.known), default=0) + 1
        started = Generation(report, number, time_zone, asked_at=at, asked_by=actor)
        writes = [self._put(started)]
        if not present.live:
            writes.append(self._shows(started, 0, at))
        db.transact(self._client, writes)
        return started

    def advance(self, generation: Generation, number: int, at: datetime) -> bool:
        """The segment is in it; False where another worker was faster."""
        return _is_met(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=_key(generation),
                UpdateExpression="SET last_number = :number, counted_until = :at",
                ConditionExpression="last_number = :before",
                ExpressionAttributeValues={
                    ":number": db.n(number),
                    ":before": db.n(number - 1),
                    ":at": db.s(at.isoformat()),
                },
            )
        )

    def show(self, generation: Generation, before: int, at: datetime) -> None:
        """In the place of the one before: one write; `Conflict` where that is not shown."""
        db.transact(self._client, [self._shows(generation, before, at)])

    def forget(self, generation: Generation) -> None:
        self._client.delete_item(TableName=self._table, Key=_key(generation))

    def _put(self, generation: Generation) -> Write:
        row = {
            **_key(generation),
            "time_zone": db.s(generation.time_zone),
            "last_number": db.n(0),
            "asked_by": db.s(generation.asked_by),
            "asked_at": db.s(generation.asked_at.isoformat() if generation.asked_at else ""),
        }
        put = {
            "TableName": self._table,
            "Item": row,
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        return Write({"Put": put}, lambda found: BeingRebuilt(generation.report))  # noqa: ARG005

    def _shows(self, generation: Generation, before: int, at: datetime) -> Write:
        condition = "live = :before" if before else "attribute_not_exists(live)"
        update = {
            "TableName": self._table,
            "Key": db.key(PARTITION, generation.report),
            "UpdateExpression": "SET live = :number, live_since = :at",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":number": db.n(generation.number),
                ":at": db.s(at.isoformat()),
                **({":before": db.n(before)} if before else {}),
            },
        }
        said = f"another generation of {generation.report} is shown"
        return Write({"Update": update}, lambda found: Conflict(said))  # noqa: ARG005

    def _rows(self, condition: str, values: dict[str, Any]) -> list[Item]:
        found = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )
        return list(found)


def rebuild_id(generation: Generation) -> str:
    return f"{generation.report}-{generation.number}"


def parsed(identity: str) -> tuple[str, int]:
    """Report and number of a rebuild."""
    report, _, number = identity.rpartition("-")
    if not report or not number.isascii() or not number.isdigit() or len(number) > 6:
        raise NotFound("rebuild", identity)
    return report, int(number)


@cache
def generations_table() -> GenerationsTable:
    return GenerationsTable(db.client(), setting("REPORTS_TABLE"))


def _key(generation: Generation) -> Item:
    return db.key(PARTITION, f"{generation.report}#{generation.number:06d}")


def _generations(report: str, rows: Iterable[Item]) -> Generations:
    mine = [row for row in rows if db.text(row, "SK").partition("#")[0] == report]
    pointer = next((row for row in mine if "live" in row), None)
    live = db.number(pointer, "live") if pointer else 0
    since = _instant(pointer, "live_since") if pointer else None
    known = (_generation(row, live, since) for row in mine if "time_zone" in row)
    return Generations(live, tuple(known))


def _generation(row: Item, live: int, since: datetime | None) -> Generation:
    report, _, number = db.text(row, "SK").partition("#")
    return Generation(
        report,
        int(number),
        db.text(row, "time_zone"),
        db.number(row, "last_number"),
        _instant(row, "counted_until"),
        _instant(row, "asked_at"),
        db.text(row, "asked_by"),
        since if int(number) == live else None,
    )


def _instant(row: Item, name: str) -> datetime | None:
    said = db.text(row, name) if name in row else ""
    return datetime.fromisoformat(said) if said else None


def _is_met(write: Callable[[], object]) -> bool:
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] == CONDITION_FAILED:
            return False
        raise
    return True
