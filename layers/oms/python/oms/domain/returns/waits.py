"""What the workflow of a return can wait for, and when its wait is over.

As an order's waits, each is asked for twice: when the workflow comes to wait, and after every
change of the order. So no wake-up is lost.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain.order.model import Order
from oms.domain.payment import Operation
from oms.domain.returns.model import Return, ReturnStatus

_S = ReturnStatus
_COMING = (_S.REQUESTED, _S.APPROVED, _S.IN_TRANSIT)
_CLOSED = (_S.DECLINED, _S.CANCELLED, _S.EXPIRED)
HAND_OVER_WITHIN = timedelta(days=60)  # of a return that was approved without a last day
IGNORED = "ignore"


class ReturnWait(StrEnum):
    GOODS = "goods"
    INSPECTION = "inspection"
    ATTENTION = "attention"


def token_name(return_id: str, wait: ReturnWait) -> str:
    """Under which the workflow's token is kept, beside those of its order."""
    return f"{return_id}#{wait}"


def outcome(order: Order, return_id: str, wait: ReturnWait) -> str | None:
    """How the wait ended, or None while it goes on."""
    found = order.return_(return_id)
    if wait is ReturnWait.ATTENTION:  # one that is over may need it too: it was paid for in vain
        return _attention(order, found)
    if found.status in _CLOSED:
        return "attention" if found.attention else "closed"
    return _goods(found) if wait is ReturnWait.GOODS else _inspection(found)


def ended(before: Order, after: Order) -> dict[str, str]:
    """Waits of its returns that a change of the order has ended, with their outcomes."""
    known = [each.return_id for each in before.returns]
    over = (
        (token_name(identity, wait), outcome(after, identity, wait))
        for identity in known
        for wait in ReturnWait
        if outcome(before, identity, wait) is None
    )
    return {name: now for name, now in over if now is not None}


def needs(order: Order, return_id: str, at: datetime) -> str:
    """What the return needs next: `goods` that can still be handed over, or that are `late`."""
    over = outcome(order, return_id, ReturnWait.GOODS)
    return over or ("goods" if at < hand_over_by(order.return_(return_id)) else "late")


def settled(order: Order, return_id: str) -> str:
    """How far the return is when all is done that was due."""
    found = order.return_(return_id)
    if found.attention or is_refused(order, found):
        return "attention"
    if found.status in _CLOSED:
        return "closed"
    return "completed" if found.status is _S.COMPLETED else "inspecting"


def hand_over_by(found: Return) -> datetime:
    return found.expires_at or (found.approved_at or found.requested_at) + HAND_OVER_WITHIN


def needs_workflow(found: Return) -> bool:
    """It was approved and is not over, or a person has to decide; what one ignores is left."""
    under_way = found.is_open and found.status is not _S.REQUESTED
    return bool(found.attention) or (under_way and found.decision != IGNORED)


def nobody_asked(order: Order, return_id: str) -> bool:
    """Nobody is asked about it yet, and it was not called off."""
    found = order.return_(return_id)
    return not (found.attention or is_refused(order, found) or found.status in _CLOSED)


def is_refused(order: Order, found: Return) -> bool:
    """Its refund has failed, and nobody has decided yet what becomes of it."""
    return bool(order.attention) and any(
        each in order.unresolved for each in _refunds(order, found)
    )


def _goods(found: Return) -> str | None:
    if found.status not in _COMING:
        return "received"
    return "kept" if found.terms.keep and found.status is not _S.REQUESTED else None


def _inspection(found: Return) -> str | None:
    """What is paid for before all of it is looked at, or has come at all, is told on the bus."""
    return "inspected" if found.status is _S.COMPLETED else None


def _attention(order: Order, found: Return) -> str | None:
    if found.attention or is_refused(order, found):
        return None
    if found.status in _CLOSED:
        return "cancel"
    return found.decision or order.resolution or "retry"


def _refunds(order: Order, found: Return) -> tuple[Operation, ...]:
    granted = {credit.credit_id for credit in order.credits if credit.cause == found.return_id}
    return tuple(each for each in order.payment.operations if each.cause in granted)
