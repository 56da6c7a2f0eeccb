"""The ledger of store credit: spent once, whoever is faster or dies; every key answered once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import dynamodb as db
from oms.adapters.agenda import Agenda
from oms.adapters.credit_ledger import CreditLedger, NoSuchCredit
from oms.adapters.payments.store_credit import Credit
from oms.contracts import events
from oms.contracts.cursors import BadCursor
from oms.domain.errors import Conflict, Refused
from oms.domain.events import StoreCreditExpired, StoreCreditIssued
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.store_credit import (
    CreditAccount,
    CreditHold,
    Deed,
    EntryKind,
    Lot,
    NotEnoughCredit,
    over_at,
    reference_to,
    worth,
)
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

ADA, CARD = "sc_cus_ada_USD", "gc_card"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAST = date(2026, 3, 31)
K = EntryKind


@dataclass
class Bank:
    """Two tables, and the ledger as one environment after the other has it."""

    client: Any
    orders: str
    stock: str

    @property
    def agenda(self) -> Agenda:
        return Agenda(self.client, self.stock)

    @property
    def ledger(self) -> CreditLedger:
        return CreditLedger(self.client, self.orders, self.agenda)

    def mortal(self, dies_at: int, *, after: bool) -> Bank:
        return Bank(Mortal(self.client, dies_at, after), self.orders, self.stock)

    def provider(self, code: str = "store_credit") -> Credit:
        return Credit(code, lambda: self.ledger, lambda: AT)

    def post(self, kind: EntryKind, amount: int = 0, *, account: str = ADA, **more: Any) -> Any:
        key, at = more.pop("key", ""), more.pop("at", AT)
        deed = Deed(kind, amount, "USD", **more)
        return self.ledger.post(account, deed, at=at, actor="test", key=key or uuid4().hex)

    def account(self, account: str = ADA) -> CreditAccount:
        found = self.ledger.find(account)
        assert found
        return found

    def rows(self, table: str = "") -> list[Any]:
        return list(db.scan(self.client, TableName=table or self.orders))

    def told(self) -> list[Any]:
        return [
            events.read(row["type"]["S"], db.unpack(row["body"]))
            for row in self.rows()
            if row["SK"]["S"].startswith("EVENT#") and row["publish"]["BOOL"]
        ]

    def check(self, account: str = ADA) -> CreditAccount:
        """The row is the fold of its entries, and what is held is that of its authorizations."""
        file = self.ledger.file(account)
        assert file.account
        folded = CreditAccount(account, "USD")
        holds = {hold.key: CreditHold(hold.key) for hold in file.holds}
        for entry in file.entries:
            folded = folded.after(entry)
            if entry.hold:
                holds[entry.hold] = holds[entry.hold].after(entry)
        assert folded == file.account
        assert list(holds.values()) == list(file.holds)
        assert folded.held == sum(worth(hold.held) for hold in file.holds)
        assert folded.available >= 0
        return folded


@pytest.fixture
def bank(dynamodb: Any) -> Bank:
    name = uuid4().hex[:12]
    return Bank(
        dynamodb,
        create_table(dynamodb, "orders", f"orders-{name}"),
        create_table(dynamodb, "stock", f"stock-{name}"),
    )


def test_issued_money_is_there_told_once_and_on_the_agenda_of_its_day(bank: Bank) -> None:
    for _ in range(2):
        posted = bank.post(K.ISSUED, 2500, expires_on=LAST, reason="late parcel", key="k")

    assert (posted.amount, posted.seq, posted.refused) == (2500, 1, "")
    assert bank.check() == CreditAccount(ADA, "USD", 2500, 0, (Lot(2500, LAST),), 1)
    assert bank.told() == [StoreCreditIssued(ADA, "USD", 2500, LAST)]
    (due,) = bank.agenda.due(over_at(LAST), 10)
    assert (due.kind, due.subject, due.at) == ("expire_credit", ADA, over_at(LAST))
    assert "late parcel" not in str([row for row in bank.rows() if "publish" in row])


def test_a_key_that_was_used_for_something_else_is_a_conflict(bank: Bank) -> None:
    bank.post(K.ISSUED, 2500, key="k")

    with pytest.raises(Conflict):
        bank.post(K.ISSUED, 2501, key="k")
    with pytest.raises(Conflict):
        bank.post(K.ISSUED, 2500, key="k", account="sc_cus_eve_USD")
    assert bank.check().balance == 2500


def test_a_gift_card_is_there_when_it_is_issued_and_not_before(bank: Bank) -> None:
    with pytest.raises(NoSuchCredit):
        bank.post(K.HELD, 1, account=CARD, hold="k")
    with pytest.raises(NoSuchCredit):
        bank.post(K.GIVEN_BACK, 1, account=CARD)

    bank.post(K.ISSUED, 1000, account=CARD)

    assert bank.check(CARD).currency == "USD"
    assert bank.ledger.can_pay(CARD, 1000, "USD", AT.date())
    assert not bank.ledger.can_pay(CARD, 1001, "USD", AT.date())
    assert not bank.ledger.can_pay(CARD, 1, "EUR", AT.date())
    assert not bank.ledger.can_pay("gc_other", 0, "USD", AT.date())


def test_twenty_who_spend_one_balance_at_once_spend_it_once(bank: Bank) -> None:
    bank.post(K.ISSUED, 1000)
    provider = bank.provider()

    def spend(number: int) -> str:
        return provider.authorize(f"k{number}", 1000, "USD", ADA).status

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(spend, range(20)))

    assert sorted(answers) == ["failed"] * 19 + ["succeeded"]
    account = bank.check()
    assert (account.balance, account.held, account.available) == (1000, 1000, 0)


def test_twenty_who_each_spend_a_part_get_what_there_is(bank: Bank) -> None:
    bank.post(K.ISSUED, 700, expires_on=LAST)
    bank.post(K.ISSUED, 350)
    provider = bank.provider()

    def spend(number: int) -> bool:
        answer = provider.authorize(f"k{number}", 100, "USD", ADA)
        if answer.status is not OperationStatus.SUCCEEDED:
            return False
        provider.capture(f"c{number}", 60, "USD", answer.reference)
        provider.void(f"v{number}", 40, "USD", answer.reference)
        return True

    with ThreadPoolExecutor(20) as threads:
        won = sum(threads.map(spend, range(20)))

    account = bank.check()
    assert account.balance == 1050 - 60 * won
    assert (account.held, account.available) == (0, 1050 - 60 * won)
    assert won >= 10


def test_the_same_question_of_twenty_is_one_deed(bank: Bank) -> None:
    bank.post(K.ISSUED, 1000)
    provider = bank.provider()

    with ThreadPoolExecutor(20) as threads:
        answers = set(threads.map(lambda _: provider.authorize("k", 600, "USD", ADA), range(20)))

    assert answers == {provider.look_up("k", OperationKind.AUTHORIZE)}
    assert bank.check().held == 600


def test_a_no_is_the_answer_for_good_and_a_new_key_is_a_new_question(bank: Bank) -> None:
    provider = bank.provider()
    refused = provider.authorize("k", 600, "USD", ADA)
    bank.post(K.ISSUED, 1000)

    assert (refused.status, refused.reason) == ("failed", "600 USD asked for, 0 USD available")
    assert provider.authorize("k", 600, "USD", ADA) == refused
    assert provider.look_up("k", OperationKind.AUTHORIZE) == refused
    assert provider.authorize("k-2", 600, "USD", ADA).status == "succeeded"


def life(bank: Bank, account: str) -> None:
    """Everything that happens to credit, under keys of its own."""
    provider = bank.provider()
    bank.post(K.ISSUED, 1000, account=account, expires_on=LAST, key=f"{account}-i")
    held = provider.authorize(f"{account}-a", 600, "USD", account, "ord_1")
    provider.authorize(f"{account}-too-much", 600, "USD", account, "ord_1")
    provider.capture(f"{account}-c", 500, "USD", held.reference)
    provider.void(f"{account}-v", 100, "USD", held.reference)
    provider.refund(f"{account}-r", 200, "USD", held.reference)
    provider.refund(f"{account}-p", 50, "USD", reference_to(account))


@pytest.mark.parametrize("after", [False, True])
def test_whoever_dies_at_any_call_has_done_it_once_or_not_at_all(bank: Bank, after: bool) -> None:
    for dies_at in range(1, 100):
        account = f"sc_cus_{dies_at}_USD"
        try:
            life(bank.mortal(dies_at, after=after), account)
        except Crash:
            life(bank, account)
        else:
            break
        left = bank.check(account)
        assert (left.balance, left.held, left.version) == (1000 - 500 + 200 + 50, 0, 6)
        no = bank.provider().look_up(f"{account}-too-much", OperationKind.AUTHORIZE)
        assert no == bank.provider().authorize(f"{account}-too-much", 600, "USD", account, "ord_1")
    assert dies_at > 20
    assert len(bank.told()) == dies_at


def test_what_nobody_spent_in_time_expires_once_and_is_told(bank: Bank) -> None:
    bank.post(K.ISSUED, 1000, expires_on=LAST)
    bank.post(K.ISSUED, 300)
    bank.provider().authorize("a", 400, "USD", ADA)

    assert not bank.ledger.expire(ADA, over_at(LAST) - timedelta(seconds=1))
    with ThreadPoolExecutor(4) as threads:
        times = sum(threads.map(lambda _: bank.ledger.expire(ADA, over_at(LAST)), range(4)))

    account = bank.check()
    assert times == 1
    assert (account.balance, account.held, account.available) == (700, 400, 300)
    assert bank.told()[2:] == [StoreCreditExpired(ADA, "USD", 600)]
    assert not bank.ledger.expire("gc_nobody", over_at(LAST))


def test_what_is_over_is_not_spent_though_the_agenda_is_late(bank: Bank) -> None:
    bank.post(K.ISSUED, 1000, expires_on=LAST)
    bank.post(K.ISSUED, 300)
    late = over_at(LAST) + timedelta(hours=1)

    with pytest.raises(NotEnoughCredit):
        bank.post(K.HELD, 301, hold="a", key="a", at=late)
    bank.post(K.HELD, 300, hold="b", key="b", at=late)

    assert bank.check().balance == 300


def test_entries_are_listed_newest_first_page_by_page(bank: Bank) -> None:
    for amount in range(1, 8):
        bank.post(K.ISSUED, amount)

    found, cursor = list[int](), None
    while True:
        page = bank.ledger.entries(ADA, cursor, 3)
        found += [entry.amount for entry in page.entries]
        if (cursor := page.cursor) is None:
            break

    assert found == [7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(BadCursor):
        bank.ledger.entries(ADA, "bm9uZQ", 3)


def test_a_card_that_is_cancelled_pays_no_more(bank: Bank) -> None:
    bank.post(K.ISSUED, 1000, account=CARD)
    provider = bank.provider("gift_card")
    held = provider.authorize("a", 300, "USD", CARD)

    assert bank.post(K.CANCELLED, account=CARD, reason="stolen", key="x").amount == 700
    assert bank.post(K.CANCELLED, account=CARD, reason="stolen", key="x").amount == 700
    assert provider.authorize("b", 1, "USD", CARD).reason == "it was cancelled"
    assert provider.capture("c", 300, "USD", held.reference).status == "succeeded"
    with pytest.raises(Refused):
        bank.post(K.ISSUED, 1, account=CARD)
    assert bank.check(CARD).balance == 0


@pytest.mark.parametrize(
    ("code", "token"), [("store_credit", CARD), ("gift_card", ADA), ("gift_card", "ABCD-EFGH")]
)
def test_a_provider_knows_its_own_accounts_only(bank: Bank, code: str, token: str) -> None:
    bank.post(K.ISSUED, 1000)
    bank.post(K.ISSUED, 1000, account=CARD)
    provider = bank.provider(code)

    answers = [
        provider.authorize("k1", 1, "USD", token),
        provider.refund("k2", 1, "USD", reference_to(token)),
        provider.capture("k3", 1, "USD", "pi_123"),
        provider.void("k4", 1, "USD", reference_to(CARD if code == "gift_card" else ADA)),
    ]

    assert {each.status for each in answers} == {OperationStatus.FAILED}
    assert all(each.reason for each in answers)


def test_a_return_is_paid_out_to_an_account_that_has_paid_nothing(bank: Bank) -> None:
    provider = bank.provider()

    paid = provider.refund("k", 900, "USD", reference_to("sc_cus_eve_USD"))

    assert (paid.status, paid.reference) == ("succeeded", "credit:sc_cus_eve_USD")
    assert provider.refund("k2", 1, "EUR", reference_to("sc_cus_eve_USD")).status == "failed"
    assert bank.check("sc_cus_eve_USD").lots == (Lot(900),)


def test_the_card_of_a_return_is_there_when_it_is_paid_out_and_has_one_code(bank: Bank) -> None:
    card = "gc_abc-1"
    with pytest.raises(NoSuchCredit):
        bank.ledger.give_code(card, "gc_code")
    bank.provider("gift_card").refund("k", 900, "USD", reference_to(card))

    for _ in range(2):
        bank.ledger.give_code(card, "gc_code")

    with pytest.raises(Conflict):
        bank.ledger.give_code(card, "gc_other")
    assert (bank.ledger.card("gc_code"), bank.ledger.card("gc_other")) == (card, "gc_other")
    assert bank.provider("gift_card").authorize("a", 900, "USD", "gc_code").status == "succeeded"
    assert [file.account_id for file in bank.ledger.scan()] == [card]
    assert bank.check(card).held == 900


def test_every_account_is_scanned_and_from_where_somebody_stopped(bank: Bank) -> None:
    for number in range(5):
        bank.post(K.ISSUED, 100 + number, account=f"gc_{number}")
        bank.post(K.HELD, 50, account=f"gc_{number}", hold="k", key=f"k{number}")

    files = list(bank.ledger.scan())
    rest = list(bank.ledger.scan(files[1].account_id))

    assert len(files) == 5
    assert rest == files[2:]
    assert all(len(file.entries) == 2 and len(file.holds) == 1 for file in files)


def test_only_who_knows_the_agenda_issues_what_expires(bank: Bank) -> None:
    ledger = CreditLedger(bank.client, bank.orders)

    with pytest.raises(TypeError):
        ledger.post(ADA, Deed(K.ISSUED, 1, "USD", LAST), at=AT, actor="test", key="k")
    assert bank.rows() == []
