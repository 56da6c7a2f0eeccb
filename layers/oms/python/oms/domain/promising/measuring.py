"""What the way of a delivered fulfillment order says of its lane, its location and its promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from oms.domain.network.lanes import Basis, Lane, days_between, local_day
from oms.domain.promising.history import MOST_DAYS
from oms.domain.promising.promise import Way

# Who tells of parcels without being who carries them: the lane is the one that was planned.
SPEAK_FOR_OTHERS = frozenset(
    {"17track", "aftership", "easypost", "manual", "shipengine", "shippo", "test", "trackingmore"}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`day` is the destination's local day of arrival. `lane` without a `transit`: it went by
    another carrier than planned, or nobody knows since when. `whole`: likewise, but from the day on
    which it should have left. `handling`: local days from when the location was given it to when it
    left."""

    day: date
    lane: Lane
    late_days: int
    transit: int | None = None
    handling: int | None = None
    whole: int | None = None


def outcome(way: Way, told_at: datetime) -> Outcome:
    """`told_at` is when we heard of it."""
    basis, arrived_at = way.basis, way.arrived_at or told_at
    there = local_day(arrived_at, basis.utc_hours if basis else 0)
    late = (there - date.fromisoformat(way.promised)).days
    if basis is None:
        return Outcome(there, Lane(way.carrier, "", "", way.location_id), late)
    planned = way.carrier in SPEAK_FOR_OTHERS | {basis.carrier, ""}
    carrier = basis.carrier if planned else way.carrier
    return Outcome(
        there,
        Lane(carrier, basis.method, basis.zone if planned else "", way.location_id),
        late,
        _days(_left(way, basis), there, basis) if planned else None,
        _handling(way, basis),
        _days(_ship_day(way, basis), there, basis) if planned else None,
    )


def _days(since: date | None, there: date, basis: Basis) -> int | None:
    if since is None:
        return None
    return days_between(since, there, basis.weekdays, MOST_DAYS)


def _ship_day(way: Way, basis: Basis) -> date | None:
    """The one on which it should have left; a day's work may end at midnight."""
    return basis.shipped_on(way.ship_by - timedelta.resolution) if way.ship_by else None


def _left(way: Way, basis: Basis) -> date | None:
    return basis.shipped_on(way.shipped_at) if way.shipped_at else None


def _handling(way: Way, basis: Basis) -> int | None:
    if way.shipped_at is None or way.assigned_at is None:
        return None
    took = basis.shipped_on(way.shipped_at) - basis.shipped_on(way.assigned_at)
    return min(max(took.days, 0), MOST_DAYS)
