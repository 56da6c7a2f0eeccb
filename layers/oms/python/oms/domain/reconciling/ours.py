"""Our side of it: what of an order a statement may speak of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from oms.domain import events as e
from oms.domain.order import Fact, Order, OrderStatus
from oms.domain.payment import Dispute, DisputeStatus, Operation, OperationKind, OperationStatus
from oms.domain.reconciling.entries import EntryKind, Ours

MOVED = {
    OperationKind.CAPTURE: EntryKind.CAPTURE,
    OperationKind.REFUND: EntryKind.REFUND,
}
VOID = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})


def moves_money(order: Order, provider: str) -> bool:
    """Something was taken or given back by this provider."""
    return any(True for _ in _moved(order, provider)) or bool(order.payment.disputes)


def payments_of(order: Order, facts: Iterable[Fact], provider: str) -> Iterator[Ours]:
    """Captures, refunds and disputes, each at the time when it was known; at the order's own where
    its history does not say."""
    times = dict(_times(facts))
    for operation, kind in _moved(order, provider):
        sign = 1 if kind is EntryKind.CAPTURE else -1
        identity = operation.operation_id
        at = times.get(identity, order.placed_at)
        yield _ours(order, kind, operation.reference, identity, sign * operation.amount, at)
    for dispute in order.payment.disputes:
        if order.payment.provider_of(order.payment.operation(dispute.operation_id)) == provider:
            yield from _disputed(order, dispute, times)


def _moved(order: Order, provider: str) -> Iterator[tuple[Operation, EntryKind]]:
    payment, done = order.payment, OperationStatus.SUCCEEDED
    for each in payment.operations:
        kind = MOVED.get(each.kind)
        if kind and each.status is done and payment.provider_of(each) == provider:
            yield each, kind


def _disputed(order: Order, dispute: Dispute, times: dict[str, datetime]) -> Iterator[Ours]:
    identity, amount = dispute.dispute_id, dispute.amount
    taken = times.get(identity, order.placed_at)
    yield _ours(order, EntryKind.CHARGEBACK, identity, identity, -amount, taken)
    if dispute.status is DisputeStatus.WON:
        won = f"{identity}/won"
        given = times.get(won, taken)
        yield _ours(order, EntryKind.CHARGEBACK_REVERSED, identity, won, amount, given)


def _ours(
    order: Order, kind: EntryKind, reference: str, identity: str, amount: int, at: datetime
) -> Ours:
    return Ours(kind, reference, order.order_id, identity, amount, order.currency, at)


def _times(facts: Iterable[Fact]) -> Iterator[tuple[str, datetime]]:
    """What comes later counts: a refund that was pending has moved with its last word."""
    for fact in facts:
        event = fact.event
        if isinstance(event, e.PaymentCaptured | e.PaymentRefunded):
            yield event.operation_id, fact.at
        elif isinstance(event, e.PaymentOperationRequested):
            yield event.operation.operation_id, fact.at
        elif isinstance(event, e.PaymentDisputed):
            yield event.dispute_id, fact.at
        elif isinstance(event, e.PaymentDisputeClosed):
            yield f"{event.dispute_id}/won", fact.at


def channel_order(order: Order) -> Ours:
    return Ours(
        EntryKind.ORDER,
        order.external_id,
        order.order_id,
        "order",
        order.total,
        order.currency,
        order.placed_at,
        also=order.payable,
        is_void=order.status in VOID,
    )


def parcels_of(order: Order, carrier: str) -> Iterator[Ours]:
    """What left by this carrier, and what came back; what it costs only labels know."""
    for each in order.fulfillment_orders:
        at = each.shipped_at or order.placed_at
        for parcel in each.parcels:
            if parcel.carrier == carrier:
                number = tracking(parcel.tracking_number)
                yield _parcel(order, number, at)
    for back in order.returns:
        at = back.approved_at or back.requested_at
        for came in back.parcels:
            if came.carrier == carrier:
                yield _parcel(order, tracking(came.tracking_number), at)


def _parcel(order: Order, number: str, at: datetime) -> Ours:
    return Ours(
        EntryKind.PARCEL, number, order.order_id, f"parcel_{number}", None, order.currency, at
    )


def tracking(number: str) -> str:
    """As carriers print it, without the spaces that people read it by."""
    return number.replace(" ", "").upper()


def is_nameless(ours: Ours, provider: str) -> bool:
    """Nobody has given it a name of its own: it was paid elsewhere, and only recorded here."""
    return ours.reference in ("", provider)
