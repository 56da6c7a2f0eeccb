"""The order that brings what the customer gets for returned goods: placed with the return's
approval, let go when the goods have come, called off when they do not.

A consumer of the return's events. It begins from how the return and the order are now: told twice,
or late, it does nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from oms.adapters.dynamodb import Write
from oms.adapters.items_table import items_table
from oms.adapters.orders_table import (
    AlreadyPlaced,
    OrdersTable,
    Placement,
    fingerprint_of,
    orders_table,
)
from oms.adapters.payments import BY_HAND
from oms.adapters.vault import vault
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.decide import facts, place
from oms.domain.errors import NotFound, Refused
from oms.domain.fulfillment import Quantity
from oms.domain.holds import HoldStep, NewHold
from oms.domain.ids import order_of_return
from oms.domain.items import StockItem
from oms.domain.lines import Line, Shipping
from oms.domain.order import Order
from oms.domain.payment import OperationStatus
from oms.domain.returns import Resolution, Return
from oms.domain.returns.exchanging import (
    AWAITING_RETURN,
    EXCHANGE,
    ExchangeStanding,
    is_to_be_placed,
    linked_lines,
    sent,
    standing,
)
from oms.domain.returns.settling import sent_at_once
from oms.domain.store_credit import reference_to, store_credit_account
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = (
    *("ORDERS_TABLE", "STOCK_TABLE", "CUSTOMERS_TABLE"),
    *("KEYS_TABLE", "VAULT_KEY_ID"),
)
ACTOR = "system"
NOT_RETURNED = "not_returned"
NO_CONTACT = "its exchange cannot be sent: who it goes to is not known any more"


@dataclass(frozen=True, slots=True)
class ExchangeDesk:
    """`contact` and `keep_contact` read and write the vault; `resolve` says which stock items SKUs
    stand for."""

    orders: OrdersTable
    contact: Callable[[str, str], Contact | None]
    keep_contact: Callable[[str, str, Contact], Write]
    resolve: Callable[[Iterable[str]], Mapping[str, StockItem]]


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    return_id = event["detail"]["data"]["return_id"]
    known = vault()
    desk = ExchangeDesk(
        orders_table(with_stock=True), known.contact, known.contact_write, items_table().resolve
    )
    return {"outcome": tend(desk, return_id, datetime.now(UTC)), "return_id": return_id}


def tend(desk: ExchangeDesk, return_id: str, at: datetime) -> str:
    """What became of the linked order. The return is read again once it is placed: what ends the
    return meanwhile finds the order, or is seen here."""
    order, found = _read(desk, return_id)
    if not found.linked_order:
        return "not an exchange"
    if is_to_be_placed(found) and not _is_placed(desk, found):
        if not _placed(desk, order, found, at):
            return "no contact"
        order, found = _read(desk, return_id)
    return _followed(desk, order, found, at)


def _read(desk: ExchangeDesk, return_id: str) -> tuple[Order, Return]:
    order = desk.orders.get(order_of_return(return_id))
    return order, order.return_(return_id)


def _is_placed(desk: ExchangeDesk, found: Return) -> bool:
    try:
        desk.orders.get(found.linked_order)
    except NotFound:
        return False
    return True


def _placed(desk: ExchangeDesk, order: Order, found: Return, at: datetime) -> bool:
    contact = desk.contact(order.customer_id, order.contact_id)
    if contact is None:
        _tell(desk, found, at)
        return False
    identity, events = found.linked_order, linked_order(order, found, desk.resolve, at)
    recorded, linked = facts(identity, None, events, at, ACTOR)
    placement = Placement(fingerprint_of({"return_id": found.return_id}))
    kept = desk.keep_contact(order.customer_id, identity, contact)
    with suppress(AlreadyPlaced):
        desk.orders.place(identity, recorded, linked, placement, [kept])
    return True


def _tell(desk: ExchangeDesk, found: Return, at: datetime) -> None:
    command = c.RaiseAttention(NO_CONTACT, found.return_id)
    desk.orders.change(order_of_return(found.return_id), command, at=at, actor=ACTOR)


def linked_order(
    order: Order,
    found: Return,
    resolve: Callable[[Iterable[str]], Mapping[str, StockItem]],
    at: datetime,
) -> tuple[e.Event, ...]:
    lines = linked_lines(order, found)
    items = resolve(line.sku for line in lines)
    command = c.PlaceOrder(
        channel=order.channel,
        external_id=found.return_id,
        currency=order.currency,
        customer_id=order.customer_id,
        placed_at=at,
        destination=order.destination,
        lines=tuple(_taking(line, items.get(line.sku)) for line in lines),
        discounts=(),
        shipping=Shipping(order.shipping.method, 0),
        tax_included=order.tax_included,
        provider=order.payment.provider,
        holds=tuple(_holds(found)),
        tags=order.tags,
        customer_tier=order.customer_tier,
        pickup_location=order.pickup_location,
        linked_to=found.return_id,
        billing_country=order.billing_country,
        tenders=tuple(_tenders(order, found)),
    )
    return tuple(_asking_again(event, order) for event in place(command))


def _taking(line: Line, item: StockItem | None) -> Line:
    """What a replacement takes was known when the line was first sold."""
    if line.takes or item is None:
        return line
    return replace(line, takes=item.takes, tags=item.attributes.tags)


def _holds(found: Return) -> Iterator[NewHold]:
    if not sent_at_once(found):
        reason = f"the goods of {found.return_id} are awaited"
        yield NewHold(AWAITING_RETURN, reason, (HoldStep.FULFILLMENT,))


def _tenders(order: Order, found: Return) -> Iterator[c.TenderGiven]:
    if found.exchange_value:
        account = store_credit_account(order.customer_id, order.currency)
        yield c.TenderGiven(EXCHANGE, found.exchange_value, reference_to(account), prepaid=True)


def _asking_again(event: e.Event, order: Order) -> e.Event:
    """What it costs more is asked of whoever has paid for the goods that come back."""
    if not isinstance(event, e.OrderPlaced):
        return event
    before = _means_of_payment(order)
    operations = (each if each.settled else replace(each, to=before) for each in event.operations)
    return replace(event, operations=tuple(operations))


def _means_of_payment(order: Order) -> str:
    """The newest authorization of the order's own provider; none, where only the buyer can pay."""
    if order.payment.provider in BY_HAND:
        return ""
    done = OperationStatus.SUCCEEDED
    own = (x for x in order.payment.authorizations if not x.provider and x.status is done)
    return next((each.reference for each in reversed(tuple(own))), "")


