"""The units that each location's ship days have taken: a counter per location and day.

Only days of locations with a limit are counted: whoever takes keeps the change with its decision,
and gives back what it kept. A counter is written in the transaction of the order that takes or
gives back, and that order's own conditional version makes it count once: never write one alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, partial

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Refusal,
    Write,
    batch_get,
    client,
    n,
    number,
    text,
)
from oms.adapters.network_rows import capacity_key
from oms.domain.errors import Refused
from oms.domain.locations import Location
from oms.domain.network.capacity import CapacityChange, CapacityFull, Overbooked, summed
from oms.settings import setting


class NotTaken(Refused):
    """More is given back than was taken: somebody has done it before."""

    def __init__(self, change: CapacityChange) -> None:
        super().__init__(f"{-change.units} units of {change.location_id} on {change.day}")
        self.change = change


class CapacitySlots:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name

    def writes(
        self, changes: Iterable[CapacityChange], limits: Mapping[str, int | None]
    ) -> list[Write]:
        """One for each location and day; `limits` are units per day, by location.

        What is taken where there is no limit is not counted. What is given back is, whatever the
        limit is by now.
        """
        return [
            write
            for change in summed(changes)
            if (write := self._write(change, limits.get(change.location_id))) is not None
        ]

    def used(
        self, location_ids: Iterable[str], days: Sequence[date]
    ) -> dict[tuple[str, date], int]:
        """By location and day; 0 where nobody has taken anything."""
        slots = [(location_id, day) for location_id in set(location_ids) for day in set(days)]
        rows = batch_get(self._client, self._table, (capacity_key(*slot) for slot in slots))
        return dict.fromkeys(slots, 0) | dict(map(_read, rows))

    def left(
        self, locations: Iterable[Location], days: Sequence[date]
    ) -> dict[tuple[str, date], int]:
        """By location and day, of the locations that have a limit; below zero after a cut."""
        return dict(self._left(list(locations), days))

    def _left(
        self, locations: Sequence[Location], days: Sequence[date]
    ) -> Iterator[tuple[tuple[str, date], int]]:
        limits = {each.location_id: each.daily_capacity for each in locations}
        limited = [name for name, limit in limits.items() if limit is not None]
        for (location_id, day), used in self.used(limited, days).items():
            yield (location_id, day), (limits[location_id] or 0) - used

    def _write(self, change: CapacityChange, limit: int | None) -> Write | None:
        if change.units < 0:
            values = {":least": n(-change.units)}
            return self._add(change, "used >= :least", values, lambda _: NotTaken(change))
        if limit is None:
            return None
        room = limit - change.units
        free = "used <= :room" + (" OR attribute_not_exists(used)" if room >= 0 else "")
        return self._add(change, free, {":room": n(room)}, partial(_full, change, limit))

    def _add(self, change: CapacityChange, condition: str, values: Item, refusal: Refusal) -> Write:
        update = {
            "TableName": self._table,
            "Key": capacity_key(change.location_id, change.day),
            "UpdateExpression": "ADD used :units",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":units": n(change.units), **values},
        }
        return Write({"Update": update}, refusal)


def _full(change: CapacityChange, limit: int, old: Item | None) -> CapacityFull:
    used = number(old, "used") if old else 0
    day = Overbooked(change.location_id, change.day, change.units, limit - used)
    return CapacityFull([day])


def _read(row: Item) -> tuple[tuple[str, date], int]:
    location_id = text(row, "PK").removeprefix("CAPACITY#")
    return (location_id, date.fromisoformat(text(row, "SK"))), number(row, "used")


@cache
def capacity_slots() -> CapacitySlots:
    return CapacitySlots(client(), setting("STOCK_TABLE"))
