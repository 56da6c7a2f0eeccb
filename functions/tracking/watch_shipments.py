"""Every quarter of an hour: ask carriers for parcels that are due, and give up what is silent.

A fulfillment order is looked at as it is now: what has arrived is asked for no more. One carrier's
trouble does not keep the others' parcels from their turn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from functions.tracking.receive_carrier_webhook import record_scans
from oms.adapters import aws
from oms.adapters.agenda import Agenda, Failures, NotDue, parcels_agenda
from oms.adapters.carriers.polling import Tokens, poll
from oms.adapters.lost_parcels import give_up_silent
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.scan_inbox import ScanInbox, scan_inbox
from oms.adapters.secrets import secrets
from oms.adapters.web import web
from oms.domain.agenda import Due
from oms.domain.errors import OmsError
from oms.domain.fulfillment import Parcel
from oms.domain.ids import order_of_fulfillment
from oms.domain.order import Order
from oms.domain.tracking import TrackingUpdate
from oms.domain.watching import TrackingPolicy, on_its_way
from oms.observability import describe, logger, observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", "SECRET_ID", "POLL_FAILURES")

SECONDS = 240.0  # of the five minutes that the function has
BATCH, THREADS = 100, 8

Poll = Callable[[str, str], tuple[TrackingUpdate, ...]]  # carrier, number


@dataclass(frozen=True, slots=True)
class Watch:
    """`ask` raises OmsError; `tell` is for what has failed for hours."""

    agenda: Agenda
    orders: OrdersTable
    inbox: ScanInbox
    policy: TrackingPolicy
    ask: Poll
    tell: Callable[[Due], None]
    is_late: Callable[[], bool]


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    policy, _ = policies_table().current("tracking", TrackingPolicy)
    watch = Watch(
        parcels_agenda(),
        orders_table(),
        scan_inbox(),
        policy,
        ask,
        lambda entry: failures().tell(entry),
        lambda: time.monotonic() > late,
    )
    return {"outcome": "looked", **look(watch, lambda: datetime.now(UTC))}


def ask(carrier: str, number: str) -> tuple[TrackingUpdate, ...]:
    return poll(carrier, number, secrets().credentials(carrier), web(), tokens())


@cache
def tokens() -> Tokens:
    return Tokens()


@cache
def failures() -> Failures:
    return Failures(aws.client("sqs"), setting("POLL_FAILURES"))


def look(watch: Watch, clock: Callable[[], datetime]) -> dict[str, int]:
    """How many were looked at, and how many failed; what is left is the next run's."""
    counts: Counter[str] = Counter(done=0, failed=0)
    seen: set[Due] = set()
    with ThreadPoolExecutor(THREADS) as threads:
        while not watch.is_late():
            due = [each for each in watch.agenda.due(clock(), BATCH) if each not in seen]
            if not due:
                break
            seen.update(due)
            counts.update(threads.map(lambda entry: _act(watch, entry, clock()), due))
    return dict(counts)


def _act(watch: Watch, entry: Due, now: datetime) -> str:
    try:
        later = look_at(watch, entry.subject, now)
    except Exception as error:  # noqa: BLE001  (whatever it is, the others have their turn)
        logger().warning("not asked", extra={"subject": entry.subject, **describe(error)})
        return _failed(watch, entry, now)
    if later is None:
        watch.agenda.done(entry)
    else:
        _move(watch, entry, Due(entry.kind, entry.subject, later))
    return "done"


def _failed(watch: Watch, entry: Due, now: datetime) -> str:
    later = entry.after_failure(now)
    _move(watch, entry, later)
    if later.is_hopeless:
        watch.tell(later)
    return "failed"


def _move(watch: Watch, entry: Due, later: Due) -> None:
    try:
        watch.agenda.move(entry, later)
    except NotDue:
        return  # somebody else has looked at it


def look_at(watch: Watch, fulfillment_order_id: str, now: datetime) -> datetime | None:
    """When to look again; None when there is nothing more to hear."""
    order_id = order_of_fulfillment(fulfillment_order_id)
    order = watch.orders.get(order_id)
    work = order.fulfillment_order(fulfillment_order_id)
    polled = (each for each in on_its_way(work) if each.carrier in watch.policy.polled)
    troubles = [trouble for each in polled if (trouble := _asked_for(watch, each, now))]
    if troubles:
        raise troubles[0]
    order = give_up_silent(watch.orders, watch.orders.get(order_id), watch.policy, now)
    if not _is_expected(watch, order, fulfillment_order_id, now):
        return None
    return now + watch.policy.pause


def _asked_for(watch: Watch, parcel: Parcel, now: datetime) -> OmsError | None:
    """What went wrong; another parcel of the same order is asked for all the same."""
    try:
        for update in watch.ask(parcel.carrier, parcel.tracking_number):
            record_scans(watch.orders, watch.inbox, update, at=now)
    except OmsError as trouble:
        return trouble
    return None


def _is_expected(watch: Watch, order: Order, identity: str, now: datetime) -> bool:
    old = now - order.placed_at > timedelta(days=watch.policy.give_up_days)
    left = on_its_way(order.fulfillment_order(identity))
    return not old and any(parcel.carrier in watch.policy.polled for parcel in left)
