"""An exchange over real tables: what one order gives for goods, another one has, to the cent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from functions.books.books import Shelves, check
from functions.books.credit_books import payouts
from functions.returns.place_exchange import ExchangeDesk, tend
from oms.adapters.credit_ledger import CreditLedger
from oms.adapters.histories import Histories
from oms.adapters.item_books import ItemBooks
from oms.adapters.orders_table import once_key
from oms.adapters.payments.exchange import Exchange
from oms.adapters.payments.settling import settle
from oms.adapters.payments.store_credit import Credit
from oms.domain import commands as c
from oms.domain.contact import Contact
from oms.domain.errors import Contended, Refused
from oms.domain.holds import HoldStep
from oms.domain.lines import Line
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind
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
from oms.domain.store_credit import STORE_CREDIT
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud

LATER = Terms(refund_when=RefundWhen.INSPECTION)
NOW = Terms(refund_when=RefundWhen.INSPECTION, exchange_at_once=True)
ADA = Contact("ada@example.com", "Ada")


@dataclass
class Counter:
    """Where an order was delivered, and its goods come back."""

    world: World

    @property
    def ledger(self) -> CreditLedger:
        return CreditLedger(self.world.client, self.world.orders_name, self.world.agenda)

    @property
    def store_credit(self) -> int:
        account = self.ledger.find("sc_cus_ada_USD")
        return account.balance if account else 0

    @property
    def desk(self) -> ExchangeDesk:
        return self.desk_of(self.world)

    def desk_of(self, world: World) -> ExchangeDesk:
        keep = world._no_vault
        return ExchangeDesk(world.orders, lambda *_: ADA, keep, lambda _: {})

    def pay(self, order_id: str) -> Order:
        credit = Credit(STORE_CREDIT, ledger=lambda: self.ledger)
        providers = {
            **self.world.providers,
            "exchange": Exchange(credit),
            "store_credit": credit,
        }
        return settle(
            self.world.orders,
            order_id,
            at=now(),
            providers=providers,
            deadlines=self.world.agenda,
        )

    def delivered(self, units: int = 2) -> str:
        self.world.receive("MUG", units)
        self.world.receive("CUP", 10)
        order_id = self.world.place(an_order(("MUG", units))).order_id
        self.sent_out(order_id)
        self.world.deliver(order_id)
        return order_id

    def sent_out(self, order_id: str) -> Order:
        self.pay(order_id)
        assert self.world.route(order_id) == "routed"
        self.world.pack(order_id)
        self.world.ship(order_id)
        return self.pay(order_id)

    def asked(
        self, order_id: str, terms: Terms, *wanted: Line, units: int = 1, reason: str = "unwanted"
    ) -> str:
        what = Resolution.EXCHANGE if wanted else Resolution.REPLACEMENT
        lines = (ReturnLine("line_1", units, reason),)
        instead = tuple(map(ExchangeLine, wanted))
        order = self.world.do(order_id, c.RequestReturn(lines, what, exchange=instead, terms=terms))
        self.tend(order)
        return order.returns[-1].return_id

    def tend(self, order: Order) -> str:
        told = tend(self.desk, order.returns[-1].return_id, now())
        with suppress(IndexError):
            self.pay(order.returns[-1].linked_order)
        self.pay(order.order_id)
        return told

    def came(self, order_id: str, units: int = 1, *, accepted: bool = True) -> Order:
        return_id = self.world.orders.get(order_id).returns[-1].return_id
        said = (
            (Acceptance.ACCEPTED, Disposition.WRITE_OFF)
            if accepted
            else (Acceptance.REJECTED, Disposition.SEND_BACK)
        )
        received = (Received("line_1", units),)
        judged = (Inspected("line_1", units, *said),)
        order = self.world.do(
            order_id, c.ReceiveReturn(return_id, "AUSTIN", received, inspected=judged)
        )
        self.tend(order)
        return self.world.orders.get(order_id)

    def linked(self, order_id: str) -> Order:
        order = self.world.orders.get(order_id)
        return self.world.orders.get(order.returns[-1].linked_order)

    def check(self, order_id: str) -> None:
        """What was sent has arrived, and nothing is lost or doubled."""
        order, linked = self.world.orders.get(order_id), self.linked(order_id)
        assert received(linked) == sent(order, order.returns[-1])
        for each in (order, linked):
            self.world.check(each.order_id)
        filing = Histories(self.world.client, self.world.orders_name)
        world, ledger = self.world, self.ledger
        books = check(
            Shelves(
                filing,
                world.orders,
                ItemBooks(world.client, world.stock_name),
                lambda: False,
                ledger,
            )
        )
        assert books.differences == []
        of_exchange = [
            x.amount
            for x in linked.payment.operations
            if x.kind is OperationKind.REFUND and linked.payment.provider_of(x) == "exchange"
        ]
        assert self.store_credit == sum(of_exchange)
        given = {entry.key for entry in ledger.file("sc_cus_ada_USD").entries}
        assert given <= set(payouts(linked))


@pytest.fixture
def counter(dynamodb: Any) -> Counter:
    return Counter(World.new(dynamodb))


def cup(price: int = 1000, quantity: int = 1) -> Line:
    return Line("line_1", "CUP", quantity, price)


def test_an_exchange_waits_for_the_goods_and_is_paid_by_them(counter: Counter) -> None:
    order_id = counter.delivered()
    return_id = counter.asked(order_id, LATER, cup())
    linked = counter.linked(order_id)
    assert (linked.linked_to, linked.customer_id) == (return_id, "cus_ada")
    assert linked.held_from(HoldStep.FULFILLMENT)
    assert received(linked) == 0
    assert counter.world.route(linked.order_id) == "routed"  # its units are set aside
    order = counter.came(order_id)
    assert order.payment.refunded == sent(order, order.returns[-1]) == 1000
    assert not counter.linked(order_id).active_holds
    counter.world.pack(linked.order_id)
    counter.world.ship(linked.order_id)
    counter.pay(linked.order_id)
    counter.check(order_id)
    assert counter.store_credit == 0


def test_what_the_exchange_costs_more_is_asked_of_who_has_paid(counter: Counter) -> None:
    order_id = counter.delivered()
    counter.asked(order_id, LATER, cup(1500))
    linked = counter.linked(order_id)
    assert [(x.provider, x.amount) for x in linked.payment.authorizations] == [
        ("exchange", 1000),
        ("", 500),
    ]
    assert linked.is_paid_for
    counter.came(order_id)
    counter.sent_out(linked.order_id)
    linked = counter.linked(order_id)
    assert linked.payment.captured == 1500
    counter.check(order_id)


def test_what_the_goods_were_worth_more_is_refunded(counter: Counter) -> None:
    order_id = counter.delivered()
    counter.asked(order_id, LATER, cup(700))
    order = counter.came(order_id)
    assert sorted(
        (x.to[:9], x.amount) for x in order.payment.operations if x.cause[:3] == "crd"
    ) == [
        ("", 300),
        ("exchange:", 700),
    ]
    assert counter.world.psp.moved(OperationKind.REFUND) == 300
    counter.check(order_id)


def test_goods_that_are_refused_call_the_exchange_off(counter: Counter) -> None:
    order_id = counter.delivered()
    counter.asked(order_id, LATER, cup())
    counter.came(order_id, accepted=False)
    linked = counter.linked(order_id)
    assert linked.status is OrderStatus.CANCELLED
    assert (linked.payment.captured, linked.payment.voided) == (0, 1000)
    counter.check(order_id)


def test_where_only_some_is_accepted_money_is_given_and_no_exchange(counter: Counter) -> None:
    order_id = counter.delivered(3)
    counter.asked(order_id, LATER, cup(2500), units=2)
    counter.came(order_id)
    assert counter.world.orders.get(order_id).credits == ()
    order = counter.came(order_id, accepted=False)
    assert [(x.to, x.amount) for x in order.payment.operations if x.cause][-1] == ("", 1000)
    assert counter.linked(order_id).status is OrderStatus.CANCELLED
    counter.check(order_id)


@pytest.mark.parametrize("ending", ["expire", "cancel"])
def test_a_return_that_never_begins_calls_the_exchange_off(counter: Counter, ending: str) -> None:
    order_id = counter.delivered()
    return_id = counter.asked(order_id, LATER, cup())
    over = c.ExpireReturn(return_id) if ending == "expire" else c.CancelReturn(return_id, "no")
    counter.tend(counter.world.do(order_id, over))
    assert counter.linked(order_id).status is OrderStatus.CANCELLED
    assert not counter.world.orders.get(order_id).returns[-1].attention
    counter.check(order_id)


def test_who_has_the_exchange_and_sends_nothing_back_is_told_of(counter: Counter) -> None:
    order_id = counter.delivered()
    return_id = counter.asked(order_id, NOW, cup())
    linked = counter.linked(order_id)
    assert not linked.active_holds
    counter.sent_out(linked.order_id)
    with pytest.raises(Refused):
        counter.world.do(order_id, c.CancelReturn(return_id, "no"))
    counter.tend(counter.world.do(order_id, c.ExpireReturn(return_id)))
    order = counter.world.orders.get(order_id)
    assert "1000 USD" in order.returns[-1].attention
    assert counter.linked(order_id).payment.captured == 1000


def test_goods_that_come_after_the_exchange_went_pay_it(counter: Counter) -> None:
    order_id = counter.delivered()
    counter.asked(order_id, NOW, cup())
    counter.sent_out(counter.linked(order_id).order_id)
    order = counter.came(order_id)
    assert not order.returns[-1].attention
    counter.check(order_id)


@pytest.mark.parametrize("when", ["before", "after"])
def test_money_for_an_exchange_that_was_cancelled_becomes_store_credit(
    counter: Counter, when: str
) -> None:
    order_id = counter.delivered()
    counter.asked(order_id, LATER, cup(1500))
    linked = counter.linked(order_id).order_id
    if when == "before":
        counter.world.do(linked, c.CancelOrder("no"))
        counter.pay(linked)
    counter.came(order_id)
    if when == "after":
        counter.world.do(linked, c.CancelOrder("no"))
        counter.pay(linked)
    assert counter.store_credit == 1000
    counter.check(order_id)


def test_an_exchange_that_comes_back_in_turn_becomes_store_credit(counter: Counter) -> None:
    order_id = counter.delivered()
    counter.asked(order_id, LATER, cup(1500))
    counter.came(order_id)
    linked = counter.linked(order_id).order_id
    counter.sent_out(linked)
    counter.world.deliver(linked)
    terms = Terms(refund_when=RefundWhen.APPROVAL)
    wish = c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=terms)
    counter.world.do(linked, wish)
    counter.pay(linked)
    assert (counter.store_credit, counter.world.psp.moved(OperationKind.REFUND)) == (1000, 500)
    counter.check(order_id)


def test_a_replacement_costs_nothing_and_is_given_once(counter: Counter) -> None:
    order_id = counter.delivered()
    counter.world.receive("MUG", 5)
    counter.asked(order_id, Terms(keep=True), reason="damaged")
    linked = counter.linked(order_id)
    assert (linked.total, linked.payable, linked.payment.operations) == (0, 0, ())
    assert [(x.sku, x.quantity, x.discounts[0].code) for x in linked.lines] == [
        ("MUG", 1, "replacement")
    ]
    order = counter.world.orders.get(order_id)
    assert (order.lines[0].returned, order.credits[0].amount) == (1, 0)
    counter.sent_out(linked.order_id)
    counter.world.deliver(linked.order_id)
    with pytest.raises(Refused):
        counter.asked(order_id, Terms(keep=True), units=2, reason="damaged")
    counter.check(order_id)


def test_only_what_was_accepted_is_replaced(counter: Counter) -> None:
    order_id = counter.delivered(3)
    counter.asked(order_id, LATER, units=2, reason="damaged")
    assert counter.linked(order_id).active_holds
    counter.came(order_id)
    counter.came(order_id, accepted=False)
    linked = counter.linked(order_id)
    assert [(x.quantity, x.cancelled) for x in linked.lines] == [(2, 1)]
    assert not linked.active_holds


def test_an_exchange_survives_the_death_of_its_worker_at_any_call(counter: Counter) -> None:
    order_id = counter.delivered()
    lines, wanted = (ReturnLine("line_1", 1, "unwanted"),), (ExchangeLine(cup()),)
    wish = c.RequestReturn(lines, Resolution.EXCHANGE, exchange=wanted, terms=LATER)
    return_id = counter.world.do(order_id, wish).returns[-1].return_id

    def tended(world: World) -> str:
        return tend(counter.desk_of(world), return_id, now())

    assert survives(counter.world, tended) > 4
    order = counter.came(order_id)
    assert survives(counter.world, tended) >= 0
    assert sent(order, order.returns[-1]) == 1000
    counter.check(order_id)


def parallel(count: int, deed: Any) -> list[Any]:
    def tried(number: int) -> Any:
        while True:
            try:
                return deed(number)
            except Contended:
                continue
            except Refused as error:
                return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(tried, range(count)))


def test_twenty_refunds_at_once_give_back_what_was_taken_once(counter: Counter) -> None:
    order_id = counter.delivered()
    taken = counter.world.orders.get(order_id).payment.captured

    def refunded(number: int) -> Order:
        return counter.world.do(order_id, c.GrantRefund(taken, f"reason {number}"))

    told = parallel(20, refunded)
    assert sum(isinstance(each, Order) for each in told) == 1
    parallel(4, lambda _: counter.pay(order_id))
    assert counter.world.psp.moved(OperationKind.REFUND) == taken
    assert counter.world.orders.get(order_id).payment.refunded == taken


def test_twenty_returns_of_everything_are_paid_for_once(counter: Counter) -> None:
    order_id = counter.delivered()
    terms = Terms(refund_when=RefundWhen.APPROVAL, refund_shipping=True)
    lines = (ReturnLine("line_1", 2, "unwanted"),)

    def returned(_: int) -> Order:
        return counter.world.do(order_id, c.RequestReturn(lines, Resolution.REFUND, terms=terms))

    told = parallel(20, returned)
    assert sum(isinstance(each, Order) for each in told) == 1
    order = counter.pay(order_id)
    assert order.payment.refunded == order.payment.captured == order.total


def test_the_same_key_grants_a_refund_once(counter: Counter) -> None:
    order_id = counter.delivered()
    once, command = once_key("refund", "k1", {"amount": 100}), c.GrantRefund(100, "late")
    for _ in range(2):
        counter.world.orders.change(order_id, command, at=now(), actor="t", once=once)
    assert [x.amount for x in counter.world.orders.get(order_id).credits] == [100]


def test_a_provider_that_died_between_two_tenders_is_asked_for_the_rest(counter: Counter) -> None:
    """The split is planned before the first call: whatever happens, it is all that is paid."""
    order_id = counter.delivered()
    terms = Terms(refund_when=RefundWhen.APPROVAL)
    wish = c.RequestReturn((ReturnLine("line_1", 2),), Resolution.REFUND, terms=terms)
    counter.world.do(order_id, wish)

    def paid(world: World) -> Order:
        return settle(
            world.orders, order_id, at=now(), providers=world.providers, deadlines=world.agenda
        )

    assert survives(counter.world, paid) > 2
    assert counter.world.psp.moved(OperationKind.REFUND) == 2000
