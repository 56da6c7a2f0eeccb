"""From rows as they are kept to a report as it is asked for."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from oms.domain.errors import OmsError
from oms.domain.reporting.base import hour_bucket
from oms.domain.reporting.description import (
    DAY,
    HOUR,
    MONTH,
    QUARTER,
    TIMES,
    WEEK,
    WHOLE_MONTHS,
    YEAR,
    Axis,
    Report,
)

MOST_HOURLY, MOST_MONTHLY = 92, 3_660  # days of a period whose rows are hours, or months
MOST_ROWS = 20_000
A_DAY = timedelta(days=1)

DAYS = "days"

Key = tuple[str, ...]
Table = dict[Key, Counter[str]]
Times = tuple[tuple[str, str], ...]
Summed = dict[tuple[Times, Key], Counter[str]]
Look = Callable[[str, Iterable[str]], Mapping[str, str]]  # a dimension of values, by value
Shift = Callable[[date], date]


class Unanswerable(OmsError):
    """`name` of what was asked, and why it cannot be."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True)
class Period:
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def months(self) -> int:
        """How many whole ones it is; 0 where it is none."""
        ends = self.last.day == monthrange(self.last.year, self.last.month)[1]
        if self.first.day != 1 or not ends:
            return 0
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1


@dataclass(frozen=True, slots=True)
class Asked:
    """`zone`: whose days; `kept_zone`: those that the rows have been counted by."""

    period: Period
    group_by: tuple[str, ...]
    filters: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    kept_zone: str = "UTC"

    @property
    def times(self) -> tuple[str, ...]:
        return tuple(name for name in self.group_by if name in TIMES)

    @property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(name for name in self.group_by if name not in TIMES)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rows are read. `distinct`: the axes that have the asked rows just as they are."""

    report: Report
    asked: Asked
    axis: Axis
    grain: str
    distinct: tuple[Axis, ...] = ()

    def buckets(self, period: Period) -> tuple[str, str]:
        """The first and the last."""
        if self.grain == MONTH:
            return period.first.isoformat()[:7], period.last.isoformat()[:7]
        if self.grain == DAY:
            return period.first.isoformat(), period.last.isoformat()
        zone = ZoneInfo(self.asked.zone)
        begins = datetime.combine(period.first, time(), zone)
        ends = datetime.combine(period.last + A_DAY, time(), zone).astimezone(UTC)
        return hour_bucket(begins), hour_bucket(ends - timedelta(hours=1))

    @property
    def figures(self) -> tuple[str, ...]:
        return (*self.axis.figures, *(name for each in self.distinct for name in each.figures))


@dataclass(slots=True)
class Closings:
    """Figures of the end of a bucket: those of the last one of each of the times asked for, whether
    a row has that one or not."""

    names: frozenset[str]
    buckets: dict[Times, set[str]] = field(default_factory=dict)
    last: dict[tuple[Times, Key], tuple[str, Counter[str]]] = field(default_factory=dict)

    def take(self, bucket: str, place: tuple[Times, Key], figures: Mapping[str, int]) -> None:
        self.buckets.setdefault(place[0], set()).add(bucket)
        known, sums = self.last.get(place, ("", Counter()))
        if bucket > known:
            sums = Counter()
        if bucket >= known:
            sums.update({name: n for name, n in figures.items() if name in self.names})
            self.last[place] = (bucket, sums)

    def add_to(self, found: Summed) -> None:
        for place, (bucket, sums) in self.last.items():
            if bucket == max(self.buckets[place[0]]):
                found[place].update(sums)

    @property
    def days(self) -> dict[Times, int]:
        return {times: len(buckets) for times, buckets in self.buckets.items()}


class Row(NamedTuple):
    """As it is kept: what of the axis it is for."""

    bucket: str
    of: tuple[str, ...]
    figures: Mapping[str, int]


def plan(report: Report, asked: Asked) -> Plan:
    """`Unanswerable` says what of it cannot be asked."""
    axis = _axis(report, asked)
    always = (x for x in report.always if x in axis.of and x not in asked.group_by)
    grouped = (*asked.group_by, *always)
    asked = Asked(asked.period, grouped, asked.filters, asked.zone, asked.kept_zone)
    grain = _grain(axis, asked)
    _check_length(axis, asked.period, grain)
    return Plan(report, asked, axis, grain, tuple(_exact(report, asked)))


def tabulated(plan: Plan, axis: Axis, rows: Iterable[Row], look: Look, shift: Shift) -> Table:
    """Summed by what is asked for. `shift` moves the days of an earlier period to this one's."""
    kept, days = _by_times(plan, axis, rows, shift)
    places = {name: i for i, name in enumerate(axis.of)}
    found = {
        each.name: look(each.name, {of[places[each.by]] for _, of in kept})
        for each in plan.report.lookups
        if each.name in {*plan.asked.dimensions, *plan.asked.filters} and each.by in places
    }
    table: Table = {}
    for (times, of), figures in kept.items():
        values = {name: of[place] for name, place in places.items()}
        values |= {name: meant.get(values[_by(plan, name)], "") for name, meant in found.items()}
        if all(values[name] == wanted for name, wanted in plan.asked.filters.items()):
            labels = {**values, **dict(times)}
            key = tuple(labels[name] for name in plan.asked.group_by)
            table.setdefault(key, Counter()).update(figures)
            if axis.closing:
                table[key][DAYS] = days[times]
    if len(table) > MOST_ROWS:
        raise Unanswerable("group_by", f"gives more than {MOST_ROWS:,} rows: ask for fewer")
    return table