def _followed(desk: ExchangeDesk, order: Order, found: Return, at: datetime) -> str:
    if not _is_placed(desk, found):
        return "never placed"

    def do(command: c.Command) -> Order:
        return desk.orders.change(found.linked_order, command, at=at, actor=ACTOR)

    if amount := sent(order, found):
        do(c.ReceiveExchange(amount))
    decided = standing(order, found)
    if decided is ExchangeStanding.REFUSED:
        _cancel(do)
    if decided is ExchangeStanding.GRANTED:
        _let_go(do, desk.orders.get(found.linked_order), found)
    return decided.value


Do = Callable[[c.Command], Order]


def _cancel(do: Do, lines: tuple[Quantity, ...] = ()) -> None:
    """What has left stays sold: a person is told with the return."""
    with suppress(Refused):
        do(c.CancelOrder(NOT_RETURNED, lines))


def _let_go(do: Do, linked: Order, found: Return) -> None:
    """Only as much of a replacement as was returned for it."""
    if less := tuple(_refused(linked, found)):
        _cancel(do, less)
    for hold in linked.active_holds:
        if hold.type == AWAITING_RETURN:
            do(c.ReleaseHold(hold.hold_id, "the goods have come back"))


def _refused(linked: Order, found: Return) -> Iterator[Quantity]:
    if found.resolution is not Resolution.REPLACEMENT or sent_at_once(found):
        return
    for line, returned in zip(linked.lines, found.lines, strict=False):
        less = returned.quantity - returned.settled - line.cancelled
        if less > 0:
            yield Quantity(line.line_id, less)
