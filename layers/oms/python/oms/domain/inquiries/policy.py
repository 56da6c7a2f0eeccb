"""How inquiries are dealt with: what they are about, how soon they are answered, in which hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from oms.domain.inquiries.model import Priority, Targets
from oms.domain.network.calendars import ALL_WEEK, Calendar, Opening

MINUTE = 60  # seconds
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Category:
    """`offered`: customers may choose it on their page."""

    code: str
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Hours:
    """Local time, as `hh:mm`; 24:00 is the day's end."""

    weekday: str
    opens: str
    closes: str

    @property
    def opening(self) -> Opening:
        return Opening(WEEKDAYS.index(self.weekday), _minutes(self.opens), _minutes(self.closes))


@dataclass(frozen=True, slots=True)
class Target:
    """Minutes of open hours; an empty category or priority is any."""

    category: str = ""
    priority: str = ""
    first_answer: int = 8 * 60
    resolution: int = 40 * 60


CATEGORIES = (
    Category("where_is_it"),
    Category("damaged"),
    Category("wrong_item"),
    Category("missing_item"),
    Category("return"),
    Category("refund"),
    Category("change_order"),
    Category("payment"),
    Category("other"),
    Category("mail", offered=False),
)
URGENT = Target(priority=Priority.URGENT, first_answer=60, resolution=8 * 60)


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """`opening`: the hours that count, all of them where there are none; `close_after_days`: what
    is resolved and heard of no more is closed; `most_open`: inquiries of one order, or of one
    customer without an order."""

    categories: tuple[Category, ...] = CATEGORIES
    targets: tuple[Target, ...] = (Target(), URGENT)
    time_zone: str = "UTC"
    opening: tuple[Hours, ...] = ()
    holidays: tuple[date, ...] = ()
    close_after_days: int = 14
    most_open: int = 5
    mail_category: str = "mail"

    def knows(self, category: str) -> bool:
        return any(each.code == category for each in self.categories)

    @property
    def calendar(self) -> Calendar:
        hours = tuple(each.opening for each in self.opening)
        return Calendar(self.time_zone, hours or ALL_WEEK, self.holidays)

    @property
    def offered(self) -> tuple[str, ...]:
        return tuple(each.code for each in self.categories if each.offered)

    def targets_of(self, category: str, priority: str) -> Targets:
        """Of those that fit, the one that says the most: a category before a priority."""
        fitting = (
            each
            for each in self.targets
            if each.category in ("", category) and each.priority in ("", priority)
        )
        best = max(fitting, key=lambda x: (bool(x.category), bool(x.priority)), default=Target())
        return Targets(best.first_answer * MINUTE, best.resolution * MINUTE)


def _minutes(clock: str) -> int:
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)
