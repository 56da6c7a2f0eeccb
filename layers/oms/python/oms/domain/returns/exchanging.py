"""What the customer gets instead of goods that come back: an order that is linked to the return."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from oms.domain.ids import order_id_of
from oms.domain.lines import Discount, Line
from oms.domain.order.model import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus
from oms.domain.returns.model import Resolution, Return, ReturnLine, ReturnStatus
from oms.domain.returns.settling import (
    announced_units,
    credit_of,
    kept_by_customer,
    sent_at_once,
)

EXCHANGE = "exchange"  # the provider
REPLACEMENT = "replacement"  # the code of the discount
AWAITING_RETURN = "awaiting_return"  # the type of the hold
_ENDED = frozenset({ReturnStatus.DECLINED, ReturnStatus.CANCELLED, ReturnStatus.EXPIRED})


class ExchangeStanding(StrEnum):
    """Whether the linked order may go."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"


def linked_order_id(order: Order, found: Return) -> str:
    return order_id_of(order.channel, found.return_id)


def linked_lines(order: Order, found: Return) -> tuple[Line, ...]:
    """Those that are wanted, or the same once more for nothing."""
    if found.resolution is Resolution.EXCHANGE:
        wanted = (each.line for each in found.exchange)
        return tuple(replace(x, line_id=f"line_{n}") for n, x in enumerate(wanted, 1))
    return tuple(
        _given(order.line(each.line_id), number, each.quantity)
        for number, each in enumerate(found.lines, 1)
    )


def _given(line: Line, number: int, quantity: int) -> Line:
    given = Line(
        f"line_{number}", line.sku, quantity, line.unit_price, takes=line.takes, tags=line.tags
    )
    return replace(given, discounts=(Discount(REPLACEMENT, given.gross),))


def linked_total(order: Order, found: Return) -> int:
    lines = linked_lines(order, found)
    return sum(x.payable(0, x.quantity, tax_included=order.tax_included) for x in lines)


def exchange_value(order: Order, found: Return) -> int:
    """How much of the linked order the goods will pay, if all of them come and are accepted."""
    expected = credit_of(order, found, announced_units(found), "").amount
    return min(expected, linked_total(order, found))


def account_of(linked_order: str) -> str:
    """Where a refund goes that pays another order."""
    return f"{EXCHANGE}:{linked_order}"


def sent(order: Order, found: Return) -> int:
    """What of the return's money went to the linked order."""
    return sum(each.amount for each in sent_by(order, account_of(found.linked_order)))


def sent_by(order: Order, account: str) -> tuple[Operation, ...]:
    return tuple(
        each
        for each in order.payment.operations
        if each.kind is OperationKind.REFUND
        and each.to == account
        and each.status is not OperationStatus.FAILED
    )


def received(linked: Order) -> int:
    """What was taken of the money of returned goods, for the order that they pay."""
    return sum(
        tender.captured
        for tender in linked.payment.tenders
        if tender.operation.provider == EXCHANGE
    )


def standing(order: Order, found: Return) -> ExchangeStanding:
    if sent_at_once(found) and found.status not in _ENDED:
        return ExchangeStanding.GRANTED
    if found.settled and _is_covered(order, found):
        return ExchangeStanding.GRANTED
    over = found.status in _ENDED or found.status is ReturnStatus.COMPLETED
    return ExchangeStanding.REFUSED if over else ExchangeStanding.WAITING


def _is_covered(order: Order, found: Return) -> bool:
    if found.resolution is Resolution.EXCHANGE:
        return sent(order, found) >= found.exchange_value
    whole = all(each.settled >= each.quantity for each in found.lines)
    return whole or found.status is ReturnStatus.COMPLETED


def is_to_be_placed(found: Return) -> bool:
    """Also when it has ended meanwhile, if the goods were given for before."""
    return bool(found.linked_order) and (found.status not in _ENDED or found.settled > 0)


def uncovered(order: Order, found: Return) -> int:
    """What was sent at once costs, and no goods have come for, in minor units."""
    if found.terms.keep or not found.linked_order:
        return 0
    if found.resolution is Resolution.EXCHANGE:
        return found.exchange_value - sent(order, found) if sent_at_once(found) else 0
    left = ((order.line(x.line_id), _given_for_nothing(found, x)) for x in found.lines)
    included = order.tax_included
    return sum(line.payable(0, units, tax_included=included) for line, units in left)


def _given_for_nothing(found: Return, line: ReturnLine) -> int:
    given = line.quantity if sent_at_once(found) else line.settled
    return max(0, given - line.arrived - kept_by_customer(line))
