"""Goods that come back: from the request to what is given for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide
from oms.domain.decide.settling import settled
from oms.domain.errors import IllegalTransition, QuantityExceeded, Refused
from oms.domain.fulfillment import Quantity, totals
from oms.domain.ids import return_id
from oms.domain.order import Order
from oms.domain.returns import (
    Acceptance,
    Disposition,
    Inspected,
    Received,
    Resolution,
    Return,
    ReturnLine,
    ReturnStatus,
    Terms,
    with_told,
)
from oms.domain.returns.eligibility import returnable
from oms.domain.returns.settling import sent_at_once
from oms.domain.tracking import since

MAX_RETURNS = 100  # of an order, which keeps them all

_ON_THE_WAY = frozenset(
    {ReturnStatus.APPROVED, ReturnStatus.IN_TRANSIT, ReturnStatus.PARTIALLY_RECEIVED}
)
_NOT_BEGUN = frozenset({ReturnStatus.REQUESTED, ReturnStatus.APPROVED})
_STOPPED = frozenset({ReturnStatus.DECLINED, ReturnStatus.CANCELLED, ReturnStatus.EXPIRED})
_KEPT_AWAY = frozenset({Disposition.SEND_BACK, Disposition.QUARANTINE, Disposition.WRITE_OFF})


@decide.register
def _(command: c.RequestReturn, order: Order) -> tuple[e.Event, ...]:
    if command.key and any(each.key == command.key for each in order.returns):
        return ()
    if len(order.returns) >= MAX_RETURNS:
        raise Refused(f"an order takes {MAX_RETURNS} returns")
    _fits_together(command)
    for line in command.lines:
        _is_free(order, line)
    identity = return_id(order.order_id, len(order.returns) + 1)
    requested = e.ReturnRequested(
        identity,
        command.lines,
        command.resolution,
        command.in_store,
        command.exchange,
        command.key,
        command.override,
    )
    if command.terms is None or _asks_too_often(order, command):
        return (requested, *settled(after(order, requested), identity))
    terms = _terms(command.lines, command.terms)
    return _approved_at_once(command, order, requested, terms)


def _asks_too_often(order: Order, command: c.RequestReturn) -> bool:
    return command.at_most is not None and len(order.returns) >= command.at_most


def _approved_at_once(
    command: c.RequestReturn, order: Order, requested: e.ReturnRequested, terms: Terms
) -> tuple[e.Event, ...]:
    identity = requested.return_id
    approved = e.ReturnApproved(identity, terms, command.expires_at, automatic=not command.override)
    events: tuple[e.Event, ...] = (requested, approved)
    if command.handed_in:
        came = tuple(Received(each.line_id, each.quantity) for each in command.lines)
        arrived = e.ReturnReceived(identity, command.in_store, came)
        _can_be_judged(after(order, *events, arrived).return_(identity), command.handed_in)
        looked_at = _placed(command.handed_in, command.in_store)
        events = (*events, arrived, e.ReturnInspected(identity, looked_at))
    return (*events, *settled(after(order, *events), identity))


def _fits_together(command: c.RequestReturn) -> None:
    _each_once(each.line_id for each in command.lines)
    if not command.lines or any(each.quantity < 1 for each in command.lines):
        raise Refused("a return has units")
    if len({each.never_arrived for each in command.lines}) > 1:
        raise Refused("what never arrived is not returned together with goods that come back")
    if (command.resolution is Resolution.EXCHANGE) != bool(command.exchange):
        raise Refused("what is wanted instead is told of an exchange, and of nothing else")
    if command.handed_in and (command.terms is None or not command.in_store):
        raise Refused("goods are received at once only in a store, where the policy allows it")


def _each_once(line_ids: Iterable[str]) -> None:
    seen = set[str]()
    for line_id in line_ids:
        if line_id in seen:
            raise Refused(f"{line_id} is given twice")
        seen.add(line_id)


def _is_free(order: Order, wanted: ReturnLine) -> None:
    """Only what was delivered can come back; what never arrived has left a warehouse at least.
    Nobody is given anything for a unit twice."""
    left = returnable(order, wanted.line_id, never_arrived=wanted.never_arrived)
    if wanted.quantity > left:
        raise QuantityExceeded(wanted.line_id, wanted.quantity, left)


def _terms(lines: Iterable[ReturnLine], terms: Terms) -> Terms:
    """Nothing can be asked back of what never arrived."""
    return replace(terms, keep=True) if any(x.never_arrived for x in lines) else terms


@decide.register
def _(command: c.ApproveReturn, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    if found.approved_at is not None and found.status not in _STOPPED:
        return ()
    _must_be(found, {ReturnStatus.REQUESTED}, "be approved")
    terms = _terms(found.lines, command.terms)
    return _told(order, e.ReturnApproved(found.return_id, terms, command.expires_at))


@decide.register
def _(command: c.DeclineReturn, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    if found.status is ReturnStatus.DECLINED:
        return ()
    _must_be(found, {ReturnStatus.REQUESTED}, "be declined")
    return _told(order, e.ReturnDeclined(found.return_id, command.reason))


@decide.register
def _(command: c.CancelReturn, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    if found.status is ReturnStatus.CANCELLED:
        return ()
    _must_be(found, _NOT_BEGUN, "be cancelled")
    if found.is_handed_over:
        raise Refused(f"{found.return_id}: the goods were handed over")
    if found.settled or (found.linked_order and sent_at_once(found)):
        raise Refused(f"{found.return_id} was paid for, or its exchange is on its way")
    return _told(order, e.ReturnCancelled(found.return_id, command.reason))


@decide.register
def _(command: c.ExpireReturn, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    if found.status not in _NOT_BEGUN or found.is_handed_over:
        return ()
    return _told(order, e.ReturnExpired(found.return_id))


@decide.register
def _(command: c.RecordReturnLabel, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    number = (command.carrier, command.tracking_number)
    if any((each.carrier, each.tracking_number) == number for each in found.parcels):
        return ()
    _must_be(found, _ON_THE_WAY, "be given a label")
    label = e.ReturnLabelIssued(found.return_id, *number, command.document, command.qr)
    return _told(order, label)


@decide.register
def _(command: c.RecordReturnScans, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    number = (command.carrier, command.tracking_number)
    parcels = [x for x in found.parcels if (x.carrier, x.tracking_number) == number]
    unseen = {
        scan.fingerprint: scan
        for parcel in parcels
        for scan in since(order.placed_at, command.scans)
        if not parcel.has(scan)
    }
    if not unseen:
        return ()
    in_order = tuple(sorted(unseen.values(), key=lambda scan: (scan.at, scan.fingerprint)))
    return _told(order, e.ReturnParcelScanned(found.return_id, *number, in_order))


@decide.register
def _(command: c.ReceiveReturn, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    if found.status in {ReturnStatus.REQUESTED, *_STOPPED} or found.terms.keep:
        raise IllegalTransition(found.return_id, _standing(found), "be received")
    if not command.lines and not command.unexpected:
        raise Refused("a receipt has units")
    _was_announced(found, command.lines)
    for each in command.unexpected:
        order.line(each.line_id)
    received = e.ReturnReceived(
        found.return_id, command.location_id, command.lines, command.unexpected
    )
    if not command.inspected:
        return _told(order, received)
    _can_be_judged(after(order, received).return_(found.return_id), command.inspected)
    inspected = _placed(command.inspected, command.location_id)
    return _told(order, received, e.ReturnInspected(found.return_id, inspected))


def _standing(found: Return) -> str:
    return f"{found.status}, to be kept by the customer" if found.terms.keep else found.status


def _was_announced(found: Return, lines: Iterable[Received]) -> None:
    """What comes beside that is `unexpected`: nobody has agreed to give anything for it."""
    for line_id, units in totals(Quantity(x.line_id, x.quantity) for x in lines).items():
        line = _line(found, line_id)
        awaited = line.quantity - line.accounted
        if units > awaited:
            raise QuantityExceeded(line_id, units, awaited)


@decide.register
def _(command: c.InspectReturn, order: Order) -> tuple[e.Event, ...]:
    found = order.return_(command.return_id)
    if not command.lines:
        raise Refused("an inspection has units")
    inspected = _placed(command.lines, found.location_id)
    if _judged_so(found, inspected):
        return ()
    _can_be_judged(found, inspected)
    return _told(order, e.ReturnInspected(found.return_id, inspected))


def _placed(lines: Iterable[Inspected], here: str) -> tuple[Inspected, ...]:
    """What is restocked lies where it was received, unless it is said to go elsewhere."""
    return tuple(
        replace(each, location_id=here) if each.is_restocked and not each.location_id else each
        for each in lines
    )


def _judged_so(found: Return, lines: Sequence[Inspected]) -> bool:
    """The same was reported before, and there is nothing else to look at: also by who has received
    and inspected it in one."""
    known = [
        each for line in lines if (kept := found.line(line.line_id)) for each in kept.inspected
    ]
    spent = all((kept := found.line(x.line_id)) and not kept.undecided for x in lines)
    return spent and bool(known) and set(known) == set(with_told((), lines))


def _can_be_judged(found: Return, lines: Sequence[Inspected]) -> None:
    """Only what has arrived, and each unit once: but for what was put aside to be looked at
    again."""
    for line_id, units in totals(Quantity(x.line_id, x.quantity) for x in lines).items():
        undecided = _line(found, line_id).undecided
        if units > undecided:
            raise QuantityExceeded(line_id, units, undecided)
    for each in lines:
        _goes_together(each)


def _goes_together(judged: Inspected) -> None:
    rejected = judged.acceptance is Acceptance.REJECTED
    kept_away = judged.disposition in _KEPT_AWAY
    sent_back = judged.disposition is Disposition.SEND_BACK
    if (rejected and not kept_away) or (sent_back and not rejected):
        raise Refused(f"{judged.line_id}: {judged.acceptance} and {judged.disposition}")


def _line(found: Return, line_id: str) -> ReturnLine:
    line = found.line(line_id)
    if line is None:
        raise Refused(f"{found.return_id} has no {line_id}")
    return line


def _must_be(found: Return, allowed: Iterable[ReturnStatus], wish: str) -> None:
    if found.status not in allowed:
        raise IllegalTransition(found.return_id, found.status, wish)


_OfReturn = (
    e.ReturnApproved
    | e.ReturnDeclined
    | e.ReturnCancelled
    | e.ReturnExpired
    | e.ReturnLabelIssued
    | e.ReturnParcelScanned
    | e.ReturnReceived
    | e.ReturnInspected
)


def _told(order: Order, *events: _OfReturn) -> tuple[e.Event, ...]:
    """The facts, and what they make due."""
    return (*events, *settled(after(order, *events), events[0].return_id))
