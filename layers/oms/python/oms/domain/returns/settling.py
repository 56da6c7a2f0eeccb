"""What is given for returned units, to the cent: parts that add up to the amount.

The slices of a line's units were fixed when it was placed; the first units are given back first.
So whatever returns the units come in, together they bring back exactly what was paid for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from oms.domain.crediting import creditable
from oms.domain.fulfillment import Quantity, totals
from oms.domain.lines import Tax
from oms.domain.money import unit_share
from oms.domain.order.model import Order
from oms.domain.refunds import Credit, CreditKind, CreditPart, PartKind
from oms.domain.returns.model import (
    Acceptance,
    Reception,
    RefundWhen,
    Resolution,
    Return,
    ReturnLine,
    ReturnStatus,
)

BASIS_POINTS = 10_000
OF_GOODS = frozenset({PartKind.PRICE, PartKind.DISCOUNT, PartKind.TAX})


def due_units(found: Return) -> tuple[Quantity, ...]:
    """Units that its terms say are to be paid for now, and were not."""
    if not is_agreed(found) or (_waits_for_all(found) and not is_known(found)):
        return ()
    due = ((each, payable_units(found, each) - each.settled) for each in found.lines)
    return tuple(Quantity(each.line_id, units) for each, units in due if units > 0)


def announced_units(found: Return) -> tuple[Quantity, ...]:
    """What is still to be paid for, if all of it comes and is accepted."""
    left = ((each, found.outstanding(each)) for each in found.lines)
    return tuple(Quantity(each.line_id, units) for each, units in left if units > 0)


def is_agreed(found: Return) -> bool:
    """It was approved, and is not over."""
    return found.is_open and found.status is not ReturnStatus.REQUESTED


def is_linked(found: Return) -> bool:
    """Another order brings what the customer gets."""
    return found.resolution in (Resolution.EXCHANGE, Resolution.REPLACEMENT)


def sent_at_once(found: Return) -> bool:
    return found.terms.exchange_at_once or found.terms.keep


def payable_units(found: Return, line: ReturnLine) -> int:
    """By what is known of them so far; those that are rejected or have not come never are."""
    if found.terms.keep:
        return line.quantity
    kept = kept_by_customer(line)
    refused = line.judged(Acceptance.REJECTED)
    match found.terms.refund_when:
        case RefundWhen.INSPECTION:
            return kept + line.judged(Acceptance.ACCEPTED)
        case RefundWhen.RECEIPT:
            return kept + line.arrived - refused
        case RefundWhen.FIRST_SCAN if not found.is_handed_over:
            return 0
    return worthy_units(line)


def worthy_units(line: ReturnLine) -> int:
    """All but those that have not come, and those that were rejected."""
    return line.quantity - line.missing - line.judged(Acceptance.REJECTED)


def is_known(found: Return) -> bool:
    """What became of every unit that was announced."""
    if found.terms.keep or found.terms.refund_when in (RefundWhen.APPROVAL, RefundWhen.FIRST_SCAN):
        return True
    unseen = found.terms.refund_when is RefundWhen.RECEIPT
    return all(
        each.accounted >= each.quantity and (unseen or not each.undecided) for each in found.lines
    )


def is_done(found: Return) -> bool:
    """Every unit is accounted for, looked at, and settled or refused."""
    if found.terms.keep:
        return all(each.settled >= each.quantity for each in found.lines)
    return all(
        each.accounted >= each.quantity
        and not each.undecided
        and each.settled >= worthy_units(each)
        for each in found.lines
    )


def _waits_for_all(found: Return) -> bool:
    """An exchange that is sent later is paid for as a whole, or not at all."""
    return found.resolution is Resolution.EXCHANGE and not sent_at_once(found)


def kept_by_customer(line: ReturnLine) -> int:
    kept = Reception.KEPT_BY_CUSTOMER
    return sum(each.quantity for each in line.received if each.reception is kept)


def credit_of(order: Order, found: Return, units: Sequence[Quantity], credit_id: str) -> Credit:
    """For these units, on the terms of the return."""
    parts = () if found.resolution is Resolution.REPLACEMENT else _parts(order, found, units)
    return Credit(
        credit_id,
        CreditKind.RETURN,
        _sum(parts),
        parts,
        cause=found.return_id,
        reason=found.resolution,
        contained=tuple(_contained(order, parts)),
        untaken=_untaken(order, parts),
    )


def late_credit_of(order: Order, found: Return, credit_id: str) -> Credit | None:
    """For what its credits withheld though it had been taken, as far as it can be given by now."""
    if (amount := min(_withheld(order, found), creditable(order))) <= 0:
        return None
    part = CreditPart(PartKind.NOT_CAPTURED, amount)
    reason = found.resolution
    return Credit(credit_id, CreditKind.RETURN, amount, (part,), found.return_id, reason)


def _withheld(order: Order, found: Return) -> int:
    """Beside what nobody has taken."""
    return sum(_lacking(each.parts) - each.untaken for each in settlements(order, found))


def _lacking(parts: Parts) -> int:
    return -_sum(part for part in parts if part.kind is PartKind.NOT_CAPTURED)


def _untaken(order: Order, parts: Parts) -> int:
    """What it does not give because nobody has taken it: nobody will any more."""
    return max(0, min(_lacking(parts), order.claimed - order.unrefunded))


Parts = tuple[CreditPart, ...]


def _parts(order: Order, found: Return, units: Sequence[Quantity]) -> Parts:
    parts = tuple(part for each in units for part in _of_units(order, each))
    parts = (*parts, *_shipping(order, found, units))
    parts = (*parts, *_restocking_fee(order, found, parts))
    parts = (*parts, *_return_shipping(order, found, parts))
    return (*parts, *_not_captured(order, parts))


def _of_units(order: Order, units: Quantity) -> Iterator[CreditPart]:
    """The next units of a line."""
    line, count = order.line(units.line_id), units.quantity
    start = line.returned
    part = partial(CreditPart, line_id=line.line_id, first_unit=start, quantity=count)
    yield part(PartKind.PRICE, line.unit_price * count)
    for name, share in line.discount_shares(start, count):
        if share:
            yield part(PartKind.DISCOUNT, -share, name=name)
    for tax in () if order.tax_included else line.taxes:
        if share := unit_share(tax.amount, line.quantity, start, count):
            yield part(PartKind.TAX, share, name=tax.name)


def _shipping(order: Order, found: Return, units: Sequence[Quantity]) -> Iterator[CreditPart]:
    """Once, with the last unit that the customer had kept."""
    price = order.shipping.payable(tax_included=order.tax_included)
    if found.terms.refund_shipping and price and _are_last(order, units):
        yield CreditPart(PartKind.SHIPPING, price, name=order.shipping.method)


def _are_last(order: Order, units: Sequence[Quantity]) -> bool:
    now = totals(units)
    kept = (x.quantity - x.cancelled - x.returned - now.get(x.line_id, 0) for x in order.lines)
    given = any(x.kind is PartKind.SHIPPING for credit in order.credits for x in credit.parts)
    return not any(kept) and not given


def _restocking_fee(order: Order, found: Return, parts: Parts) -> Iterator[CreditPart]:
    """Of all that the return has brought so far, so that its settlements round as one would."""
    before = tuple(part for credit in settlements(order, found) for part in credit.parts)
    taken = -_sum(part for part in before if part.kind is PartKind.RESTOCKING_FEE)
    fee = _half_up(_worth((*before, *parts)) * found.terms.restocking_fee_bp) - taken
    if (fee := min(fee, _worth(parts))) > 0:
        yield CreditPart(PartKind.RESTOCKING_FEE, -fee)


def _half_up(amount: int) -> int:
    return (2 * amount + BASIS_POINTS) // (2 * BASIS_POINTS)


def _worth(parts: Parts) -> int:
    return _sum(part for part in parts if part.kind in OF_GOODS)


def _return_shipping(order: Order, found: Return, parts: Parts) -> Iterator[CreditPart]:
    """Of the first settlement, as far as it goes."""
    charge = min(found.terms.return_shipping, _sum(parts))
    if charge > 0 and not settlements(order, found):
        yield CreditPart(PartKind.RETURN_SHIPPING, -charge)


def _not_captured(order: Order, parts: Parts) -> Iterator[CreditPart]:
    """Nobody is given more than was taken, and not given back yet."""
    if (lacking := _sum(parts) - creditable(order)) > 0:
        yield CreditPart(PartKind.NOT_CAPTURED, -lacking)


def settlements(order: Order, found: Return) -> tuple[Credit, ...]:
    return tuple(each for each in order.credits if each.cause == found.return_id)


def _contained(order: Order, parts: Iterable[CreditPart]) -> Iterator[CreditPart]:
    for part in parts:
        if part.kind is PartKind.PRICE and order.tax_included:
            line = order.line(part.line_id)
            for tax in line.taxes:
                share = unit_share(tax.amount, line.quantity, part.first_unit, part.quantity)
                yield _tax(tax, share, part)
        elif part.kind is PartKind.SHIPPING:
            yield from (_tax(tax, tax.amount, part) for tax in order.shipping.taxes)


def _tax(tax: Tax, amount: int, of: CreditPart) -> CreditPart:
    return CreditPart(PartKind.TAX, amount, of.line_id, of.first_unit, of.quantity, tax.name)


def _sum(parts: Iterable[CreditPart]) -> int:
    return sum(part.amount for part in parts)
