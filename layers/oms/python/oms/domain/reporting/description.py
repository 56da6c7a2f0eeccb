"""What a report has: which figures, by what, in which buckets; what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

HOUR, DAY, WEEK, MONTH, QUARTER, YEAR = "hour", "day", "week", "month", "quarter", "year"
TIMES = (HOUR, DAY, WEEK, MONTH, QUARTER, YEAR)
WHOLE_MONTHS = frozenset({MONTH, QUARTER, YEAR})

Derive = Callable[[Mapping[str, int]], "int | float | None"]


@dataclass(frozen=True, slots=True)
class Axis:
    """Rows by `of`, kept for each of these `buckets` (hour, day, month). `distinct`: what is
    counted once in a row is not added up to others, such as customers; it is told where rows are
    asked for exactly as they are kept. `most_days`: so many may be asked for day by day.

    `closing`: figures that are of the end of a bucket: of several buckets the last one's are taken.
    Rows of such an axis tell of how many `days` they are, of those that were counted."""

    name: str
    of: tuple[str, ...]
    figures: tuple[str, ...]
    buckets: frozenset[str] = frozenset({DAY, MONTH})
    distinct: bool = False
    most_days: int = 400
    closing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Derived:
    """Made of the figures `needs` that were added up, never added up itself; None where it means
    nothing."""

    name: str
    of: Derive
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """`name` is what a value of `by` belongs to now, such as the category of a SKU."""

    name: str
    by: str


@dataclass(frozen=True, slots=True)
class Report:
    """`always`: grouped by it, asked for or not, where rows have it: amounts of two currencies have
    no sum. `money`: the figures that are amounts, in minor units."""

    name: str
    axes: tuple[Axis, ...]
    derived: tuple[Derived, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    default: tuple[str, ...] = (DAY,)
    always: tuple[str, ...] = ("currency",)
    money: frozenset[str] = frozenset()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Everything that it can be grouped by, beside times."""
        kept = dict.fromkeys(name for axis in self.axes for name in axis.of)
        return (*kept, *(each.name for each in self.lookups))

    def kept_by(self, dimension: str) -> str:
        """What rows are kept by, to be grouped so."""
        return next((each.by for each in self.lookups if each.name == dimension), dimension)


def ratio(name: str, part: str, whole: str) -> Derived:
    """Four places of it."""

    def made(figures: Mapping[str, int]) -> float | None:
        of = figures.get(whole, 0)
        return round(figures.get(part, 0) / of, 4) if of else None

    return Derived(name, made, (part, whole))


def hours(name: str, step: str) -> Derived:
    """That it took on average, two places."""
    seconds, count = f"{step}_seconds", f"{step}_count"

    def made(figures: Mapping[str, int]) -> float | None:
        of = figures.get(count, 0)
        return round(figures.get(seconds, 0) / of / 3600, 2) if of else None

    return Derived(name, made, (seconds, count))


def average(name: str, sum_: str, count: str) -> Derived:
    """Of amounts: rounded to minor units."""

    def made(figures: Mapping[str, int]) -> int | None:
        of = figures.get(count, 0)
        return round(figures.get(sum_, 0) / of) if of else None

    return Derived(name, made, (sum_, count))


def added(name: str, *parts: str) -> Derived:
    return Derived(name, lambda figures: sum(figures.get(each, 0) for each in parts), parts)


def less(name: str, first: str, *others: str) -> Derived:
    def made(figures: Mapping[str, int]) -> int:
        return figures.get(first, 0) - sum(figures.get(each, 0) for each in others)

    return Derived(name, made, (first, *others))
