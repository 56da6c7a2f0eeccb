"""Parcels that are looked after until they are there: which, how often, and when they are lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from oms.domain.decide.fulfillment import SCANLESS_CARRIER
from oms.domain.fulfillment import FulfillmentOrder, FulfillmentStatus, Parcel
from oms.domain.order import Order
from oms.domain.tracking import TrackingStatus

POLL_PARCELS = "poll_parcels"  # what is due for a fulfillment order
SILENCE = "silence"  # the code of a scan that nobody made
# A carrier has said all that it has to say of it, or the customer is to fetch it.
_SETTLED = frozenset(
    {
        TrackingStatus.DELIVERED,
        TrackingStatus.RETURN_TO_SENDER,
        TrackingStatus.LOST,
        TrackingStatus.AVAILABLE_FOR_PICKUP,
    }
)


@dataclass(frozen=True, slots=True)
class TrackingPolicy:
    """`polled` carriers are asked every so many hours for each of their parcels; of which nothing
    was heard for `silent_days` is lost, of which nothing is known after `give_up_days` is asked
    for no more."""

    polled: tuple[str, ...] = ()
    every_hours: int = 6
    silent_days: int = 8
    give_up_days: int = 45

    @property
    def pause(self) -> timedelta:
        return timedelta(hours=self.every_hours)

    @property
    def silence(self) -> timedelta:
        return timedelta(days=self.silent_days)


def on_its_way(work: FulfillmentOrder) -> tuple[Parcel, ...]:
    """Parcels of which there is still something to hear."""
    if work.status is not FulfillmentStatus.SHIPPED:
        return ()
    return tuple(each for each in work.parcels if each.status is not TrackingStatus.DELIVERED)


def silent(order: Order, policy: TrackingPolicy, at: datetime) -> Iterator[tuple[Parcel, datetime]]:
    """Parcels that should have been heard of by now, and when they last were. One that was never
    scanned counts from its hand-over; where that is not known, it is never silent, and neither is
    one of which no carrier tells."""
    for work in order.fulfillment_orders:
        for parcel in on_its_way(work):
            last = parcel.scanned_at or work.shipped_at
            told_of = parcel.status not in _SETTLED and parcel.carrier != SCANLESS_CARRIER
            if told_of and last and at - last >= policy.silence:
                yield parcel, last
