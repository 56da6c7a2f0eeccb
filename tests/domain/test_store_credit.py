"""Store credit: a sum of entries, never negative, spent by expiry, and nothing expires twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from oms.domain.errors import Refused
from oms.domain.gift_cards import LENGTH, LETTERS, code_of, read_code
from oms.domain.store_credit import (
    EFFECTS,
    MAX_LOTS,
    BadReference,
    CreditAccount,
    CreditCancelled,
    CreditHold,
    Deed,
    Entry,
    EntryKind,
    Lot,
    Lots,
    NotEnoughCredit,
    NotSoMuch,
    WrongCurrency,
    currency_of_store_credit,
    entries_of,
    merged,
    over_at,
    read_reference,
    reference_to,
    store_credit_account,
    without,
    worth,
)

TODAY = date(2026, 3, 1)
K = EntryKind
EMPTY = CreditAccount("sc_cus_ada_USD", "USD")


@dataclass
class Credit:
    """One account and its authorizations, with all their entries."""

    account: CreditAccount = EMPTY
    holds: dict[str, CreditHold] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    day: date = TODAY

    @property
    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)

    def do(self, kind: EntryKind, amount: int = 0, hold: str = "", lasts: int | None = None) -> int:
        """What the deed has moved. `lasts`: days."""
        until = None if lasts is None else self.day + timedelta(days=lasts)
        deed = Deed(kind, amount, "USD", until, hold)
        held = self.holds.get(hold, CreditHold(hold))
        made = entries_of(deed, self.account, held, at=self.now, actor="test")
        for entry in made:
            self.account, held = self.account.after(entry), held.after(entry) if hold else held
        if hold:
            self.holds[hold] = held
        self.entries += made
        return sum(entry.amount for entry in made)

    def lot(self, lasts: int | None = None) -> int:
        until = None if lasts is None else self.day + timedelta(days=lasts)
        return worth(lot for lot in self.account.lots if lot.expires_on == until)


def test_what_expires_first_is_spent_first_and_what_never_expires_last() -> None:
    credit = Credit()
    credit.do(K.ISSUED, 100)
    credit.do(K.ISSUED, 100, lasts=9)
    credit.do(K.ISSUED, 100, lasts=3)

    credit.do(K.HELD, 150, hold="a")

    assert (credit.lot(3), credit.lot(9), credit.lot()) == (0, 50, 100)
    assert (credit.account.balance, credit.account.held, credit.account.available) == (
        300,
        150,
        150,
    )


def test_more_than_is_available_is_refused_with_what_there_is() -> None:
    credit = Credit()
    credit.do(K.ISSUED, 100)
    credit.do(K.HELD, 60, hold="a")

    with pytest.raises(NotEnoughCredit, match="41 USD asked for, 40 USD available"):
        credit.do(K.HELD, 41, hold="b")
    with pytest.raises(NotEnoughCredit):
        credit.do(K.ADJUSTED, -41)
    assert credit.do(K.ADJUSTED, -40) == -40
    assert (credit.account.balance, credit.account.available) == (60, 0)


def test_a_hold_is_taken_in_parts_and_the_rest_released_to_where_it_came_from() -> None:
    credit = Credit()
    credit.do(K.ISSUED, 100, lasts=3)
    credit.do(K.ISSUED, 100)
    credit.do(K.HELD, 150, hold="a")

    credit.do(K.TAKEN, 30, hold="a")
    credit.do(K.TAKEN, 30, hold="a")
    credit.do(K.RELEASED, 90, hold="a")

    assert (credit.account.balance, credit.account.held) == (140, 0)
    assert (credit.lot(3), credit.lot()) == (40, 100)
    with pytest.raises(NotSoMuch, match="1 asked for, 0 held"):
        credit.do(K.TAKEN, 1, hold="a")
    with pytest.raises(NotSoMuch):
        credit.do(K.RELEASED, 1, hold="a")


def test_a_refund_goes_back_to_its_lots_and_never_exceeds_what_was_taken() -> None:
    credit = Credit()
    credit.do(K.ISSUED, 100, lasts=3)
    credit.do(K.HELD, 100, hold="a")
    credit.do(K.TAKEN, 80, hold="a")

    credit.do(K.GIVEN_BACK, 50, hold="a")

    assert credit.lot(3) == 50
    with pytest.raises(NotSoMuch, match="31 asked for, 30 taken"):
        credit.do(K.GIVEN_BACK, 31, hold="a")


def test_the_last_day_is_a_day_that_it_can_be_spent_on_and_then_it_expires_once() -> None:
    credit = Credit()
    credit.do(K.ISSUED, 100, lasts=3)
    credit.day += timedelta(days=3)
    assert credit.do(K.EXPIRED) == 0
    assert over_at(credit.day) == datetime(2026, 3, 5, tzinfo=UTC)

    credit.day += timedelta(days=1)

    assert not credit.account.can_pay(1, "USD", credit.day)
    with pytest.raises(NotEnoughCredit):
        credit.do(K.HELD, 100, hold="a")
    assert (credit.do(K.EXPIRED), credit.do(K.EXPIRED)) == (100, 0)
    assert credit.account.balance == 0


def test_money_that_is_held_or_spent_on_its_last_day_does_not_expire() -> None:
    credit = Credit()
    credit.do(K.ISSUED, 100, lasts=0)
    credit.do(K.HELD, 70, hold="a")
    credit.do(K.TAKEN, 20, hold="a")
    credit.day += timedelta(days=1)

    assert credit.do(K.EXPIRED) == 30
    credit.do(K.RELEASED, 50, hold="a")
    credit.do(K.GIVEN_BACK, 20, hold="a")

    assert credit.do(K.EXPIRED) == 0
    assert credit.account.lots == (Lot(70),)


def test_a_return_that_is_paid_out_as_store_credit_does_not_expire() -> None:
    credit = Credit()
    credit.do(K.GIVEN_BACK, 500)

    assert credit.account.lots == (Lot(500),)


def test_a_cancelled_card_keeps_what_orders_hold_and_pays_nothing_new() -> None:
    credit = Credit()
    credit.do(K.ISSUED, 100)
    credit.do(K.HELD, 30, hold="a")

    assert (credit.do(K.CANCELLED), credit.do(K.CANCELLED)) == (70, 0)
    assert not credit.account.can_pay(0, "USD", TODAY)
    credit.do(K.TAKEN, 20, hold="a")
    credit.do(K.RELEASED, 10, hold="a")
    for kind in (K.HELD, K.ISSUED, K.ADJUSTED):
        with pytest.raises(CreditCancelled):
            credit.do(kind, 1, hold="b" if kind is K.HELD else "")
    assert credit.do(K.CANCELLED) == 10
    assert credit.account.balance == 0


def test_an_account_has_one_currency() -> None:
    account = CreditAccount("sc_cus_ada_USD", "USD")

    with pytest.raises(WrongCurrency):
        entries_of(Deed(K.ISSUED, 1, "EUR"), account, CreditHold(""), at=Credit().now, actor="test")


def test_an_account_has_as_many_days_of_expiry_as_its_row_can_hold() -> None:
    credit = Credit()
    for lasts in range(MAX_LOTS):
        credit.do(K.ISSUED, 1, lasts=lasts)

    with pytest.raises(Refused):
        credit.do(K.ISSUED, 1, lasts=MAX_LOTS)
    credit.do(K.ISSUED, 1, lasts=3)
    credit.do(K.HELD, 1, hold="a")
    credit.do(K.ISSUED, 1, lasts=MAX_LOTS)


def test_what_is_over_is_not_issued() -> None:
    with pytest.raises(Refused):
        Credit().do(K.ISSUED, 1, lasts=-1)


@pytest.mark.parametrize("hold", ["", "k1"])
def test_a_reference_names_its_account_and_its_authorization(hold: str) -> None:
    account = store_credit_account("cus_guest_abc", "USD")

    assert read_reference(reference_to(account, hold)) == (account, hold)
    assert currency_of_store_credit(account) == "USD"
    assert currency_of_store_credit("gc_abc") == ""


@pytest.mark.parametrize("said", ["", "pi_123", "credit:", "credit:x:y", "test:sc_cus_ada_USD"])
def test_what_is_no_reference_of_ours_is_refused(said: str) -> None:
    with pytest.raises(BadReference):
        read_reference(said)


amounts = st.integers(1, 300)
names = st.sampled_from("abc")
lasting = st.none() | st.integers(0, 9)


class Histories(RuleBasedStateMachine):
    """Any history, beside figures that are kept apart from lots."""

    def __init__(self) -> None:
        super().__init__()
        self.credit = Credit()

    def attempt(self, kind: EntryKind, amount: int, hold: str = "", **more: int | None) -> None:
        before = self.credit.account
        try:
            self.credit.do(kind, amount, hold, **more)
        except (NotEnoughCredit, NotSoMuch, CreditCancelled):
            assert self.credit.account == before

    @rule(amount=amounts, lasts=lasting)
    def issue(self, amount: int, lasts: int | None) -> None:
        self.attempt(K.ISSUED, amount, lasts=lasts)

    @rule(amount=amounts, name=names)
    def hold(self, amount: int, name: str) -> None:
        lots, known = self.credit.account.lots, len(self.credit.entries)
        self.attempt(K.HELD, amount, f"{name}{known}")
        for entry in self.credit.entries[known:]:
            if entry.kind is K.HELD:
                check_order(lots, entry.lots, self.credit.day)

    @rule(kind=st.sampled_from([K.TAKEN, K.RELEASED, K.GIVEN_BACK]), amount=amounts, data=st.data())
    def move(self, kind: EntryKind, amount: int, data: st.DataObject) -> None:
        if self.credit.holds:
            self.attempt(kind, amount, data.draw(st.sampled_from(sorted(self.credit.holds))))

    @rule(amount=amounts)
    def pay_out(self, amount: int) -> None:
        self.attempt(K.GIVEN_BACK, amount)

    @rule(amount=st.integers(-300, 300).filter(bool))
    def adjust(self, amount: int) -> None:
        self.attempt(K.ADJUSTED, amount)

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.credit.day += timedelta(days=days)

    @rule()
    def expire(self) -> None:
        over = worth(lot for lot in self.credit.account.lots if lot.is_over(self.credit.day))
        assert self.credit.do(K.EXPIRED) == over
        assert self.credit.do(K.EXPIRED) == 0

    @rule(sure=st.integers(0, 9))
    def cancel(self, sure: int) -> None:
        if not sure:
            self.attempt(K.CANCELLED, 0)

    @invariant()
    def the_counters_are_the_sum_of_the_entries(self) -> None:
        account, entries = self.credit.account, self.credit.entries
        assert account.balance == sum(entry.to_balance for entry in entries)
        assert account.held == sum(entry.to_held for entry in entries)
        assert account.version == len(entries)
        folded = CreditAccount(account.account_id, account.currency)
        for entry in entries:
            folded = folded.after(entry)
        assert folded == account

    @invariant()
    def nothing_is_negative_and_what_is_held_is_there(self) -> None:
        account, holds = self.credit.account, self.credit.holds.values()
        assert 0 <= account.held <= account.balance
        assert account.available == worth(account.lots) >= 0
        assert account.held == sum(worth(hold.held) for hold in holds)
        lots = [*account.lots, *(lot for hold in holds for lot in (*hold.held, *hold.taken))]
        assert all(lot.amount > 0 for lot in lots)

    @invariant()
    def all_that_came_in_is_spent_expired_written_off_or_there(self) -> None:
        came: dict[EntryKind, int] = dict.fromkeys(EFFECTS, 0)
        for entry in self.credit.entries:
            came[entry.kind] += entry.amount
        gone = came[K.TAKEN] - came[K.GIVEN_BACK] + came[K.EXPIRED] + came[K.CANCELLED]
        assert self.credit.account.balance == came[K.ISSUED] + came[K.ADJUSTED] - gone


def check_order(before: Lots, spent: Lots, today: date) -> None:
    """Nothing is spent of a lot while one that expires earlier has money left."""
    usable = tuple(lot for lot in before if not lot.is_over(today))
    left = without(usable, spent)
    last = spent[-1].expires_on or date.max
    assert all((lot.expires_on or date.max) >= last for lot in left)
    assert merged(left, spent) == usable


def test_any_history_adds_up() -> None:
    limits = settings(max_examples=100, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Histories, settings=limits)


@given(st.binary(min_size=12, max_size=32))
def test_a_code_is_read_as_it_was_shown_however_it_is_written(seed: bytes) -> None:
    code = code_of(seed)
    letters = code.replace("-", "")

    assert len(letters) == LENGTH == 20
    assert read_code(code) == read_code(f" {letters.lower()} ") == letters
    assert read_code(code.replace("1", "l").replace("0", "o")) == letters


@given(st.binary(min_size=12, max_size=12), st.integers(0, LENGTH - 1), st.sampled_from(LETTERS))
def test_a_letter_that_is_mistyped_or_misplaced_is_noticed(
    seed: bytes, place: int, letter: str
) -> None:
    letters = read_code(code_of(seed))
    mistyped = letters[:place] + letter + letters[place + 1 :]
    swapped = letters[: place - 1] + letters[place - 1 : place + 1][::-1] + letters[place + 1 :]

    assert (read_code(mistyped) == "") == (mistyped != letters)
    if place:
        assert (read_code(swapped) == "") == (swapped != letters)


@given(st.text(max_size=40))
def test_no_text_is_a_surprise(said: str) -> None:
    assert len(read_code(said)) in (0, LENGTH)


def test_codes_that_differ_in_their_seed_differ() -> None:
    assert len({code_of(number.to_bytes(12, "big")) for number in range(0, 64_000, 64)}) == 1000
