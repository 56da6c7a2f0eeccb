"""The way from a location to where it delivers: what its parcels have in common, and how long it
takes.

Days are counted as the carrier's card counts them: those on which it delivers, after the ship day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from oms.domain.network.calendars import nth_day

WORKDAYS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Lane:
    """`zone` is one of the carrier's card."""

    carrier: str
    method: str
    zone: str
    location_id: str


@dataclass(frozen=True, slots=True)
class Measured:
    """With a probability of `confidence` percent a parcel is there within `days` of the day on
    which its location should have shipped it: what is handed over late is in it. Of `parcels` that
    were measured, `on_time` were. `transit`: as surely within so many days of the hand-over.

    `earlier`: both may be less than the carrier's own table.
    """

    lane: Lane
    days: int
    parcels: int
    on_time: int
    confidence: int
    earlier: bool = False
    transit: int | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a day of arrival was made of: `days` after the one on which it should be shipped; None:
    nobody tells how long it takes. Of what has been shipped: `transit` days after that, where those
    are known apart.

    Without `parcels` it is from the carrier's table, in this version of its card, and nothing says
    how sure it is. `cut_off` is a minute of the location's local day; `utc_hours` is what clocks at
    the destination are ahead of UTC, as well as its longitude tells.
    """

    carrier: str
    method: str
    zone: str = ""
    version: int = 0
    days: int | None = None
    weekdays: tuple[int, ...] = WORKDAYS
    parcels: int = 0
    on_time: int = 0
    confidence: int = 0
    cut_off: int | None = None
    time_zone: str = "UTC"
    utc_hours: int = 0
    transit: int | None = None

    def shipped_on(self, at: datetime) -> date:
        """The location's local day."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def there_on(self, at: datetime) -> date:
        """The destination's local day."""
        return local_day(at, self.utc_hours)

    def arrival(self, shipped: date) -> date | None:
        """Of what was handed over on that day."""
        days = self.days if self.transit is None else self.transit
        return None if days is None else nth_day(shipped, days, self.weekdays)


def local_day(at: datetime, utc_hours: int) -> date:
    return (at.astimezone(UTC) + timedelta(hours=utc_hours)).date()


def days_between(shipped: date, arrived: date, weekdays: Collection[int], most: int) -> int:
    """The fewest days that a promise would have needed for the day of arrival, up to `most`."""
    days = 0
    while days < most and nth_day(shipped, days, weekdays) < arrived:
        days += 1
    return days
