"""An order begins."""

from __future__ import annotations

from dataclasses import replace

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import Refused
from oms.domain.money import spread
from oms.domain.payment import Operation, OperationKind, OperationStatus


def place(command: c.PlaceOrder) -> tuple[e.Event, ...]:
    """Accept an order: spread its discounts over the lines and request its authorization."""
    discount = sum(each.amount for each in command.discounts)
    shares = spread(discount, [line.discounted for line in command.lines])
    lines = tuple(
        replace(line, order_discount=share)
        for line, share in zip(command.lines, shares, strict=True)
    )
    total = sum(line.payable(0, line.quantity, tax_included=command.tax_included) for line in lines)
    total += command.shipping.payable(tax_included=command.tax_included)
    return (
        e.OrderPlaced(
            channel=command.channel,
            external_id=command.external_id,
            currency=command.currency,
            customer_id=command.customer_id,
            placed_at=command.placed_at,
            destination=command.destination,
            lines=lines,
            discounts=command.discounts,
            shipping=command.shipping,
            tax_included=command.tax_included,
            total=total,
            provider=command.provider,
            operations=_first_operations(total, command),
            stock_hold_id=command.stock_hold_id,
            tags=command.tags,
            customer_tier=command.customer_tier,
            deliver_by=command.deliver_by,
            pickup_location=command.pickup_location,
            linked_to=command.linked_to,
            billing_country=command.billing_country,
            risk=command.risk,
        ),
        *(
            e.HoldPlaced(f"hold_{number}", hold.type, hold.reason, hold.blocks, hold.until)
            for number, hold in enumerate(command.holds, 1)
        ),
    )


def _first_operations(total: int, command: c.PlaceOrder) -> tuple[Operation, ...]:
    """An authorization for each tender, the order's own provider pays the rest."""
    given = tuple(_tendered(number, each) for number, each in enumerate(command.tenders, 1))
    rest = total - sum(each.amount for each in given)
    if rest < 0:
        raise Refused(f"the tenders are {-rest} more than the total {total}")
    if rest == 0:
        return given
    first, prepaid = f"op_{len(given) + 1}", command.prepaid and not command.captured
    authorize = Operation(first, OperationKind.AUTHORIZE, rest, prepaid=prepaid)
    if not command.captured:
        return (*given, authorize)
    # The channel took it, or a part of it: recorded as it happened elsewhere.
    done = OperationStatus.SUCCEEDED
    taken = min(command.captured, rest)
    capture = Operation(f"op_{len(given) + 2}", OperationKind.CAPTURE, taken, done)
    of = authorize.operation_id if given else ""
    return (
        *given,
        replace(authorize, status=done, reference="channel"),
        replace(capture, reference="channel", of=of),
    )


def _tendered(number: int, tender: c.TenderGiven) -> Operation:
    """What is reserved already is authorized."""
    status = OperationStatus.SUCCEEDED if tender.reference else OperationStatus.REQUESTED
    return Operation(
        f"op_{number}",
        OperationKind.AUTHORIZE,
        tender.amount,
        status,
        reference=tender.reference,
        provider=tender.provider,
        prepaid=tender.prepaid,
    )
