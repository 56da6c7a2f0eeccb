"""What was given back, and why not more: every cent by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oms.contracts.api import views as v
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus
from oms.domain.refunds import Credit, CreditPart, PartKind
from oms.domain.returns import Acceptance, RefundWhen, Return, ReturnLine
from oms.domain.returns.settling import announced_units, credit_of, settlements

LABELS = {
    PartKind.DISCOUNT: "discount",
    PartKind.TAX: "tax",
    PartKind.SHIPPING: "shipping",
    PartKind.GOODWILL: "goodwill",
    PartKind.RESTOCKING_FEE: "restocking fee",
    PartKind.RETURN_SHIPPING: "return shipping",
    PartKind.NOT_CAPTURED: "not charged, or given back before",
}
AWAITED = {
    RefundWhen.APPROVAL: "approved",
    RefundWhen.FIRST_SCAN: "scanned by the carrier",
    RefundWhen.RECEIPT: "received",
    RefundWhen.INSPECTION: "inspected",
}


def credit_view(order: Order, credit: Credit) -> v.CreditView:
    operations = _operations(order, credit)
    return v.CreditView(
        credit_id=credit.credit_id,
        kind=credit.kind,
        amount=credit.amount,
        refunded=sum(x.amount for x in operations if x.status is OperationStatus.SUCCEEDED),
        parts=[part_view(order, part) for part in credit.parts],
        contained_taxes=[part_view(order, part) for part in credit.contained],
        destinations=[_destination(order, each) for each in operations],
        reason=credit.reason,
        cause=credit.cause,
    )


def part_view(order: Order, part: CreditPart) -> v.CreditPartView:
    return v.CreditPartView(
        kind=part.kind,
        label=label(order, part),
        amount=part.amount,
        line_id=part.line_id,
        first_unit=part.first_unit,
        quantity=part.quantity,
    )


def label(order: Order, part: CreditPart) -> str:
    if part.kind is PartKind.PRICE:
        return f"{part.quantity} × {order.line(part.line_id).sku}"
    return " ".join(filter(None, (LABELS[part.kind], part.name)))


def settlement_view(order: Order, found: Return) -> v.SettlementView:
    """As it was granted; before that, what the whole return would bring on its terms."""
    given = settlements(order, found) or tuple(_estimated(order, found))
    granted = sum(credit.amount for credit in settlements(order, found))
    operations = [each for credit in given for each in _operations(order, credit)]
    return v.SettlementView(
        refund_amount=sum(credit.amount for credit in given),
        granted=granted,
        estimated=bool(given) and not settlements(order, found),
        parts=[part_view(order, part) for credit in given for part in credit.parts],
        contained_taxes=[part_view(order, x) for credit in given for x in credit.contained],
        destinations=[_destination(order, each) for each in operations],
        remarks=list(_remarks(order, found, given)),
    )


def _estimated(order: Order, found: Return) -> Iterator[Credit]:
    if units := announced_units(found):
        yield credit_of(order, found, units, "")


def _operations(order: Order, credit: Credit) -> list[Operation]:
    return [
        each
        for each in order.payment.operations
        if each.kind is OperationKind.REFUND and credit.credit_id and each.cause == credit.credit_id
    ]


def _destination(order: Order, operation: Operation) -> v.RefundDestinationView:
    return v.RefundDestinationView(
        operation_id=operation.operation_id,
        provider=order.payment.provider_of(operation),
        amount=operation.amount,
        status=operation.status,
        to=operation.to,
        reason=operation.reason,
    )


def _remarks(order: Order, found: Return, given: Iterable[Credit]) -> Iterator[str]:
    for line in found.lines:
        yield from _of_line(order, found, line)
    lacking = -sum(
        part.amount
        for credit in given
        for part in credit.parts
        if part.kind is PartKind.NOT_CAPTURED
    )
    if lacking:
        yield f"{lacking} less, as not more was charged, or it was given back before"


def _of_line(order: Order, found: Return, line: ReturnLine) -> Iterator[str]:
    sku = order.line(line.line_id).sku
    if line.missing:
        yield f"{line.missing} of {line.quantity} {sku} did not come"
    if rejected := line.judged(Acceptance.REJECTED):
        yield f"{rejected} of {line.quantity} {sku} were not accepted"
    if waiting := found.outstanding(line):
        when = AWAITED[found.terms.refund_when] if found.approved_at else "approved"
        yield f"{waiting} of {line.quantity} {sku} are paid for when they are {when}"
