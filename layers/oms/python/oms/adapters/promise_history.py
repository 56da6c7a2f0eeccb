"""How promises ended, in the reports table: counters by day of arrival and lane, each fulfillment
order counted once.

PROMISES#<yyyy-mm> / <yyyy-mm-dd>#<location>#<carrier>#<method>#<zone>
    promised, on_time, early, late, late_days; parcels by days: t00 … t30 of the way, w00 … w30
    since they should have left, h00 … h30 from assignment to hand-over; the last of each: or more
ARRIVED#<fulfillment order> / SEEN    it was counted

A marker and its counters are written in one transaction: 2 + 2 write units for one order alone, 2
and a share for each of many that are counted at once. Only what had a promised day comes here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any
from urllib.parse import quote, unquote

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.domain.errors import OmsError
from oms.domain.network.lanes import Lane
from oms.domain.promising.history import Times, histogram
from oms.domain.promising.measuring import Outcome
from oms.settings import setting

CHUNK = db.MAX_TRANSACTION_ITEMS // 2  # a marker each, and at worst a row of counters each
SEEN_FOR = timedelta(days=90)
FIGURES = ("promised", "on_time", "early", "late", "late_days")
TRANSIT, WHOLE, HANDLING = "t", "w", "h"


@dataclass(frozen=True, slots=True)
class Ended:
    fulfillment_order_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class DayOfPromises:
    """Parcels by days, of the way, of the handling, and since they should have left."""

    day: date
    lane: Lane
    figures: Mapping[str, int]
    transit: Mapping[int, int]
    handling: Mapping[int, int]
    whole: Mapping[int, int]


class AlreadyCounted(OmsError):
    """Some were counted before; nothing was written."""

    def __init__(self, identities: frozenset[str]) -> None:
        super().__init__(f"{len(identities)} were counted before")
        self.identities = identities

    def merged(self, other: AlreadyCounted) -> AlreadyCounted:
        return AlreadyCounted(self.identities | other.identities)


class PromiseHistory:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def count(self, ended: Sequence[Ended], now: datetime) -> None:
        """Each once, all in one transaction; at most `CHUNK` of them."""
        fresh = list({each.fulfillment_order_id: each for each in ended}.values())
        while fresh:
            try:
                return db.transact(self._client, [*self._markers(fresh, now), *self._adds(fresh)])
            except AlreadyCounted as error:
                fresh = [x for x in fresh if x.fulfillment_order_id not in error.identities]
        return None

    def days(self, first: date, last: date) -> Iterator[DayOfPromises]:
        """Every row of these days of arrival, in order."""
        for month in _months(first, last):
            rows = db.query(
                self._client,
                TableName=self._table,
                KeyConditionExpression="PK = :pk AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": db.s(f"PROMISES#{month}"),
                    ":first": db.s(first.isoformat()),
                    ":last": db.s(f"{last.isoformat()}#\U0010ffff"),
                },
            )
            yield from map(_read, rows)

    def times(self, first: date, last: date) -> dict[Lane, Times]:
        """Of each lane, all of these days together."""
        whole: dict[Lane, Counter[int]] = {}
        transit: dict[Lane, Counter[int]] = {}
        for row in self.days(first, last):
            whole.setdefault(row.lane, Counter()).update(row.whole)
            transit.setdefault(row.lane, Counter()).update(row.transit)
        return {
            lane: Times(histogram(counts), histogram(transit[lane]))
            for lane, counts in whole.items()
        }

    def _markers(self, ended: Iterable[Ended], now: datetime) -> Iterator[Write]:
        expires = db.n(int((now + SEEN_FOR).timestamp()))
        for each in ended:
            identity = each.fulfillment_order_id
            item = {**db.key(f"ARRIVED#{identity}", "SEEN"), "expires_at": expires}
            put = {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(PK)",
            }
            yield Write({"Put": put}, partial(_counted_before, identity))

    def _adds(self, ended: Iterable[Ended]) -> Iterator[Write]:
        rows: dict[tuple[date, Lane], Counter[str]] = {}
        for each in ended:
            row = (each.outcome.day, each.outcome.lane)
            rows.setdefault(row, Counter()).update(_figures(each.outcome))
        for (day, lane), figures in rows.items():
            yield Write({"Update": {"TableName": self._table, **_add(_key(day, lane), figures)}})


@cache
def promise_history() -> PromiseHistory:
    return PromiseHistory(db.client(), setting("REPORTS_TABLE"))


def _counted_before(identity: str, old: Item | None) -> Exception:  # noqa: ARG001
    return AlreadyCounted(frozenset({identity}))


def _figures(found: Outcome) -> dict[str, int]:
    late = found.late_days
    counted = {
        "promised": 1,
        "on_time": int(late <= 0),
        "early": int(late < 0),
        "late": int(late > 0),
        "late_days": max(late, 0),
    }
    measured = ((TRANSIT, found.transit), (WHOLE, found.whole), (HANDLING, found.handling))
    for prefix, days in measured:
        if days is not None:
            counted[f"{prefix}{days:02}"] = 1
    return counted


def _add(key: Item, figures: Mapping[str, int]) -> dict[str, Any]:
    names = sorted(name for name, count in figures.items() if count)
    return {
        "Key": key,
        "UpdateExpression": "ADD " + ", ".join(f"#{name} :{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": {f":{name}": db.n(figures[name]) for name in names},
    }


def _key(day: date, lane: Lane) -> Item:
    parts = (lane.location_id, lane.carrier, lane.method, lane.zone)
    sort = "#".join([day.isoformat(), *(quote(part, safe="") for part in parts)])
    return db.key(f"PROMISES#{day.isoformat()[:7]}", sort)


def _read(row: Item) -> DayOfPromises:
    day, *parts = db.text(row, "SK").split("#")
    location, carrier, method, zone = map(unquote, parts)
    figures = {name: db.number(row, name) for name in FIGURES if name in row}
    return DayOfPromises(
        date.fromisoformat(day),
        Lane(carrier, method, zone, location),
        figures,
        _buckets(row, TRANSIT),
        _buckets(row, HANDLING),
        _buckets(row, WHOLE),
    )


def _buckets(row: Item, prefix: str) -> dict[int, int]:
    names = [name for name in row if name[0] == prefix and name[1:].isdigit()]
    return {int(name[1:]): db.number(row, name) for name in names}


def _months(first: date, last: date) -> Iterator[str]:
    for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield f"{month // 12:04}-{month % 12 + 1:02}"
