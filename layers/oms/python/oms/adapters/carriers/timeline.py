"""What a carrier says it saw, put in the order of its own time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from oms.adapters.carriers.said import Moment
from oms.domain.tracking import Scan, TrackingStatus, TrackingUpdate, number_of, scan


@dataclass(frozen=True, slots=True)
class Seen:
    """`status` is None for a code that no table of ours has."""

    status: TrackingStatus | None
    moment: Moment
    code: str


def told(
    carrier: str, number: str, seen: Iterable[Seen], known_as: tuple[str, ...] = ()
) -> TrackingUpdate:
    """Of a parcel, from everything in one message, in the order in which the message has it."""
    number, listed = number_of(number), tuple(seen)
    found: dict[str, Scan] = {}
    for each, at in _placed(listed):
        status = TrackingStatus.UNKNOWN if each.status is None else each.status
        one = scan(carrier, number, status, each.moment.at, each.code)
        found.setdefault(one.fingerprint, replace(one, at=at.astimezone(UTC)))
    unknown = dict.fromkeys(each.code for each in listed if each.status is None)
    return TrackingUpdate(
        carrier,
        number,
        tuple(sorted(found.values(), key=lambda each: each.at)),
        tuple(name for name in dict.fromkeys(known_as) if name != carrier),
        tuple(unknown),
        sum(each.moment.zoneless for each in listed),
    )


def _placed(seen: Sequence[Seen]) -> Iterator[tuple[Seen, datetime]]:
    """A day without a time of day comes after what the message has before it on that day. Midnight
    is no time of day; a scan of midnight itself has nothing before it on its day."""
    latest: dict[date, datetime] = {}
    for each in _oldest_first(seen):
        at = each.moment.at
        before = latest.get(at.date(), at)
        if at.time() == time():
            at = max(at, before)
        latest[each.moment.at.date()] = max(at, before)
        yield each, at


def _oldest_first(seen: Sequence[Seen]) -> Sequence[Seen]:
    """Most carriers list the newest first; which one this is, its own times say."""
    newest_first = not seen or seen[0].moment.at >= seen[-1].moment.at
    return seen[::-1] if newest_first else seen
