"""The figures of reports, by axis and bucket.

FIGURES#<report>.<generation>#<axis>#<period> / <bucket>#<value>#…   the figures; `n`, the last
                                    segment that is in them; `period` is the bucket's month, a
                                    month's year: what lies in one partition
ONCE#<report>.<generation>#<axis>#<period> / <bucket>#<value>#…#<name>   `n`, the segment that
                                    counts this name in that row
PARTITIONS#<report>.<generation> / <partition>   where there are such rows: to delete them one day
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.generations import Generation
from oms.domain.reporting.base import Count
from oms.settings import setting

CONDITION_FAILED = "ConditionalCheckFailedException"
LAST = "\U0010ffff"
OWN = frozenset({"PK", "SK", "n"})  # attributes that are no figures
GRAINS = {4: "year", 7: "month", 10: "day", 13: "hour"}  # by the length of a bucket's name

AT_ONCE = 100  # rows that are deleted

IsLate = Callable[[], bool]
Place = tuple[str, str]  # of a row: PK and SK
Placed = tuple[Place, Count]


@dataclass(frozen=True, slots=True)
class Figures:
    """A row as it is read."""

    bucket: str
    of: tuple[str, ...]
    figures: Mapping[str, int] = field(default_factory=dict)


class FiguresTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table
        self._noted: set[str] = set()

    def add(
        self, generation: Generation, number: int, counts: Sequence[Count], threads: Executor
    ) -> int:
        """What the segment of this number adds, once; to how many rows."""
        placed = [(_place(generation, count), count) for count in counts]
        self._note(generation, placed)
        rows: dict[Place, Counter[str]] = {}
        for place, count in self._first(number, placed, threads):
            rows.setdefault(place, Counter()).update(count.figures)
        updates = [(place, figures) for place, figures in rows.items() if any(figures.values())]
        return sum(threads.map(lambda each: self._add(number, *each), updates))

    def put(
        self, generation: Generation, number: int, counts: Sequence[Count], threads: Executor
    ) -> None:
        """Whole rows, in the place of those that were counted before."""
        placed = [(_place(generation, count), count) for count in counts]
        self._note(generation, placed)
        list(threads.map(lambda each: self._put(number, *each), placed))

    def rows(self, generation: Generation, axis: str, first: str, last: str) -> Iterator[Figures]:
        """From the first of these buckets to the last; both have the same grain."""
        for period in periods(first, last):
            yield from self._between(generation, axis, period, first, f"{last}#{LAST}")

    def rows_of(
        self, generation: Generation, axis: str, buckets: Iterable[str], value: str
    ) -> Iterator[Figures]:
        """Those that have this value in the first place, without reading the others."""
        for bucket in buckets:
            (period,) = periods(bucket, bucket)
            begins = f"{bucket}#{_quoted(value)}#"
            yield from self._between(generation, axis, period, begins, f"{begins}{LAST}")

    def delete(self, generation: Generation, threads: Executor, is_late: IsLate) -> bool:
        """All rows of the generation; False where there was no time for all."""
        noted = f"PARTITIONS#{generation.name}"
        for place in self._keys(noted):
            if not self._emptied(db.text(place, "SK"), threads, is_late):
                return False
            self._delete(place)
        return True

    def _between(
        self, generation: Generation, axis: str, period: str, first: str, last: str
    ) -> Iterator[Figures]:
        found = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": db.s(f"FIGURES#{generation.name}#{axis}#{period}"),
                ":first": db.s(first),
                ":last": db.s(last),
            },
        )
        return map(_read, found)

    def _emptied(self, partition: str, threads: Executor, is_late: IsLate) -> bool:
        keys = self._keys(partition)
        while together := list(islice(keys, AT_ONCE)):
            if is_late():
                return False
            list(threads.map(self._delete, together))
        return True

    def _keys(self, partition: str) -> Iterator[Item]:
        found = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(partition)},
            ProjectionExpression="PK, SK",
        )
        return (db.key(db.text(row, "PK"), db.text(row, "SK")) for row in found)

    def _delete(self, key: Item) -> None:
        self._client.delete_item(TableName=self._table, Key=key)

    def _note(self, generation: Generation, placed: Iterable[Placed]) -> None:
        """Partitions are known before there is a row in them: to be emptied one day."""
        partitions = {partition for (partition, _), _ in placed}
        partitions |= {_once(place, count)[0] for place, count in placed if count.once}
        for partition in sorted(partitions - self._noted):
            item = db.key(f"PARTITIONS#{generation.name}", partition)
            self._client.put_item(TableName=self._table, Item=item)
            self._noted.add(partition)

    def _first(self, number: int, placed: Sequence[Placed], threads: Executor) -> list[Placed]:
        """Without those that others have counted under the same name."""
        named: dict[Place, Placed] = {}
        for place, count in placed:
            if count.once:
                named.setdefault(_once(place, count), (place, count))
        mine = threads.map(lambda place: self._take(number, place), named)
        firsts = [each for each, taken in zip(named.values(), mine, strict=True) if taken]
        return [*(each for each in placed if not each[1].once), *firsts]

    def _take(self, number: int, place: Place) -> bool:
        answer = self._client.update_item(
            TableName=self._table,
            Key=db.key(*place),
            UpdateExpression="SET #n = if_not_exists(#n, :n)",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":n": db.n(number)},
            ReturnValues="ALL_NEW",
        )
        return db.number(answer["Attributes"], "n") == number

    def _put(self, number: int, place: Place, count: Count) -> None:
        figures = {name: db.n(figure) for name, figure in count.figures.items() if figure}
        item = {**db.key(*place), "n": db.n(number), **figures}
        self._client.put_item(TableName=self._table, Item=item)

    def _add(self, number: int, place: Place, figures: Mapping[str, int]) -> int:
        try:
            self._client.update_item(
                TableName=self._table, Key=db.key(*place), **_addition(number, figures)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            return 0
        return 1


@cache
def figures_table() -> FiguresTable:
    return FiguresTable(db.client(), setting("REPORTS_TABLE"))


def _addition(number: int, figures: Mapping[str, int]) -> dict[str, Any]:
    names = sorted(name for name, figure in figures.items() if figure)
    adds = ", ".join(f"#{i} :{i}" for i in range(len(names)))
    return {
        "UpdateExpression": f"ADD {adds} SET #n = :n",
        "ConditionExpression": "attribute_not_exists(#n) OR #n < :n",
        "ExpressionAttributeNames": {"#n": "n", **{f"#{i}": x for i, x in enumerate(names)}},
        "ExpressionAttributeValues": {
            ":n": db.n(number),
            **{f":{i}": db.n(figures[name]) for i, name in enumerate(names)},
        },
    }


def periods(first: str, last: str) -> Iterator[str]:
    """The partitions from bucket to bucket: by years for months, else by months."""
    grain = GRAINS[len(first)]
    if grain == "month":
        yield from (f"{grain}#{year:04}" for year in range(int(first[:4]), int(last[:4]) + 1))
        return
    for month in range(_month(first), _month(last) + 1):
        yield f"{grain}#{month // 12:04}-{month % 12 + 1:02}"


def _month(bucket: str) -> int:
    return int(bucket[:4]) * 12 + int(bucket[5:7]) - 1


def _place(generation: Generation, count: Count) -> Place:
    (period,) = periods(count.bucket, count.bucket)
    row = "#".join([count.bucket, *map(_quoted, count.of)])
    return f"FIGURES#{generation.name}#{count.axis}#{period}", row


def _once(place: Place, count: Count) -> Place:
    partition, row = place
    return f"ONCE#{partition.removeprefix('FIGURES#')}", f"{row}#{count.once}"


def _read(item: Item) -> Figures:
    bucket, *of = db.text(item, "SK").split("#")
    figures = {name: db.number(item, name) for name in item if name not in OWN}
    return Figures(bucket, tuple(map(_unquoted, of)), figures)


def _quoted(value: str) -> str:
    return value.replace("%", "%25").replace("#", "%23")


def _unquoted(value: str) -> str:
    return value.replace("%23", "#").replace("%25", "%")
