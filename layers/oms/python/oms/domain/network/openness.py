"""What a change of a location means to the work that is open there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from oms.domain.errors import NotFound, Refused
from oms.domain.events import LocationChanged
from oms.domain.locations import Location
from oms.domain.network.calendars import Outage

KEEP_OUTAGES = timedelta(days=30)  # past ones, so that a closed day can be explained
MAX_OUTAGES = 200  # of a location, past ones included

CLOSED, REOPENED, OUTAGE, CAPACITY = "closed", "reopened", "outage", "capacity"


class TooManyOutages(Refused):
    """Every router reads them all with each order."""

    def __init__(self, location_id: str) -> None:
        super().__init__(f"{location_id} has {MAX_OUTAGES} outages already")


class UnknownOutage(NotFound):
    def __init__(self, outage_id: str) -> None:
        super().__init__("outage", outage_id)


def with_outage(location: Location, outage: Outage, at: datetime) -> Location:
    """Told twice, it counts once; past ones are dropped after a while."""
    others = tuple(each for each in location.outages if not each.is_over(at - KEEP_OUTAGES))
    if any(each.outage_id == outage.outage_id for each in others):
        return location
    if len(others) >= MAX_OUTAGES:
        raise TooManyOutages(location.location_id)
    ordered = sorted((*others, outage), key=lambda each: (each.starts, each.outage_id))
    return replace(location, outages=tuple(ordered))


def without_outage(location: Location, outage_id: str, at: datetime) -> Location:
    """It ends now, or never begins; one that is over stays as it was."""
    if all(each.outage_id != outage_id for each in location.outages):
        raise UnknownOutage(outage_id)
    ended = (
        replace(each, starts=min(each.starts, at), ends=at)
        if each.outage_id == outage_id and not each.is_over(at)
        else each
        for each in location.outages
    )
    return replace(location, outages=tuple(ended))


def changes(old: Location | None, new: Location, at: datetime) -> tuple[LocationChanged, ...]:
    """What has to be told; of a location that is new, nothing."""
    return tuple(_changes(old, new, at)) if old else ()


def _changes(old: Location, new: Location, at: datetime) -> Iterator[LocationChanged]:
    if old.active != new.active:
        yield LocationChanged(new.location_id, REOPENED if new.active else CLOSED)
    if old.daily_capacity != new.daily_capacity:
        yield LocationChanged(new.location_id, CAPACITY)
    before = {each.outage_id: each for each in old.outages}
    for outage in new.outages:
        known = before.get(outage.outage_id)
        if known is None and not outage.is_over(at):
            yield LocationChanged(new.location_id, OUTAGE, outage.ends, outage.starts)
        elif known is not None and not known.is_over(at) and outage.is_over(at):
            yield LocationChanged(new.location_id, REOPENED)
