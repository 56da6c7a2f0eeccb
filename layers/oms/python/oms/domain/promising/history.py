"""What was measured, and how sure it makes a promise.

A histogram counts parcels by the days that they took; its last place counts all that took longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import sqrt
from typing import NamedTuple

from oms.domain.network.lanes import Lane, Measured
from oms.domain.promising.policy import PromisePolicy

MOST_DAYS = 30  # as many or more
FEWEST_PARCELS = 30  # that tell anything
SURE = 1.645  # standard deviations: in 95 of 100 cases the true share is above the bound

Histogram = Sequence[int]


def histogram(counts: Mapping[int, int]) -> tuple[int, ...]:
    """Of counts by days."""
    return tuple(counts.get(days, 0) for days in range(MOST_DAYS + 1))


def lower_bound(hits: int, parcels: int) -> float:
    """Of the share of all parcels that are in time, when so many of those measured were (Wilson's
    score interval, one-sided)."""
    if not parcels:
        return 0.0
    share, squared = hits / parcels, SURE * SURE
    centre = share + squared / (2 * parcels)
    spread = SURE * sqrt(share * (1 - share) / parcels + squared / (4 * parcels * parcels))
    return max(0.0, (centre - spread) / (1 + squared / parcels)) if hits else 0.0


def days_within(found: Histogram, confidence: int) -> int | None:
    """The fewest days within which a parcel arrives with a probability of so many percent at least.

    None when too few were measured to say so, or it takes longer than is told apart.
    """
    parcels = sum(found)
    if parcels < FEWEST_PARCELS:
        return None
    sure = (
        days
        for days, hits in enumerate(accumulate(found[:MOST_DAYS]))
        if 100 * lower_bound(hits, parcels) >= confidence
    )
    return next(sure, None)


class Times(NamedTuple):
    """Of a lane: parcels by days from when they should have left, and from when they did."""

    whole: Histogram
    transit: Histogram


def learned(found: Iterable[tuple[Lane, Times]], policy: PromisePolicy) -> tuple[Measured, ...]:
    """Of each lane that enough is known of."""
    sure = policy.confidence
    known = ((lane, times, days_within(times.whole, sure)) for lane, times in found)
    return tuple(
        Measured(
            lane,
            days,
            parcels=sum(times.whole),
            on_time=sum(times.whole[: days + 1]),
            confidence=sure,
            earlier=policy.earlier,
            transit=days_within(times.transit, sure),
        )
        for lane, times, days in known
        if days is not None
    )
