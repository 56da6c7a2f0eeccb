"""Whatever happens to two orders of an exchange, in whatever order: no cent is lost or doubled."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.returns.place_exchange import ExchangeDesk, tend
from oms.adapters.dynamodb import Write
from oms.domain import commands as c
from oms.domain.books.orders import audit, exchange
from oms.domain.contact import Contact
from oms.domain.decide import decide, facts
from oms.domain.errors import NotFound, Refused
from oms.domain.fulfillment import Quantity
from oms.domain.order import Fact, Order
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.returns import (
    Acceptance,
    Disposition,
    ExchangeLine,
    Inspected,
    Received,
    RefundWhen,
    Resolution,
    ReturnLine,
    Terms,
)
from oms.domain.returns.exchanging import received, sent
from oms.domain.returns.settling import sent_at_once
from tests.builders import NOW, Story, line, placement

WISHES = ("accept", "reject", "tend", "settle", "cancel_linked", "cancel_some", "ship", "expire")


@dataclass
class Ledger:
    """Orders in memory, as far as an exchange needs them."""

    facts: dict[str, list[Fact]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)

    def get(self, order_id: str) -> Order:
        if order_id not in self.orders:
            raise NotFound("order", order_id)
        return self.orders[order_id]

    def place(self, order_id: str, told: Any, order: Order, *_: Any) -> None:
        self.facts[order_id], self.orders[order_id] = list(told), order

    def change(self, order_id: str, command: c.Command, **how: Any) -> Order:
        order = self.get(order_id)
        told, after = facts(order_id, order, decide(command, order), how.get("at", NOW), "test")
        self.facts[order_id] += told
        self.orders[order_id] = after
        return after


class Exchange:
    """An order of three units, two of which are returned for something else."""

    def __init__(self, terms: Terms, price: int) -> None:
        story = Story(placement(line(1, quantity=3, unit_price=1000, discount=100, tax=77)))
        story.authorized().routed().shipped().captured().delivered()
        self.books, self.at = Ledger(), NOW
        self.books.place(story.order_id, story.facts, story.order)
        wanted = (ExchangeLine(line(1, sku="CUP", quantity=2, unit_price=price)),)
        lines = (ReturnLine("line_1", 2, "unwanted"),)
        self.order_id = story.order_id
        self.do(
            self.order_id,
            c.RequestReturn(lines, Resolution.EXCHANGE, exchange=wanted, terms=terms),
        )

    @property
    def order(self) -> Order:
        return self.books.get(self.order_id)

    @property
    def linked(self) -> Order:
        return self.books.get(self.order.returns[0].linked_order)

    def do(self, order_id: str, command: c.Command) -> None:
        with suppress(Refused, NotFound):
            self.books.change(order_id, command)

    def wish(self, what: str) -> None:
        getattr(self, what)()

    def accept(self) -> None:
        self.judge(Acceptance.ACCEPTED, Disposition.RESTOCK)

    def reject(self) -> None:
        self.judge(Acceptance.REJECTED, Disposition.SEND_BACK)

    def judge(self, said: Acceptance, goes: Disposition) -> None:
        identity = self.order.returns[0].return_id
        told = (Inspected("line_1", 1, said, goes),)
        came = (Received("line_1", 1),)
        self.do(self.order_id, c.ReceiveReturn(identity, "austin", came, inspected=told))

    def expire(self) -> None:
        self.do(self.order_id, c.ExpireReturn(self.order.returns[0].return_id))

    def tend(self) -> None:
        desk = ExchangeDesk(self.books, lambda *_: Contact(), _nowhere, lambda _: {})  # type: ignore[arg-type]
        tend(desk, self.order.returns[0].return_id, self.at)

    def settle(self) -> None:
        for order_id in tuple(self.books.orders):
            while waiting := self.books.get(order_id).payment.unsettled:
                self.do(order_id, _done(waiting[0].operation_id))

    def cancel_linked(self) -> None:
        with suppress(NotFound):
            self.do(self.linked.order_id, c.CancelOrder("no"))

    def cancel_some(self) -> None:
        with suppress(NotFound):
            self.do(self.linked.order_id, c.CancelOrder("less", (Quantity("line_1", 1),)))

    def ship(self) -> None:
        """As far as it may."""
        with suppress(NotFound):
            story = Story.__new__(Story)
            story.order, story.facts, story.at = self.linked, [], NOW
            with suppress(Refused):
                if any(each.open for each in story.order.lines) and story.order.is_paid_for:
                    story.routed()
                for box in range(1, len(story.order.fulfillment_orders) + 1):
                    story.shipped(box)
            self.books.facts[story.order_id] += story.facts
            self.books.orders[story.order_id] = story.order


def _nowhere(customer_id: str, order_id: str, contact: Contact) -> Write:
    return Write({})


def _done(operation_id: str) -> c.Command:
    done = OperationStatus.SUCCEEDED
    return c.RecordPaymentResult(operation_id, 1, done, reference=f"ref_{operation_id}")


@settings(max_examples=150, deadline=None)
@given(
    refund_when=st.sampled_from(RefundWhen),
    at_once=st.booleans(),
    fee=st.sampled_from([0, 1000, 3333]),
    price=st.integers(0, 2000),
    wishes=st.lists(st.sampled_from(WISHES), max_size=14),
)
@example(RefundWhen.APPROVAL, False, 0, 1, ["expire"])  # paid for, and never placed
def test_no_cent_of_an_exchange_is_lost_or_doubled(
    refund_when: RefundWhen, at_once: bool, fee: int, price: int, wishes: list[str]
) -> None:
    terms = Terms(refund_when=refund_when, exchange_at_once=at_once, restocking_fee_bp=fee)
    both = Exchange(terms, price)
    for wish in wishes:
        both.wish(wish)
    for _ in range(3):
        both.tend()
        both.settle()
    order, found = both.order, both.order.returns[0]
    assert _balanced(both, order) == []
    if found.linked_order not in both.books.orders:
        assert sent(order, found) == 0
        return
    linked = both.linked
    assert list(exchange(order, linked)) == []
    assert _balanced(both, linked) == []
    if not sent_at_once(found):
        assert received(linked) == sent(order, found)
    left = sum(
        x.amount
        for x in linked.payment.operations
        if x.kind is OperationKind.REFUND and linked.payment.provider_of(x) == "exchange"
    )
    kept = min(linked.payable, max(received(linked), linked.earned))
    assert left == linked.payment.captured - kept or linked.total > found.exchange_value


def _balanced(both: Exchange, order: Order) -> list[Any]:
    return audit(order.order_id, order, both.books.facts[order.order_id])
