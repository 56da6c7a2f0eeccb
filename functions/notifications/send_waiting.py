"""Every quarter of an hour: what was put off, once it is time. It is decided anew: what is no news
any more by then is told to nobody."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from functions.notifications.desk import Desk, desk, open_case, tell_by_mail, tell_by_text
from oms.adapters.agenda import Agenda, NotDue
from oms.adapters.notices import TEXT, notices
from oms.adapters.order_reader import order_reader
from oms.contracts.events import envelope
from oms.domain.agenda import Due
from oms.domain.order import Fact
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "REPORTS_TABLE",
    "VAULT_KEY_ID",
    "SENDER_EMAIL",
    "MAIL_REPORTS",
    "SECRET_ID",
    "TRACKING_PAGES",
    "UNSUBSCRIBE_PAGES",
)
SECONDS = 45.0
BATCH = 100


class Facts(Protocol):
    def fact(self, order_id: str, seq: int) -> Fact: ...


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    counts = send_waiting(
        notices().waiting, order_reader(), desk(), lambda: time.monotonic() > late
    )
    if stuck := counts["stuck"]:
        raise NotSent(stuck)
    return {"outcome": "worked through", **counts}


class NotSent(Exception):
    """Some have failed for an hour: somebody must look."""


def send_waiting(
    waiting: Agenda, facts: Facts, desk: Desk, is_late: Callable[[], bool]
) -> dict[str, int]:
    counts: Counter[str] = Counter(done=0, failed=0, stuck=0)
    seen: set[Due] = set()
    while not is_late():
        entries = [each for each in waiting.due(desk.clock(), BATCH) if each not in seen]
        if not entries:
            break
        seen.update(entries)
        for entry in entries:
            counts[_act(entry, waiting, facts, desk)] += 1
    return dict(counts)


def _act(entry: Due, waiting: Agenda, facts: Facts, desk: Desk) -> str:
    try:
        tell_again(entry.subject, facts, desk)
    except Exception as error:  # noqa: BLE001  (whatever it is, the others have their turn)
        logger().warning("not sent", extra={"notice": entry.subject, **describe(error)})
        later = entry.after_failure(desk.clock())
        with suppress(NotDue):  # somebody else has dealt with it
            waiting.move(entry, later)
        return "stuck" if later.is_hopeless else "failed"
    waiting.done(entry)
    return "done"


def tell_again(notice_id: str, facts: Facts, desk: Desk) -> str:
    order_id, number = notice_id.split("#")[:2]
    case = open_case(told_of(order_id, facts.fact(order_id, int(number))), desk)
    tell = tell_by_text if notice_id.endswith(TEXT) else tell_by_mail
    return tell(case, desk)


def told_of(order_id: str, fact: Fact) -> dict[str, Any]:
    """The event as the bus told it."""
    told: dict[str, Any] = envelope(order_id, fact)
    return told
