"""What returns make of an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from oms.domain import events as e
from oms.domain.fulfillment import Quantity, quantities, totals
from oms.domain.order.evolving import evolve, with_return
from oms.domain.order.model import Fact, Order
from oms.domain.returns import (
    Inspected,
    Received,
    Return,
    ReturnLine,
    ReturnParcel,
    ReturnStatus,
    with_told,
)
from oms.domain.tracking import Scan, furthest


@evolve.register
def _(event: e.ReturnRequested, order: Order, fact: Fact) -> Order:
    requested = Return(
        event.return_id,
        ReturnStatus.REQUESTED,
        event.resolution,
        event.lines,
        requested_at=fact.at,
        requested_by=fact.actor,
        in_store=event.in_store,
        exchange=event.exchange,
        key=event.key,
        override=event.override,
    )
    return replace(order, returns=(*order.returns, requested))


@evolve.register
def _(event: e.ReturnApproved, order: Order, fact: Fact) -> Order:
    return with_return(
        order,
        event.return_id,
        status=ReturnStatus.APPROVED,
        terms=event.terms,
        expires_at=event.expires_at,
        approved_at=fact.at,
    )


@evolve.register
def _(event: e.ReturnDeclined, order: Order, fact: Fact) -> Order:
    return _ended(order, event.return_id, ReturnStatus.DECLINED, event.reason)


@evolve.register
def _(event: e.ReturnCancelled, order: Order, fact: Fact) -> Order:
    return _ended(order, event.return_id, ReturnStatus.CANCELLED, event.reason)


@evolve.register
def _(event: e.ReturnExpired, order: Order, fact: Fact) -> Order:
    return _ended(order, event.return_id, ReturnStatus.EXPIRED)


@evolve.register
def _(event: e.ReturnCompleted, order: Order, fact: Fact) -> Order:
    return _ended(order, event.return_id, ReturnStatus.COMPLETED)


@evolve.register
def _(event: e.ReturnLabelIssued, order: Order, fact: Fact) -> Order:
    found = order.return_(event.return_id)
    label = ReturnParcel(event.carrier, event.tracking_number, document=event.document, qr=event.qr)
    return with_return(order, event.return_id, parcels=(*found.parcels, label))


@evolve.register
def _(event: e.ReturnParcelScanned, order: Order, fact: Fact) -> Order:
    number, found = (event.carrier, event.tracking_number), order.return_(event.return_id)
    parcels = tuple(
        _scanned(each, event.scans) if (each.carrier, each.tracking_number) == number else each
        for each in found.parcels
    )
    handed_over = found.status is ReturnStatus.APPROVED and any(x.is_moving for x in parcels)
    status = ReturnStatus.IN_TRANSIT if handed_over else found.status
    return with_return(order, event.return_id, parcels=parcels, status=status)


@evolve.register
def _(event: e.ReturnReceived, order: Order, fact: Fact) -> Order:
    found = order.return_(event.return_id)
    received = replace(
        found,
        lines=tuple(_came(line, event.lines) for line in found.lines),
        location_id=event.location_id,
        unexpected=quantities(totals((*found.unexpected, *event.unexpected))),
    )
    return _arrived(order, received)


@evolve.register
def _(event: e.ReturnInspected, order: Order, fact: Fact) -> Order:
    found = order.return_(event.return_id)
    judged = tuple(_judged(line, event.lines) for line in found.lines)
    return _arrived(order, replace(found, lines=judged))


@evolve.register
def _(event: e.ReturnSettled, order: Order, fact: Fact) -> Order:
    paid, found = totals(event.lines), order.return_(event.return_id)
    order = replace(
        order,
        lines=tuple(
            replace(line, returned=line.returned + paid.get(line.line_id, 0))
            for line in order.lines
        ),
        credits=(*order.credits, event.credit),
    )
    return with_return(order, event.return_id, lines=_with_settled(found.lines, event.lines))


@evolve.register
def _(event: e.ExchangePlaced, order: Order, fact: Fact) -> Order:
    return with_return(
        order,
        event.return_id,
        linked_order=event.linked_order,
        exchange_value=event.amount,
    )


def _ended(order: Order, return_id: str, status: ReturnStatus, reason: str = "") -> Order:
    return with_return(order, return_id, status=status, reason=reason)


def _arrived(order: Order, found: Return) -> Order:
    now = replace(found, status=_status_of(found))
    returns = tuple(now if each.return_id == now.return_id else each for each in order.returns)
    return replace(order, returns=returns)


def _status_of(found: Return) -> ReturnStatus:
    """What is paid for may still be looked at: it stays completed."""
    if found.status is ReturnStatus.COMPLETED:
        return found.status
    if any(line.accounted < line.quantity for line in found.lines):
        return ReturnStatus.PARTIALLY_RECEIVED
    looked_at = not any(line.undecided for line in found.lines)
    return ReturnStatus.INSPECTED if looked_at else ReturnStatus.RECEIVED


def _came(line: ReturnLine, told: Sequence[Received]) -> ReturnLine:
    of_it = (each for each in told if each.line_id == line.line_id)
    return replace(line, received=with_told(line.received, of_it))


def _judged(line: ReturnLine, told: Sequence[Inspected]) -> ReturnLine:
    of_it = (each for each in told if each.line_id == line.line_id)
    return replace(line, inspected=with_told(line.inspected, of_it))


def _with_settled(lines: Sequence[ReturnLine], paid: Sequence[Quantity]) -> tuple[ReturnLine, ...]:
    units = totals(paid)
    return tuple(replace(line, settled=line.settled + units.get(line.line_id, 0)) for line in lines)


def _scanned(parcel: ReturnParcel, scans: Iterable[Scan]) -> ReturnParcel:
    for scan in scans:
        status, scanned_at = furthest(parcel.status, parcel.scanned_at, scan)
        fingerprints = (*parcel.scans, scan.fingerprint)
        parcel = replace(parcel, status=status, scanned_at=scanned_at, scans=fingerprints)
    return parcel
