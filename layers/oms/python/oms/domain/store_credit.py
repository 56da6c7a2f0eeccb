"""Store credit and gift cards: money that we owe, in lots by the day that they can last be spent.

An account is one customer's store credit in one currency, or one gift card. It is the sum of its
entries; an entry says which lots it moves, so that nothing has to be worked out again. Amounts are
minor units, days are of UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from oms.domain.errors import OmsError, Refused

MAX_LOTS = 100  # days that one account's money may expire on
MAX_BALANCE = 10**15

STORE_CREDIT, GIFT_CARD = "store_credit", "gift_card"  # the providers
PREFIXES = {STORE_CREDIT: "sc_", GIFT_CARD: "gc_"}  # of their accounts
MARK = "credit:"  # begins a reference


class NotEnoughCredit(Refused):
    def __init__(self, asked: int, available: int, currency: str) -> None:
        super().__init__(f"{asked} {currency} asked for, {available} {currency} available")
        self.asked, self.available = asked, available


class CreditCancelled(Refused):
    def __init__(self) -> None:
        super().__init__("it was cancelled")


class WrongCurrency(Refused):
    def __init__(self, asked: str, currency: str) -> None:
        super().__init__(f"it is in {currency}, not in {asked}")


class NotSoMuch(Refused):
    """More than is held, was taken, or can be kept."""

    def __init__(self, asked: int, left: int, what: str) -> None:
        super().__init__(f"{asked} asked for, {left} {what}")


class BadReference(OmsError):
    def __init__(self) -> None:
        super().__init__("the reference names no account of store credit")


class EntryKind(StrEnum):
    ISSUED = "issued"
    HELD = "held"  # authorized for an order
    TAKEN = "taken"
    RELEASED = "released"
    GIVEN_BACK = "given_back"
    EXPIRED = "expired"
    ADJUSTED = "adjusted"
    CANCELLED = "cancelled"


# What one unit of an entry does to the balance, and to what of it is held.
EFFECTS: dict[EntryKind, tuple[int, int]] = {
    EntryKind.ISSUED: (1, 0),
    EntryKind.HELD: (0, 1),
    EntryKind.TAKEN: (-1, -1),
    EntryKind.RELEASED: (0, -1),
    EntryKind.GIVEN_BACK: (1, 0),
    EntryKind.EXPIRED: (-1, 0),
    EntryKind.ADJUSTED: (1, 0),
    EntryKind.CANCELLED: (-1, 0),
}


@dataclass(frozen=True, slots=True)
class Lot:
    """`expires_on` is the last day that it can be spent; none, and it can be for ever."""

    amount: int
    expires_on: date | None = None

    def is_over(self, today: date) -> bool:
        return self.expires_on is not None and self.expires_on < today


Lots = tuple[Lot, ...]  # one for each day, the first to expire first


@dataclass(frozen=True, slots=True)
class Entry:
    """`seq` counts the account's entries from 1. `hold`: the key of the authorization that it
    belongs to. The amounts of an adjustment may be negative."""

    seq: int
    kind: EntryKind
    lots: Lots
    at: datetime
    actor: str
    key: str = ""
    hold: str = ""
    order_id: str = ""
    reason: str = ""

    @property
    def amount(self) -> int:
        return worth(self.lots)

    @property
    def to_balance(self) -> int:
        return EFFECTS[self.kind][0] * self.amount

    @property
    def to_held(self) -> int:
        return EFFECTS[self.kind][1] * self.amount


@dataclass(frozen=True, slots=True)
class CreditHold:
    """An authorization: what of it is held still, and what was taken and not given back."""

    key: str
    order_id: str = ""
    held: Lots = ()
    taken: Lots = ()

    def after(self, entry: Entry) -> CreditHold:
        if entry.hold != self.key:
            return self
        if entry.kind is EntryKind.HELD:
            return replace(self, order_id=entry.order_id, held=merged(self.held, entry.lots))
        if entry.kind is EntryKind.TAKEN:
            taken = merged(self.taken, entry.lots)
            return replace(self, held=without(self.held, entry.lots), taken=taken)
        if entry.kind is EntryKind.RELEASED:
            return replace(self, held=without(self.held, entry.lots))
        return replace(self, taken=without(self.taken, entry.lots))


@dataclass(frozen=True, slots=True)
class CreditAccount:
    """`lots` are what is available; `version` is the number of its last entry."""

    account_id: str
    currency: str
    balance: int = 0
    held: int = 0
    lots: Lots = ()
    version: int = 0
    cancelled: bool = False

    @property
    def available(self) -> int:
        return self.balance - self.held

    def can_pay(self, amount: int, currency: str, today: date) -> bool:
        lasting = worth(lot for lot in self.lots if not lot.is_over(today))
        return not self.cancelled and self.currency == currency and amount <= lasting

    def after(self, entry: Entry) -> CreditAccount:
        return replace(
            self,
            balance=self.balance + entry.to_balance,
            held=self.held + entry.to_held,
            lots=_lots_after(self.lots, entry),
            version=entry.seq,
            cancelled=self.cancelled or entry.kind is EntryKind.CANCELLED,
        )


def _lots_after(lots: Lots, entry: Entry) -> Lots:
    """What comes back after its day could not be spent meanwhile: it does not expire any more."""
    if entry.kind is EntryKind.TAKEN:
        return lots
    if entry.kind in (EntryKind.RELEASED, EntryKind.GIVEN_BACK):
        today = entry.at.astimezone(UTC).date()
        back = (Lot(lot.amount) if lot.is_over(today) else lot for lot in entry.lots)
        return merged(lots, back)
    if entry.kind in (EntryKind.ISSUED, EntryKind.ADJUSTED):
        return merged(lots, entry.lots)
    return without(lots, entry.lots)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is asked of an account; `hold` is the authorization that it belongs to, if any."""

    kind: EntryKind
    amount: int = 0
    currency: str = ""
    expires_on: date | None = None
    hold: str = ""
    order_id: str = ""
    reason: str = ""

    @property
    def needs_it_open(self) -> bool:
        return self.kind in (EntryKind.ISSUED, EntryKind.HELD, EntryKind.ADJUSTED)


