"""Escrow leases: when a level is too hot for one counter, and how many units are leased at once.

A lease is a reservation of one execution environment. Its units leave the level in one
transaction, and are sold from a row that nobody else writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CONFLICTS, WINDOW = 3, timedelta(seconds=5)  # of one environment at one level: that is hot
FIRST, MOST = 32, 512  # units that are leased at once
SHARE = 16  # of what is free, that one lease may take: so many may come at the same moment
QUICK, SLOW = timedelta(seconds=1), timedelta(seconds=10)
IDLE = timedelta(seconds=5)  # then its environment gives back what is left
ABANDONED = timedelta(seconds=30)  # then anybody does


@dataclass(frozen=True, slots=True)
class Lease:
    """`units` are leased and not sold; `used_at` is when some were last leased or sold."""

    lease_id: str
    item: str
    location: str
    units: int
    used_at: datetime

    @property
    def level(self) -> tuple[str, str]:
        return self.item, self.location

    def is_abandoned(self, at: datetime) -> bool:
        return at - self.used_at > ABANDONED


@dataclass(frozen=True, slots=True)
class Heat:
    """The conflicts at one level that one environment has met lately."""

    conflicts: tuple[datetime, ...] = ()

    def met(self, at: datetime) -> Heat:
        return Heat((*self._lately(at), at)[-CONFLICTS:])

    def is_hot(self, at: datetime) -> bool:
        return len(self._lately(at)) >= CONFLICTS

    def is_met(self, at: datetime) -> bool:
        return bool(self._lately(at))

    def _lately(self, at: datetime) -> tuple[datetime, ...]:
        return tuple(each for each in self.conflicts if at - each < WINDOW)


def next_size(size: int, lasted: timedelta) -> int:
    """Of the next lease, after one of this size lasted so long; 0 when the demand has cooled."""
    if lasted > SLOW:
        return 0
    return min(MOST, 2 * size) if lasted < QUICK else size


def is_worth_leasing(free: int, needed: int) -> bool:
    """The last units are for whoever comes: nobody takes more of them than were ordered."""
    return free >= SHARE * needed


def granted(size: int, needed: int, free: int) -> int:
    """How many units are leased of those that are free: at least what is needed, or none."""
    return max(needed, min(size, free // SHARE)) if free >= needed else 0


def handed_over(units: int, needed: int) -> int:
    """How many units a lease leaves to one that has run out: half, or what it needs."""
    return min(units, max(needed, units // 2))
