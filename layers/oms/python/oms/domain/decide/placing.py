"""An order begins."""

from __future__ import annotations

from dataclasses import replace

from oms.domain import commands as c
from oms.domain import events as e
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
            operations=_first_operations(total, command.captured),
            stock_hold_id=command.stock_hold_id,
            tags=command.tags,
            customer_tier=command.customer_tier,
            deliver_by=command.deliver_by,
            pickup_location=command.pickup_location,
        ),
        *(
            e.HoldPlaced(f"hold_{number}", kind, reason)
            for number, (kind, reason) in enumerate(command.holds, 1)
        ),
    )


def _first_operations(total: int, captured: int) -> tuple[Operation, ...]:
    if total == 0:
        return ()
    if captured:  # the channel took it, or a part of it: recorded as it happened elsewhere
        done = OperationStatus.SUCCEEDED
        return (
            Operation("op_1", OperationKind.AUTHORIZE, total, done, reference="channel"),
            Operation(
                "op_2", OperationKind.CAPTURE, min(captured, total), done, reference="channel"
            ),
        )
    return (Operation("op_1", OperationKind.AUTHORIZE, total),)
