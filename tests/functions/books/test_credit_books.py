"""The books of store credit: they balance while orders spend it, and show what has been cooked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.books.books import Findings, Shelves, check
from functions.books.credit_books import LOOKS, credit_of_order, payouts, unasked
from oms.adapters import dynamodb as db
from oms.adapters.agenda import Agenda
from oms.adapters.credit_ledger import CreditFile, CreditLedger
from oms.adapters.histories import Histories
from oms.adapters.item_books import ItemBooks
from oms.adapters.payments.base import Provider
from oms.adapters.payments.store_credit import Credit
from oms.contracts import codec
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.payment import Operation, OperationKind, OperationStatus, operation_key
from oms.domain.store_credit import CreditAccount, Deed, EntryKind, reference_to
from tests.functions.world import World, an_order

pytestmark = pytest.mark.cloud

ADA = "sc_cus_ada_USD"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Shop(World):
    @property
    def credit(self) -> CreditLedger:
        return CreditLedger(self.client, self.orders_name, Agenda(self.client, self.stock_name))

    @property
    def book(self) -> ItemBooks:
        return ItemBooks(self.client, self.stock_name)

    @property
    def providers(self) -> Mapping[str, Provider]:
        own = [Credit(code, lambda: self.credit) for code in ("store_credit", "gift_card")]
        return {"fake": self.psp, **{each.code: each for each in own}}

    def issue(self, amount: int, account_id: str = ADA) -> None:
        deed = Deed(EntryKind.ISSUED, amount, "USD")
        key = f"{account_id} {amount}"
        self.credit.post(account_id, deed, at=AT, actor="test", key=key)

    def order(self, credit: int, *lines: tuple[str, int]) -> str:
        """One that is paid with so much store credit, and routed."""
        tenders = [{"provider": "store_credit", "amount": credit}]
        order_id = self.place(an_order(*lines, tenders=tenders)).order_id
        self.pay(order_id)
        assert self.route(order_id) == "routed"
        return order_id

    def check(self, after: str | None = None, late: bool = False) -> Findings:  # type: ignore[override]
        filing = Histories(self.client, self.orders_name)
        return check(Shelves(filing, self.orders, self.book, lambda: late, self.credit), after)

    def cook(self, **changes: Any) -> None:
        """The account, behind the back of its entries."""
        row = db.get_row(self.client, self.orders_name, db.key(f"CREDIT#{ADA}", "BALANCE"))
        assert row
        account = codec.decode(db.unpack(row["body"]), CreditAccount)
        said = {name: getattr(account, name) for name in CreditAccount.__slots__} | changes
        row["body"] = db.pack(codec.encode(CreditAccount(**said)))
        self.client.put_item(TableName=self.orders_name, Item=row)


@pytest.fixture
def shop(dynamodb: Any) -> Shop:
    shop = Shop.new(dynamodb)
    assert isinstance(shop, Shop)
    shop.receive("MUG", 50)
    return shop


def rules(findings: Findings) -> set[tuple[str, str]]:
    return {(each.subject, each.rule) for each in findings.differences}


def test_credit_at_every_stage_of_its_orders_balances_and_is_counted(shop: Shop) -> None:
    shop.issue(10_000)
    shop.issue(500, "gc_card")
    shop.order(700)
    shipped = shop.order(1200)
    shop.pack(shipped)
    shop.ship(shipped)
    shop.pay(shipped)
    shop.cancel(shop.order(900))
    shop.do(less := shop.order(2000, ("MUG", 3)), c.CancelOrder("less", (Quantity("line_1", 2),)))
    shop.pay(less)
    shop.place(an_order(tenders=[{"provider": "store_credit", "amount": 1}]))

    findings = shop.check()

    assert findings.differences == []
    counted = findings.counted
    assert counted["credit_accounts"] == 2
    assert counted["credit_issued_USD"] == 10_500
    assert counted["credit_spent_USD"] == 1200
    assert counted["credit_balance_USD"] == 10_500 - 1200
    assert counted["credit_held_USD"] >= 700


def test_books_that_ran_out_of_time_go_on_where_they_stopped(shop: Shop) -> None:
    for number in range(4):
        shop.issue(100, f"gc_{number}")
    shop.issue(5000)
    shop.order(500)

    accounts, after = 0, None
    for _ in range(20):
        findings = shop.check(after, late=True)
        assert findings.differences == []
        accounts += findings.counted["credit_accounts"]
        if (after := findings.stopped_after) is None:
            break

    assert after is None
    assert accounts == 5


@pytest.mark.parametrize(
    ("cooked", "rule"),
    [
        ({"balance": 901}, "entries add up to the balance"),
        ({"held": 1}, "entries add up to what is held"),
        ({"version": 7}, "entries are numbered without a gap"),
        ({"lots": ()}, "lots are those of the entries"),
    ],
)
def test_a_balance_that_nobody_has_posted_is_found(
    shop: Shop, cooked: dict[str, Any], rule: str
) -> None:
    shop.issue(900)
    assert shop.check().differences == []

    shop.cook(**cooked)

    assert (ADA, rule) in rules(shop.check())


def test_credit_that_was_taken_behind_its_orders_back_is_found(shop: Shop) -> None:
    shop.issue(5000)
    order_id = shop.order(1000)
    operation = shop.orders.get(order_id).payment.authorizations[0]
    key = operation_key(order_id, operation)
    provider = shop.providers["store_credit"]

    provider.capture("x", 400, "USD", reference_to(ADA, key))

    assert rules(shop.check()) == {
        (f"{ADA} {order_id}", "what is held is authorized by its order"),
        (
            f"{ADA} {order_id}",
            "what was taken is what its order has captured and not refunded",
        ),
    }


def test_credit_that_an_order_counts_on_and_the_ledger_does_not_is_found(shop: Shop) -> None:
    shop.issue(5000)
    order_id = shop.order(1000)
    key = operation_key(order_id, shop.orders.get(order_id).payment.authorizations[0])

    shop.client.delete_item(TableName=shop.orders_name, Key=db.key(f"CREDITKEY#{key}", "KEY"))

    assert rules(shop.check()) == {(f"{order_id} op_1", "credit has moved as the order says")}


def test_credit_that_is_held_for_an_order_that_nobody_knows_is_found(shop: Shop) -> None:
    shop.issue(5000)
    shop.providers["store_credit"].authorize("k", 100, "USD", ADA, "ord_nobody")

    (difference,) = shop.check().differences

    assert (difference.expected, difference.actual) == (0, 100)


def test_a_payout_that_no_order_has_asked_for_is_found(shop: Shop) -> None:
    provider = Credit("store_credit", lambda: shop.credit, lambda: AT)
    provider.refund("k", 300, "USD", reference_to(ADA))

    (difference,) = shop.check().differences
    assert (difference.rule, difference.actual) == ("what was paid out was asked for", 300)


def test_a_payout_that_an_order_has_asked_for_balances(shop: Shop) -> None:
    shop.issue(5000)
    order_id = shop.order(1000)
    shop.pack(order_id)
    shop.ship(order_id)
    order = shop.pay(order_id)
    taken = next(o for o in order.payment.operations if o.kind is OperationKind.CAPTURE)
    back = Operation(
        order.payment.next_operation_id,
        OperationKind.REFUND,
        200,
        OperationStatus.SUCCEEDED,
        provider="store_credit",
        of=taken.of or "op_1",
        to=reference_to(ADA),
    )
    asked = replace(order, payment=replace(order.payment, operations=(back,)))

    assert list(payouts(asked)) == [operation_key(order_id, back)]
    shop.providers["store_credit"].refund(operation_key(order_id, back), 200, "USD", back.to)
    assert list(credit_of_order(shop.credit, asked)) == []
    file = shop.credit.file(ADA)
    late = datetime.now(UTC) + timedelta(hours=1)
    assert list(unasked(file, set(payouts(asked)), late)) == []
    assert len(list(unasked(file, set(), late))) == 1


def test_what_moves_while_it_is_looked_at_is_no_difference(shop: Shop) -> None:
    shop.issue(900)
    old = next(shop.credit.scan())
    shop.issue(100)
    assert old.account

    class Late:
        """A scan that has seen the entries of later than the balance."""

        ledger, looks = shop.credit, 0

        def scan(self, after: str | None = None) -> Any:
            new = self.ledger.file(ADA)
            yield CreditFile(ADA, old.account, new.entries, new.holds)

        def file(self, account_id: str) -> CreditFile:
            self.looks += 1
            return self.ledger.file(account_id)

        def posted(self, key: str) -> None: ...

    late = Late()
    filing = Histories(shop.client, shop.orders_name)
    findings = check(Shelves(filing, shop.orders, shop.book, lambda: False, late))

    assert findings.differences == []
    assert 0 < late.looks < LOOKS