def entries_of(
    deed: Deed, account: CreditAccount, hold: CreditHold, *, at: datetime, actor: str, key: str = ""
) -> tuple[Entry, ...]:
    """What expired before, and the deed itself; nothing where there is nothing to do."""
    if deed.currency and deed.currency != account.currency:
        raise WrongCurrency(deed.currency, account.currency)
    if account.cancelled and deed.needs_it_open:
        raise CreditCancelled
    today = at.astimezone(UTC).date()
    seq, found = account.version, list[Entry]()
    if over := tuple(lot for lot in account.lots if lot.is_over(today)):
        seq += 1
        found.append(Entry(seq, EntryKind.EXPIRED, over, at, "system"))
        account = account.after(found[0])
    if deed.kind is not EntryKind.EXPIRED:
        lots = _moved(deed, account, hold, today)
        if lots or not account.cancelled:
            told = deed.hold, deed.order_id or hold.order_id, deed.reason
            found.append(Entry(seq + 1, deed.kind, lots, at, actor, key, *told))
    return tuple(found)


def _moved(deed: Deed, account: CreditAccount, hold: CreditHold, today: date) -> Lots:
    match deed.kind:
        case EntryKind.HELD:
            return _available(deed.amount, account)
        case EntryKind.TAKEN:
            return _of_hold(deed.amount, hold.held, "held")
        case EntryKind.RELEASED:
            return _of_hold(deed.amount, hold.held, "held", latest=True)
        case EntryKind.GIVEN_BACK if deed.hold:
            return _of_hold(deed.amount, hold.taken, "taken", latest=True)
        case EntryKind.GIVEN_BACK:
            return _kept(Lot(deed.amount), account)
        case EntryKind.CANCELLED:
            return account.lots  # what is held for orders stays theirs
    return _corrected(deed, account) if deed.amount < 0 else _issued(deed, account, today)