def shown(plan: Plan, figures: Mapping[str, int]) -> dict[str, int | float | None]:
    """All figures that such rows have, zeros too, and what is made of them."""
    told: dict[str, int | float | None] = {name: figures.get(name, 0) for name in plan.figures}
    for each in plan.report.derived:
        if set(each.needs) <= set(plan.figures):
            told[each.name] = each.of(figures)
    return told


def totals(plan: Plan, table: Table) -> Table:
    """By what has no sum, such as currencies; what is distinct has none either."""
    names = plan.asked.group_by
    places = [names.index(name) for name in plan.report.always if name in names]
    last, days = _ends(plan, table)
    found: Table = {}
    for key, figures in table.items():
        gone = set() if _times_of(plan, key) == last else plan.axis.closing
        added = {name: figures[name] for name in plan.axis.figures if name not in gone}
        found.setdefault(tuple(key[place] for place in places), Counter()).update(added)
    for sums in found.values() if plan.axis.closing else ():
        sums[DAYS] = days
    return found


def compared(period: Period, how: str) -> tuple[Period, Shift]:
    """The earlier period, and how its days become this one's: a day that a month does not have
    counts with the month's last."""
    try:
        if how == "last_year":
            return _moved(period, -12), lambda day: in_months(day, 12)
        if period.months:
            return _moved(period, -period.months), lambda day: in_months(day, period.months)
        by = timedelta(days=period.days)
        return Period(period.first - by, period.last - by), lambda day: day + by
    except (OverflowError, ValueError):
        raise Unanswerable("compare", "would look back before the calendar begins") from None


def in_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def label(name: str, day: date, hour: int = 0) -> str:
    if name == WEEK:
        iso = day.isocalendar()
        return f"{iso.year:04}-W{iso.week:02}"
    if name == QUARTER:
        return f"{day.year:04}-Q{(day.month + 2) // 3}"
    said = f"{day.isoformat()}T{hour:02}"
    return said[: {YEAR: 4, MONTH: 7, DAY: 10}.get(name, 13)]


def same(day: date) -> date:
    return day


def _moved(period: Period, months: int) -> Period:
    first, last = in_months(period.first, months), in_months(period.last, months)
    if period.months:
        last = last.replace(day=monthrange(last.year, last.month)[1])
    return Period(first, last)


def _ends(plan: Plan, table: Table) -> tuple[Key, int]:
    """The last of the times that rows are of, and of how many days all are."""
    days = {_times_of(plan, key): figures[DAYS] for key, figures in table.items()}
    return max(days, default=()), sum(days.values())


def _times_of(plan: Plan, key: Key) -> Key:
    """From the longest to the shortest: they sort as time goes."""
    names = plan.asked.group_by
    return tuple(key[names.index(name)] for name in reversed(TIMES) if name in names)


def _by(plan: Plan, name: str) -> str:
    return plan.report.kept_by(name)


