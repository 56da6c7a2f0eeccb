"""An inquiry as the fold of what happened to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch
from typing import TypeAlias

from oms.domain import events as e
from oms.domain.inquiries.model import Clock, Inquiry, InquiryState, Resolution

InquiryEvent: TypeAlias = (
    e.InquiryOpened
    | e.InquiryClassified
    | e.InquiryAssigned
    | e.InquiryMessageReceived
    | e.InquiryNoted
    | e.InquiryAnswered
    | e.InquiryResolved
    | e.InquiryReopened
    | e.InquiryOverdue
    | e.InquiryClosed
)
KEPT_KEYS = 50


@dataclass(frozen=True, slots=True)
class InquiryFact:
    seq: int
    at: datetime
    actor: str
    event: InquiryEvent


def fold(facts: Iterable[InquiryFact]) -> Inquiry:
    inquiry = None
    for fact in facts:
        inquiry = apply(inquiry, fact)
    if inquiry is None:
        raise ValueError("an inquiry begins with an event")
    return inquiry


def apply(inquiry: Inquiry | None, fact: InquiryFact) -> Inquiry:
    if inquiry is None:
        if not isinstance(fact.event, e.InquiryOpened):
            raise TypeError("an inquiry begins when it is opened")
        return _opened(fact.event, fact)
    after = _after(fact.event, inquiry, fact)
    return replace(after, version=fact.seq, updated_at=fact.at)


def _opened(event: e.InquiryOpened, fact: InquiryFact) -> Inquiry:
    return Inquiry(
        inquiry_id=event.inquiry_id,
        customer_id=event.customer_id,
        category=event.category,
        priority=event.priority,
        origin=event.origin,
        state=InquiryState.OPEN,
        opened_at=fact.at,
        opened_by=fact.actor,
        targets=event.targets,
        clock=Clock(0, fact.at),
        updated_at=fact.at,
        order_id=event.order_id,
        line_id=event.line_id,
        return_id=event.return_id,
        follows=event.follows,
        language=event.language,
        texts=1,
        due_at=event.due_at,
        keys=(event.key,) if event.key else (),
        version=fact.seq,
    )


@singledispatch
def _after(event: object, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    raise TypeError(f"nothing of an inquiry is called {type(event).__name__}")


@_after.register
def _(event: e.InquiryClassified, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    return replace(
        inquiry,
        category=event.category,
        priority=event.priority,
        targets=event.targets,
        clock=Clock(event.spent, fact.at) if inquiry.runs else inquiry.clock,
        due_at=event.due_at,
    )


@_after.register
def _(event: e.InquiryAssigned, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    is_new = inquiry.state is InquiryState.OPEN and event.assignee
    state = InquiryState.IN_PROGRESS if is_new else inquiry.state
    return replace(inquiry, assignee=event.assignee, state=state)


@_after.register
def _(event: e.InquiryMessageReceived, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    state = InquiryState.IN_PROGRESS if inquiry.assignee else InquiryState.OPEN
    return replace(
        _with_text(inquiry, event.text, event.key),
        state=state,
        clock=Clock(event.spent, fact.at),
        due_at=event.due_at,
    )


@_after.register
def _(event: e.InquiryNoted, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    return _with_text(inquiry, event.text, event.key)


@_after.register
def _(event: e.InquiryAnswered, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    told = _with_text(inquiry, event.text, event.key)
    told = replace(told, answered_at=inquiry.answered_at or fact.at)
    if not inquiry.is_active:
        return told
    waiting = InquiryState.WAITING_FOR_CUSTOMER
    return replace(
        told,
        state=waiting if event.waits else InquiryState.IN_PROGRESS,
        clock=Clock(event.spent, None if event.waits else fact.at),
        unanswered=False,
        due_at=event.due_at,
    )


@_after.register
def _(event: e.InquiryResolved, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    done = Resolution(
        event.deed, fact.at, fact.actor, event.outcome, event.amount, event.fingerprint
    )
    return replace(
        inquiry,
        state=InquiryState.RESOLVED,
        clock=Clock(event.spent),
        unanswered=False,
        due_at=None,
        resolutions=(*inquiry.resolutions, done),
        closes_at=event.closes_at,
    )


@_after.register
def _(event: e.InquiryReopened, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    told = _with_text(inquiry, event.text, event.key) if event.text else inquiry
    return replace(
        told,
        state=InquiryState.IN_PROGRESS if inquiry.assignee else InquiryState.OPEN,
        clock=Clock(0, fact.at),
        unanswered=True,
        due_at=event.due_at,
        missed=(),
        reopened=inquiry.reopened + 1,
        closes_at=None,
    )


@_after.register
def _(event: e.InquiryOverdue, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    return replace(
        inquiry,
        missed=(*inquiry.missed, event.missed),
        due_at=event.due_at,
    )


@_after.register
def _(event: e.InquiryClosed, inquiry: Inquiry, fact: InquiryFact) -> Inquiry:
    return replace(
        inquiry,
        state=InquiryState.CLOSED,
        clock=Clock(event.spent),
        unanswered=False,
        due_at=None,
        closes_at=None,
    )


def _with_text(inquiry: Inquiry, text: int, key: str) -> Inquiry:
    keys = (*inquiry.keys, key)[-KEPT_KEYS:] if key else inquiry.keys
    return replace(inquiry, texts=text, keys=keys)
