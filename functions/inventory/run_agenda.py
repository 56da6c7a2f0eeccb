"""Every minute: act on the deadlines that have come, the oldest first.

A handler is given the subject of a deadline and looks at it first: it may have been dealt with, or
put off. One that fails is tried again later and does not keep the others from their turn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from functions.inventory import order_deadlines, routing_deadlines
from oms.adapters.agenda import Agenda, NotDue, agenda, failures
from oms.adapters.credit_ledger import credit_ledger
from oms.adapters.holds_table import HoldsTable, holds_table
from oms.adapters.inquiries_table import inquiries_table
from oms.adapters.inquiry_desk import service_policy
from oms.adapters.order_reader import OrderReader, order_reader
from oms.domain.agenda import Due, DueKind
from oms.domain.stock_holds import HoldChanged, HoldState, may_be_taken_by
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "JOBS_TABLE",
    "JOB_QUEUE",
    "AGENDA_FAILURES",
)

SECONDS = 45.0  # of the minute that the function has
BATCH = 200
THREADS = 8
LATE = timedelta(minutes=2)  # what is due for longer has missed a run

Handler = Callable[[str, datetime], object]  # the subject, now
Tell = Callable[[Due], None]


@dataclass(frozen=True, slots=True)
class Run:
    """`is_late` ends a run; what is left is the next one's. `tell` is for what has failed for an
    hour."""

    agenda: Agenda
    handlers: Mapping[str, Handler]
    tell: Tell
    is_late: Callable[[], bool]


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    run = Run(
        agenda(), handlers(), lambda entry: failures().tell(entry), lambda: time.monotonic() > late
    )
    counts = work_through(run, lambda: datetime.now(UTC))
    logger().info("agenda", extra=counts)
    return {"outcome": "worked through", **counts}


@cache
def handlers() -> Mapping[str, Handler]:
    """By kind; whoever adds one need not mind those that others have failed at."""
    holds, orders, desk = holds_table(), order_reader(), order_deadlines.desk()
    of_orders = {kind: partial(act, desk) for kind, act in order_deadlines.HANDLERS.items()}
    return {
        DueKind.EXPIRE_HOLD: lambda hold_id, now: expire_hold(holds, orders, hold_id, now),
        **of_orders,
        DueKind.ROUTING_WINDOW: routing_deadlines.end_window,
        DueKind.PROMISE_AT_RISK: routing_deadlines.promise_at_risk,
        DueKind.REROUTE_WORK: routing_deadlines.reroute_work,
        DueKind.TEND_INQUIRY: tend_inquiry,
        DueKind.EXPIRE_CREDIT: lambda account_id, now: credit_ledger().expire(account_id, now),
    }


def tend_inquiry(inquiry_id: str, now: datetime) -> None:
    """It is overdue from now on, or closed where nobody has written since it was resolved."""
    inquiries_table().look(inquiry_id, service_policy(), now)


def expire_hold(holds: HoldsTable, orders: OrderReader, hold_id: str, now: datetime) -> str:
    """Give back what its cart has not bought, unless an order that was placed with it may still
    take it: then look again in a few minutes."""
    hold = holds.find(hold_id)
    if hold is None or not hold.units or hold.due_at > now:
        return "nothing to do"
    if not hold.is_held:
        holds.save(hold, hold.emptied(), now)
        return "left over"
    if any(may_be_taken_by(order) for order in orders.many(hold.orders).values()):
        holds.save(hold, hold.postponed(now), now)
        return "put off"
    holds.save(hold, hold.ended(HoldState.EXPIRED), now)
    return "expired"


def work_through(run: Run, clock: Callable[[], datetime]) -> dict[str, int]:
    """How many were done and how many failed; `overdue` are those that a run has missed."""
    counts: Counter[str] = Counter(done=0, failed=0)
    seen: set[Due] = set()
    with ThreadPoolExecutor(THREADS) as threads:
        while entries := _next(run, clock(), seen):
            seen.update(entries)
            counts.update(threads.map(lambda entry: _act(run, entry, clock()), entries))
    return {**counts, "overdue": run.agenda.overdue(clock() - LATE)}


def _next(run: Run, now: datetime, seen: set[Due]) -> Sequence[Due]:
    """What has come, each once in a run."""
    if run.is_late():
        return []
    return [entry for entry in run.agenda.due(now, BATCH) if entry not in seen]


def _act(run: Run, entry: Due, now: datetime) -> str:
    try:
        run.handlers[entry.kind](entry.subject, now)
        run.agenda.done(entry)
    except HoldChanged:
        return "overtaken"  # still due: the next run looks again
    except Exception as error:  # noqa: BLE001  (whatever it is, the others have their turn)
        extra = {"kind": entry.kind, "subject": entry.subject, **describe(error)}
        logger().warning("not done", extra=extra)
        _put_off(run, entry.after_failure(now), entry)
        return "failed"
    return "done"


def _put_off(run: Run, later: Due, entry: Due) -> None:
    """It is tried again all the same: whatever it is about must not be stuck for good."""
    try:
        run.agenda.move(entry, later)
    except NotDue:
        return  # somebody else has dealt with it
    if later.is_hopeless:
        run.tell(later)
