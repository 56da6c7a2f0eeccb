"""What a location can ship on a day, and who has taken how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, Self

from oms.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class CapacityChange:
    """Units of a location's ship day: taken, or given back when below zero."""

    location_id: str
    day: date
    units: int

    def given_back(self) -> CapacityChange:
        return replace(self, units=-self.units)


class Overbooked(NamedTuple):
    location_id: str
    day: date
    units: int
    left: int


class CapacityFull(Refused):
    """The day has less left than was asked for; every full day is named."""

    def __init__(self, days: Iterable[Overbooked]) -> None:
        self.days = tuple(days)
        full = (
            f"{d.units} units at {d.location_id} on {d.day}, {max(0, d.left)} left"
            for d in self.days
        )
        super().__init__("; ".join(full))

    def merged(self, other: Self) -> CapacityFull:
        return CapacityFull(self.days + other.days)


def summed(changes: Iterable[CapacityChange]) -> tuple[CapacityChange, ...]:
    """One change per location and day: a row is written once in a transaction."""
    totals: dict[tuple[str, date], int] = {}
    for change in changes:
        place = change.location_id, change.day
        totals[place] = totals.get(place, 0) + change.units
    return tuple(CapacityChange(*place, units) for place, units in sorted(totals.items()) if units)


def full_days(left: Mapping[tuple[str, date], int], location_id: str, units: int = 1) -> set[date]:
    """Days on which the location cannot ship so many units; days without a limit are not in it."""
    return {day for (each, day), room in left.items() if each == location_id and room < units}
