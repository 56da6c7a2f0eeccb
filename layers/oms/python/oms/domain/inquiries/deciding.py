"""How an inquiry answers commands. Pure; nothing is written here.

The clock runs while we are to do something, in the hours of the policy's calendar, and stands while
the customer is: what has counted so far is said with each event that starts or stops it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import singledispatch

from oms.domain import events as e
from oms.domain.errors import Conflict, IllegalTransition, Refused
from oms.domain.inquiries import commands as c
from oms.domain.inquiries.folding import InquiryEvent, InquiryFact, apply
from oms.domain.inquiries.hours import after_working, worked
from oms.domain.inquiries.model import (
    MAX_TEXTS,
    Clock,
    Inquiry,
    InquiryState,
    Missed,
    Targets,
)
from oms.domain.inquiries.policy import ServicePolicy

Events = tuple[InquiryEvent, ...]


def open_inquiry(command: c.OpenInquiry, policy: ServicePolicy, at: datetime) -> e.InquiryOpened:
    targets = policy.targets_of(command.category, command.priority)
    due = after_working(policy.calendar, at, min(targets.first_answer, targets.resolution))
    return e.InquiryOpened(
        command.inquiry_id,
        command.customer_id,
        command.category,
        command.priority,
        command.origin,
        targets,
        due,
        command.order_id,
        command.line_id,
        command.return_id,
        command.follows,
        command.language,
        command.key,
    )


def facts(
    inquiry: Inquiry | None, events: Iterable[InquiryEvent], at: datetime, actor: str
) -> tuple[tuple[InquiryFact, ...], Inquiry]:
    """Give events their place in the history, and the inquiry after them."""
    recorded: list[InquiryFact] = []
    for event in events:
        fact = InquiryFact((inquiry.version if inquiry else 0) + 1, at, actor, event)
        inquiry = apply(inquiry, fact)
        recorded.append(fact)
    if inquiry is None:
        raise ValueError("an inquiry begins with an event")
    return tuple(recorded), inquiry


def spent(inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> int:
    """Seconds of open hours that have counted by then."""
    clock = inquiry.clock
    since = clock.since
    return clock.spent + (worked(policy.calendar, since, at) if since else 0)


@singledispatch
def decide(command: object, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    """Events that answer the command; none when it is already so. `Refused` changes nothing."""
    raise TypeError(f"no inquiry understands {type(command).__name__}")


@decide.register
def _(command: c.Classify, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    _not_closed(inquiry, "be classified")
    if (command.category, command.priority) == (inquiry.category, inquiry.priority):
        return ()
    targets = policy.targets_of(command.category, command.priority)
    used = spent(inquiry, policy, at)
    running = Clock(used, at) if inquiry.runs else inquiry.clock
    due = _due(targets, running, inquiry.unanswered, inquiry.missed, policy)
    classified = e.InquiryClassified
    return (classified(inquiry.inquiry_id, command.category, command.priority, targets, used, due),)


@decide.register
def _(command: c.Assign, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    _not_closed(inquiry, "be assigned")
    if command.assignee == inquiry.assignee:
        return ()
    return (e.InquiryAssigned(inquiry.inquiry_id, command.assignee),)


@decide.register
def _(command: c.TakeMessage, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    if _is_known(inquiry, command.key):
        return ()
    _not_closed(inquiry, "take a message")
    text = _next_text(inquiry)
    if inquiry.state is InquiryState.RESOLVED:
        return (_reopened(inquiry, policy, at, text, command.key),)
    used = spent(inquiry, policy, at)
    due = _due(inquiry.targets, Clock(used, at), inquiry.unanswered, inquiry.missed, policy)
    return (e.InquiryMessageReceived(inquiry.inquiry_id, text, used, due, command.key),)


@decide.register
def _(command: c.Note, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    """Also of one that is closed: what is learned later is kept with it."""
    if _is_known(inquiry, command.key):
        return ()
    return (e.InquiryNoted(inquiry.inquiry_id, _next_text(inquiry), command.key),)


@decide.register
def _(command: c.Answer, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    if _is_known(inquiry, command.key):
        return ()
    _not_closed(inquiry, "be answered")
    used = spent(inquiry, policy, at)
    due = None
    if inquiry.is_active and not command.waits:
        due = _due(inquiry.targets, Clock(used, at), False, inquiry.missed, policy)
    return (
        e.InquiryAnswered(
            inquiry.inquiry_id,
            _next_text(inquiry),
            used,
            command.waits,
            due,
            inquiry.order_id,
            command.key,
        ),
    )


@decide.register
def _(command: c.Resolve, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    _not_closed(inquiry, "be resolved")
    if inquiry.state is InquiryState.RESOLVED:
        if inquiry.resolutions[-1].fingerprint == command.fingerprint:
            return ()
        raise Conflict(f"{inquiry.inquiry_id} was resolved otherwise")
    return (
        e.InquiryResolved(
            inquiry.inquiry_id,
            command.deed,
            spent(inquiry, policy, at),
            at + timedelta(days=policy.close_after_days),
            inquiry.order_id,
            command.outcome,
            command.amount,
            command.fingerprint,
        ),
    )


@decide.register
def _(command: c.Reopen, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    _not_closed(inquiry, "be opened again")
    if inquiry.is_active:
        return ()
    return (_reopened(inquiry, policy, at),)


@decide.register
def _(command: c.Close, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    if inquiry.state is InquiryState.CLOSED:
        return ()
    return (e.InquiryClosed(inquiry.inquiry_id, spent(inquiry, policy, at)),)


@decide.register
def _(command: c.LookAt, inquiry: Inquiry, policy: ServicePolicy, at: datetime) -> Events:
    looked_at = inquiry.look_at
    if looked_at is None or at < looked_at:
        return ()
    if inquiry.state is InquiryState.RESOLVED:
        return (e.InquiryClosed(inquiry.inquiry_id, inquiry.clock.spent),)
    missed = _next_target(inquiry.targets, inquiry.unanswered, inquiry.missed)
    if missed is None:
        return ()
    also = (*inquiry.missed, missed)
    due = _due(inquiry.targets, inquiry.clock, inquiry.unanswered, also, policy)
    return (e.InquiryOverdue(inquiry.inquiry_id, missed, due),)


def _reopened(
    inquiry: Inquiry, policy: ServicePolicy, at: datetime, text: int = 0, key: str = ""
) -> e.InquiryReopened:
    due = _due(inquiry.targets, Clock(0, at), True, (), policy)
    return e.InquiryReopened(inquiry.inquiry_id, due or at, text, key)


def _due(
    targets: Targets,
    clock: Clock,
    unanswered: bool,
    missed: tuple[Missed, ...],
    policy: ServicePolicy,
) -> datetime | None:
    """When the next of the targets is over, if the clock runs on."""
    target = _next_target(targets, unanswered, missed)
    if clock.since is None or target is None:
        return None
    left = _seconds(targets, target) - clock.spent
    return after_working(policy.calendar, clock.since, left)


def _next_target(targets: Targets, unanswered: bool, missed: tuple[Missed, ...]) -> Missed | None:
    pending = [each for each in Missed if each not in missed]
    if not unanswered:
        pending = [each for each in pending if each is not Missed.FIRST_ANSWER]
    return min(pending, key=lambda each: _seconds(targets, each), default=None)


def _seconds(targets: Targets, target: Missed) -> int:
    first = target is Missed.FIRST_ANSWER
    return targets.first_answer if first else targets.resolution


def _not_closed(inquiry: Inquiry, wish: str) -> None:
    if inquiry.state is InquiryState.CLOSED:
        raise IllegalTransition(inquiry.inquiry_id, inquiry.state, wish)


def _is_known(inquiry: Inquiry, key: str) -> bool:
    return bool(key) and key in inquiry.keys


def _next_text(inquiry: Inquiry) -> int:
    if inquiry.texts >= MAX_TEXTS:
        raise Refused(f"{inquiry.inquiry_id} has {MAX_TEXTS} texts, and takes no more")
    return inquiry.texts + 1
