"""How a promise stands: whether all of it will be there in time, as far as is known now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from oms.domain.fulfillment import Delivery, FulfillmentOrder, FulfillmentStatus
from oms.domain.network.calendars import nth_day
from oms.domain.network.lanes import Basis
from oms.domain.order import Order
from oms.domain.tracking import TrackingStatus

HOUR_OF_DOUBT = 12  # of the promised day, there: who is not out for delivery by then comes later
DAY, PATIENCE = timedelta(days=1), timedelta(days=14)
_GONE = frozenset({TrackingStatus.LOST, TrackingStatus.RETURN_TO_SENDER})
_AT_THE_DOOR = frozenset(
    {
        TrackingStatus.OUT_FOR_DELIVERY,
        TrackingStatus.AVAILABLE_FOR_PICKUP,
        TrackingStatus.DELIVERED,
    }
)


class State(StrEnum):
    KEPT = "kept"
    AT_RISK = "at_risk"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Standing:
    """`day` is when the last of it should be there, None where nobody knows; `why` it is not kept;
    `fulfillment_order_id`: the part that is last, empty for what waits for stock."""

    state: State
    day: date | None = None
    why: str = ""
    fulfillment_order_id: str = ""

    def rank(self) -> tuple[int, date]:
        return list(State).index(self.state), self.day or date.max


def standing(
    order: Order, at: datetime, known: Mapping[str, date] | None = None
) -> Standing | None:
    """Of all that is not there yet; None where there is nothing (more) to promise.

    `known`: days by fulfillment order, from who has looked at the network; later than what the
    order itself knows, they count.
    """
    promised = promised_day(order)
    if promised is None or order.is_final:
        return None
    return max(_parts(order, promised, at, known or {}), key=Standing.rank, default=None)


def promised_day(order: Order) -> date | None:
    """What the customer was promised first: being told another day is no excuse."""
    said = order.promise.deliver_by if order.promise else order.deliver_by
    return date.fromisoformat(said) if said else None


def next_look(order: Order, work: FulfillmentOrder, at: datetime) -> datetime | None:
    """When to look at it again: as it should leave, daily while it is late to, at noon of the day
    that its customer expects it on, and daily from then on for as long as one waits at all."""
    expected = order.promise.expected if order.promise else ""
    if work.ship_by is not None and at < work.ship_by and work.in_warehouse:
        return work.ship_by
    if not expected or work.basis is None:
        return None
    noon = datetime.fromisoformat(f"{expected}T{HOUR_OF_DOUBT:02}:00:00+00:00")
    noon -= timedelta(hours=work.basis.utc_hours)
    if at >= noon + PATIENCE:
        return None
    return min(noon, at + DAY) if at < noon and work.in_warehouse else max(noon, at + DAY)


def news(order: Order, found: Standing | None) -> tuple[str, str] | None:
    """A day (ISO, or empty) that the customer has not been told yet, and why: a later one, once
    that nobody knows it, and after that any."""
    promise = order.promise
    if found is None or promise is None:
        return None
    day = found.day.isoformat() if found.day else ""
    if not promise.expected:
        return (day, found.why or "it has been found") if day else None
    told = found.state is State.KEPT or (day and day <= promise.expected)
    return None if told else (day, found.why)


def _parts(
    order: Order, promised: date, at: datetime, known: Mapping[str, date]
) -> Iterator[Standing]:
    for work in order.fulfillment_orders:
        if work.is_under_way:
            yield of_work(work, promised, at, known.get(work.fulfillment_order_id))
    for waiting in order.backorders:
        yield _of_backorder(waiting.expected_on, promised)


def _of_backorder(expected_on: str, promised: date) -> Standing:
    """What comes in on the promised day is not with the customer on it."""
    if expected_on and date.fromisoformat(expected_on) < promised:
        return Standing(State.KEPT, promised)
    return Standing(State.AT_RISK, None, "it waits for stock")


def of_work(
    work: FulfillmentOrder, promised: date, at: datetime, known: date | None = None
) -> Standing:
    """Of one fulfillment order that has not reached its customer. What can be collected is there,
    whenever its customer comes."""
    if work.status is FulfillmentStatus.READY_FOR_PICKUP:
        return Standing(State.KEPT, promised, fulfillment_order_id=work.fulfillment_order_id)
    today = (work.basis or Basis("", "")).there_on(at)
    day, why = _expected(work, at, today)
    if day is None and not why and today <= promised:
        day = promised  # nothing speaks against it
    day = max(day, known) if day and known else day
    state = State.KEPT if day is not None and day <= promised else State.AT_RISK
    if state is State.KEPT and why:
        state = State.AT_RISK
    if today > promised:
        state, why = State.MISSED, why or f"it was promised by {promised}"
    said = why or f"it is expected on {day}"
    return Standing(state, day, "" if state is State.KEPT else said, work.fulfillment_order_id)


def _expected(work: FulfillmentOrder, at: datetime, today: date) -> tuple[date | None, str]:
    """The day, and what is wrong."""
    if any(parcel.status in _GONE for parcel in work.parcels):
        return None, "a parcel is lost, or on its way back"
    if work.has_left and work.delivery is Delivery.SHIP:
        return _on_its_way(work, at, today)
    return _in_the_warehouse(work, at, today)


def _as_planned(work: FulfillmentOrder, today: date) -> date | None:
    planned = date.fromisoformat(work.deliver_by) if work.deliver_by else None
    return planned if planned and planned >= today else None


def _in_the_warehouse(work: FulfillmentOrder, at: datetime, today: date) -> tuple[date | None, str]:
    if work.ship_by is None or at <= work.ship_by or work.basis is None:
        return _as_planned(work, today), ""
    shipped = work.basis.shipped_on(at)
    return work.basis.arrival(shipped), f"it should have left by {work.ship_by:%Y-%m-%d %H:%M}"


def _on_its_way(work: FulfillmentOrder, at: datetime, today: date) -> tuple[date | None, str]:
    basis = work.basis
    if basis is None or work.shipped_at is None:
        return _as_planned(work, today), ""
    day = basis.arrival(basis.shipped_on(work.shipped_at)) or today
    statuses = {parcel.status for parcel in work.parcels}
    if trouble := statuses & {TrackingStatus.ATTEMPT_FAILED, TrackingStatus.EXCEPTION}:
        told = f"the carrier reports: {min(trouble).replace('_', ' ')}"
        return max(day, nth_day(today, 1, basis.weekdays)), told
    hour = (at + timedelta(hours=basis.utc_hours)).hour
    doubtful = day < today or (day == today and hour >= HOUR_OF_DOUBT)
    if doubtful and not statuses <= _AT_THE_DOOR:
        return nth_day(today, 1, basis.weekdays), "it is not out for delivery yet"
    return max(day, today), ""
