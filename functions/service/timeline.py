"""An order's timeline: its own history, that of its inquiries, and what its customer was sent,
merged by time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from functions.service.telling import kind_of, told
from oms.adapters.inquiries_table import inquiries_table
from oms.adapters.notices import notices
from oms.adapters.order_reader import order_reader
from oms.contracts.api.inquiries import TimelineEntryView, TimelinePage
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.order import Order, cause_of

SYSTEM = "system"
Place = tuple[str, str]  # instant and id: entries of one instant keep an order


def timeline_of(order_id: str, cursor: str | None, limit: int) -> TimelinePage:
    """Newest last. An order's history is bounded, so each page is cut from all of it."""
    order = order_reader().get(order_id)
    after = _start(cursor) if cursor else ("", "")
    entries = sorted((*_of_order(order), *_of_inquiries(order), *_sent(order_id)), key=_place)
    left = [each for each in entries if _place(each) > after]
    more = len(left) > limit
    page = left[:limit]
    return TimelinePage(page, _cursor(page[-1]) if more else None)


def _of_order(order: Order) -> Iterator[TimelineEntryView]:
    for fact in order_reader().whole_history(order.order_id):
        name = type(fact.event).__name__
        yield TimelineEntryView(
            at=fact.at,
            kind=kind_of(name),
            text=told(fact.event, order.currency),
            by=fact.actor,
            id=cause_of(order.order_id, fact.seq),
            event=name,
        )


def _of_inquiries(order: Order) -> Iterator[TimelineEntryView]:
    table = inquiries_table()
    for inquiry_id in table.of_order(order.order_id):
        for fact in table.history(inquiry_id):
            name = type(fact.event).__name__
            yield TimelineEntryView(
                at=fact.at,
                kind=kind_of(name),
                text=told(fact.event, order.currency),
                by=fact.actor,
                id=f"{inquiry_id}#{fact.seq:06d}",
                event=name,
                inquiry_id=inquiry_id,
            )


def _sent(order_id: str) -> Iterator[TimelineEntryView]:
    """Mails and text messages, and those that were not sent, with the reason."""
    for each in notices().listed(order_id):
        reason = each.details.get("reason", "")
        said = f"Notice of {each.details.get('kind') or each.event_id}: {each.state}"
        text = f"{said} ({reason})" if reason else said
        yield TimelineEntryView(each.at, "notice", text, SYSTEM, each.notice_id)


def _place(entry: TimelineEntryView) -> Place:
    return entry.at.astimezone(UTC).isoformat(timespec="microseconds"), entry.id


def _cursor(entry: TimelineEntryView) -> str:
    at, identity = _place(entry)
    return encode_cursor({"at": at, "id": identity})


def _start(cursor: str) -> Place:
    given = decode_cursor(cursor)
    if given.keys() != {"at", "id"}:
        raise BadCursor
    return given["at"], given["id"]