def _by_times(
    plan: Plan, axis: Axis, rows: Iterable[Row], shift: Shift
) -> tuple[Summed, dict[Times, int]]:
    """Without the values that nobody asked for: `of` keeps its places, those are empty. And of how
    many days each is, where positions are told."""
    asked = plan.asked
    needed = {_by(plan, name) for name in (*asked.dimensions, *asked.filters)}
    wanted = [name in needed for name in axis.of]
    known: dict[str, Times] = {}
    closings = Closings(axis.closing)
    found: Summed = {}
    for bucket, of, figures in rows:
        if bucket not in known:
            known[bucket] = tuple(_times(asked, bucket, shift))
        kept = tuple(x if keep else "" for x, keep in zip(of, wanted, strict=True))
        place = (known[bucket], kept)
        sums = found.setdefault(place, Counter())
        if not axis.closing:
            sums.update(figures)
            continue
        closings.take(bucket, place, figures)
        sums.update({name: n for name, n in figures.items() if name not in axis.closing})
    closings.add_to(found)
    return found, closings.days


def _times(asked: Asked, bucket: str, shift: Shift) -> Iterator[tuple[str, str]]:
    day, hour = _moment(bucket, asked.zone)
    for name in asked.times:
        yield name, label(name, shift(day), hour)


def _moment(bucket: str, zone: str) -> tuple[date, int]:
    if len(bucket) < len("2011-10-03T14"):
        return date.fromisoformat(f"{bucket}-01"[:10]), 0
    at = datetime.fromisoformat(f"{bucket}:00:00+00:00").astimezone(ZoneInfo(zone))
    return at.date(), at.hour


def _axis(report: Report, asked: Asked) -> Axis:
    wanted = (*asked.dimensions, *asked.filters)
    for name in wanted:
        if name not in report.dimensions:
            known = ", ".join((*TIMES, *report.dimensions))
            raise Unanswerable("group_by", f"knows no {name}: there are {known}")
    needed = {report.kept_by(name) for name in wanted}
    for axis in report.axes:
        if not axis.distinct and needed <= set(axis.of):
            return axis
    named = ", ".join(dict.fromkeys(x for x in wanted if x not in report.always))
    raise Unanswerable("group_by", f"{named} do not go together; these do: {_together(report)}")


def _together(report: Report) -> str:
    groups = []
    for axis in report.axes:
        looked = tuple(each.name for each in report.lookups if each.by in axis.of)
        groups.append(", ".join([*axis.of, *looked]))
    kept = zip(report.axes, groups, strict=True)
    return "; ".join(group for axis, group in kept if not axis.distinct)


def _grain(axis: Axis, asked: Asked) -> str:
    if HOUR in asked.times or asked.zone != asked.kept_zone:
        _check_hours(axis, asked)
        return HOUR
    whole = asked.period.months and set(asked.times) <= WHOLE_MONTHS
    return MONTH if whole and MONTH in axis.buckets else DAY


def _check_hours(axis: Axis, asked: Asked) -> None:
    """Hours are kept as those of UTC."""
    other = asked.zone != asked.kept_zone
    if HOUR not in axis.buckets:
        why = f"can only be {asked.kept_zone} for these" if other else "has no hours for these"
        raise Unanswerable("time_zone" if other else "group_by", why)
    _check_length(axis, asked.period, HOUR)
    if not date.min.year < asked.period.first.year <= asked.period.last.year < date.max.year:
        raise Unanswerable("from", "is too far away for hours")
    zone, day = ZoneInfo(asked.zone), asked.period.first
    while day <= asked.period.last:
        offset = datetime.combine(day, time(), zone).utcoffset() or timedelta()
        if offset.total_seconds() % 3600:
            raise Unanswerable("time_zone", f"{asked.zone} is not whole hours from UTC")
        day += A_DAY


def _check_length(axis: Axis, period: Period, grain: str) -> None:
    most = {HOUR: MOST_HOURLY, DAY: axis.most_days, MONTH: MOST_MONTHLY}[grain]
    if period.days - 1 > most:
        more = {
            HOUR: " where hours are read: of more, ask by days of the reports' own time zone",
            DAY: "; whole months may be more, by month, quarter or year",
            MONTH: "",
        }[grain]
        raise Unanswerable("from", f"is more than {most:,} days before to{more}")


def _exact(report: Report, asked: Asked) -> Iterator[Axis]:
    """What is counted once in such a row, and nowhere else."""
    if asked.times not in ((MONTH,), (DAY,)) or asked.zone != asked.kept_zone:
        return
    if asked.times == (MONTH,) and not asked.period.months:
        return
    for axis in report.axes:
        kept = axis.distinct and asked.times[0] in axis.buckets
        if kept and set(axis.of) == set(asked.dimensions) >= set(asked.filters):
            yield axis
