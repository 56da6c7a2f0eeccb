"""Work that a location cannot do any more: which fulfillment orders are taken back, and why.

Only such that nobody has begun to pick; whatever is begun is the location's to finish or to reject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from oms.domain.fulfillment import NOT_BEGUN, FulfillmentOrder
from oms.domain.locations import Location
from oms.domain.network.calendars import Outage

CLOSED = "closed"
OUTAGE = "outage"
CAPACITY_CUT = "capacity cut"
NO_PROMISE = "9999-12-31"  # is as late as can be


@dataclass(frozen=True, slots=True)
class TakenBack:
    """`until`: after it the location may be asked again; None: nobody knows when it opens."""

    fulfillment_order_id: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """Units of a ship day that a fulfillment order has taken and nobody has begun to pick.

    `deliver_by` is the day (ISO) that it should arrive.
    """

    fulfillment_order_id: str
    day: date
    units: int
    deliver_by: str = ""


def is_not_begun(each: FulfillmentOrder, location_id: str) -> bool:
    return each.location_id == location_id and each.status in NOT_BEGUN


def given_up(location: Location, each: FulfillmentOrder, at: datetime) -> TakenBack | None:
    """None where the location can do it."""
    if not location.active:
        return TakenBack(each.fulfillment_order_id, CLOSED)
    for outage in location.outages:
        if _falls_into(outage, each.ship_by, at):
            reason = f"{OUTAGE}: {outage.reason}" if outage.reason else OUTAGE
            return TakenBack(each.fulfillment_order_id, reason, outage.ends)
    return None


def may_be_out(location: Location, at: datetime) -> bool:
    """Whether there can be anything that it gives up."""
    return not location.active or any(not each.is_over(at) for each in location.outages)


def booked(found: Iterable[FulfillmentOrder]) -> Iterator[Booked]:
    """Of those that have taken capacity."""
    for each in found:
        if each.ship_on:
            units = sum(part.quantity for part in each.lines)
            day = date.fromisoformat(each.ship_on)
            yield Booked(each.fulfillment_order_id, day, units, each.deliver_by)


def beyond(
    limit: int, used: Mapping[date, int], newest_first: Sequence[Booked], at: datetime
) -> tuple[TakenBack, ...]:
    """What must go for no day to ship more than its limit, and none besides: those that are
    promised latest first, of these the newest. The location may be asked for another day."""
    return tuple(
        TakenBack(each.fulfillment_order_id, CAPACITY_CUT, at)
        for day in sorted({each.day for each in newest_first})
        for each in _beyond(
            used.get(day, 0) - limit, [each for each in newest_first if each.day == day]
        )
    )


def _beyond(excess: int, newest_first: Sequence[Booked]) -> list[Booked]:
    latest = sorted(newest_first, key=lambda each: each.deliver_by or NO_PROMISE, reverse=True)
    taken: list[Booked] = []
    for each in latest:
        if excess > 0:
            taken.append(each)
            excess -= each.units
    for each in reversed(taken):  # a large one that came last may make smaller ones superfluous
        if excess + each.units <= 0:
            taken.remove(each)
            excess += each.units
    return taken


def _falls_into(outage: Outage, ship_by: datetime | None, at: datetime) -> bool:
    """It is under way, or will be when the work should leave."""
    if outage.is_over(at):
        return False
    return outage.starts <= at or (
        ship_by is not None and outage.starts < ship_by and not outage.is_over(ship_by)
    )