def _issued(deed: Deed, account: CreditAccount, today: date) -> Lots:
    lot = Lot(deed.amount, deed.expires_on)
    if lot.is_over(today):
        raise Refused(f"{lot.expires_on} is over")
    return _kept(lot, account)


def _corrected(deed: Deed, account: CreditAccount) -> Lots:
    return tuple(replace(lot, amount=-lot.amount) for lot in _available(-deed.amount, account))


def _available(amount: int, account: CreditAccount) -> Lots:
    if amount > account.available:
        raise NotEnoughCredit(amount, account.available, account.currency)
    return portion(account.lots, amount)


def _of_hold(amount: int, lots: Lots, what: str, *, latest: bool = False) -> Lots:
    if amount > worth(lots):
        raise NotSoMuch(amount, worth(lots), what)
    return portion(lots, amount, latest=latest)


def _kept(lot: Lot, account: CreditAccount) -> Lots:
    if account.balance + lot.amount > MAX_BALANCE:
        raise Refused(f"it cannot be worth more than {MAX_BALANCE}")
    if len(merged(account.lots, (lot,))) > MAX_LOTS:
        raise Refused(f"its money expires on {MAX_LOTS} days already")
    return (lot,)


def worth(lots: Iterable[Lot]) -> int:
    return sum(lot.amount for lot in lots)


def merged(lots: Iterable[Lot], more: Iterable[Lot]) -> Lots:
    """One lot for each day; those that are used up are dropped."""
    sums: dict[date | None, int] = {}
    for lot in (*lots, *more):
        sums[lot.expires_on] = sums.get(lot.expires_on, 0) + lot.amount
    days = sorted(sums, key=lambda day: day or date.max)
    return tuple(Lot(sums[day], day) for day in days if sums[day])


def without(lots: Iterable[Lot], gone: Iterable[Lot]) -> Lots:
    return merged(lots, (replace(lot, amount=-lot.amount) for lot in gone))


def portion(lots: Lots, amount: int, *, latest: bool = False) -> Lots:
    """So much of them: of those that expire first, or of those that expire last."""
    found: list[Lot] = []
    for lot in reversed(lots) if latest else lots:
        if (part := min(amount, lot.amount)) > 0:
            found.append(replace(lot, amount=part))
            amount -= part
    return merged(found, ())


def over_at(expires_on: date) -> datetime:
    """When the lot's last day is over."""
    return datetime.combine(expires_on + timedelta(days=1), time.min, UTC)


def store_credit_account(customer_id: str, currency: str) -> str:
    return f"{PREFIXES[STORE_CREDIT]}{customer_id}_{currency}"


def currency_of_store_credit(account_id: str) -> str:
    """Empty where it is another account: a gift card's is not in its name."""
    of_customer = account_id.startswith(PREFIXES[STORE_CREDIT])
    return account_id.rpartition("_")[2] if of_customer else ""


def is_card_of_return(account_id: str) -> bool:
    """It is named after its return, not after its code: it is there when it is paid out to."""
    return account_id.startswith(PREFIXES[GIFT_CARD]) and "-" in account_id


def reference_to(account_id: str, hold: str = "") -> str:
    """`credit:<account>:<hold>` of an authorization, `credit:<account>` to pay out to."""
    return f"{MARK}{account_id}:{hold}" if hold else f"{MARK}{account_id}"


def read_reference(reference: str) -> tuple[str, str]:
    """The account and the authorization, empty where it names none."""
    mark, account_id, hold = (*reference.split(":", 2), "", "", "")[:3]
    if f"{mark}:" != MARK or not account_id.startswith(tuple(PREFIXES.values())):
        raise BadReference
    return account_id, hold
