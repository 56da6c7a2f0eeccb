"""Store credit and gift cards in the orders table, whose stream the publisher reads.

CREDIT#<account> / BALANCE         balance, held and available, what is left of each lot
CREDIT#<account> / ENTRY#<seq>     everything that has moved it
CREDIT#<account> / HOLD#<key>      an authorization: what of it is held, what was taken
CREDIT#<account> / EVENT#<seq>     the outbox
CREDIT#<card> / CODE               the only code of a card that is not named after its code
CREDIT#<code's card> / CARD        which card that is
CREDITKEY#<key> / KEY              what was done under an operation's key, or why it was refused

An account is written under a condition on its version, together with the entries that lead there.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import groupby
from typing import Any

from oms.adapters import dynamodb as db
from oms.adapters.agenda import Agenda, agenda
from oms.adapters.dynamodb import DynamoDB, Item, Pause, Write
from oms.adapters.order_rows import ABSENT
from oms.adapters.stock_rows import outbox_row
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.agenda import DueKind
from oms.domain.errors import Conflict, Contended, OmsError, Refused
from oms.domain.events import StoreCreditExpired, StoreCreditIssued
from oms.domain.store_credit import (
    CreditAccount,
    CreditHold,
    Deed,
    Entry,
    EntryKind,
    currency_of_store_credit,
    entries_of,
    is_card_of_return,
    over_at,
)
from oms.settings import setting

ATTEMPTS = 30  # of a deed at an account that others spend from at the same moment
BALANCE, ENTRY, HOLD, EVENT = "BALANCE", "ENTRY#", "HOLD#", "EVENT#"
CODE, CARD = "CODE", "CARD"
PARTITION = "CREDIT#"
BEHIND_ALL = "~"


class NoSuchCredit(Refused):
    def __init__(self) -> None:
        super().__init__("there is no such credit")


class _Moved(OmsError):
    """Somebody else has written the account, or done the same, since it was read."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What was done under a key. `refused` says why nothing was; `seq` is the entry's."""

    account_id: str
    kind: EntryKind
    amount: int
    currency: str
    at: datetime
    fingerprint: str
    hold: str = ""
    seq: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class EntryPage:
    entries: tuple[Entry, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class CreditFile:
    """All that is kept of an account, as somebody reads it who checks the books."""

    account_id: str
    account: CreditAccount | None
    entries: tuple[Entry, ...]
    holds: tuple[CreditHold, ...]


class CreditLedger:
    def __init__(
        self,
        client: DynamoDB,
        table: str,
        agenda: Agenda | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        self._client, self._table, self._agenda, self._pause = client, table, agenda, pause

    def find(self, account_id: str) -> CreditAccount | None:
        row = self._row(_key(account_id, BALANCE))
        return None if row is None else codec.decode(db.unpack(row["body"]), CreditAccount)

    def can_pay(self, account_id: str, amount: int, currency: str, today: date) -> bool:
        """As it is now: only a hold can make sure of it."""
        account = self.find(account_id)
        return account is not None and account.can_pay(amount, currency, today)

    def card(self, account_id: str) -> str:
        """The account that a code stands for: its own, or that of a card that was given it."""
        row = self._row(_key(account_id, CARD))
        return db.text(row, "account") if row else account_id

    def give_code(self, card: str, account_id: str) -> None:
        """Let the code of this account stand for the card; `Conflict` where it has another."""
        if self.find(card) is None:
            raise NoSuchCredit
        code = {**_key(card, CODE), "account": db.s(account_id)}
        named = {**_key(account_id, CARD), "account": db.s(card)}
        same = {":account": db.s(account_id)}
        put = self._put(code, f"{ABSENT} OR account = :account").item["Put"]
        put = {**put, "ExpressionAttributeValues": same}
        taken = Conflict("the card has a code already")
        writes = [Write({"Put": put}, lambda _: taken), self._put(named)]
        db.transact(self._client, writes, self._pause)

    def hold(self, account_id: str, key: str) -> CreditHold:
        row = self._row(_key(account_id, HOLD + key))
        return CreditHold(key) if row is None else codec.decode(db.unpack(row["body"]), CreditHold)

    def posted(self, key: str) -> Posted | None:
        """What became of the operation with this key."""
        row = self._row(_once(key))
        return None if row is None else codec.decode(db.unpack(row["body"]), Posted)

    def post(self, account_id: str, deed: Deed, *, at: datetime, actor: str, key: str) -> Posted:
        """Do it once, or tell what was done under this key; `Refused` where it cannot be done."""
        for attempt in range(ATTEMPTS):
            if known := self.posted(key):
                return _the_same(known, account_id, deed)
            try:
                return self._done(account_id, deed, at, actor, key)
            except _Moved:
                self._pause(db.full_jitter(min(attempt, 4)))
            except Refused:
                if known := self.posted(key):  # by somebody who asked for the same and was faster
                    return _the_same(known, account_id, deed)
                raise
        raise Contended(f"{account_id} is written by others all the time")

    def refuse(self, account_id: str, deed: Deed, *, at: datetime, key: str, why: str) -> Posted:
        """Answer this key with a no from now on, unless it was answered before."""
        said = _posted(account_id, deed, at, refused=why)
        try:
            db.transact(self._client, [self._answered(key, said)], self._pause)
        except _Moved:
            found = self.posted(key)
            assert found, "a key that is there is never taken away"
            return _the_same(found, account_id, deed)
        return said

    def expire(self, account_id: str, at: datetime) -> bool:
        """Take what nobody has spent in time; whether there was any."""
        deed = Deed(EntryKind.EXPIRED)
        for attempt in range(ATTEMPTS):
            account = self.find(account_id)
            none = CreditHold("")
            entries = entries_of(deed, account, none, at=at, actor="system") if account else ()
            if not account or not entries:
                return False
            try:
                self._write(account, none, entries)
            except _Moved:
                self._pause(db.full_jitter(min(attempt, 4)))
            else:
                return True
        raise Contended(f"{account_id} is written by others all the time")

    def entries(self, account_id: str, cursor: str | None = None, limit: int = 50) -> EntryPage:
        """Newest first."""
        start = {"ExclusiveStartKey": _place(account_id, cursor)} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :entry)",
            ExpressionAttributeValues={":pk": db.s(_pk(account_id)), ":entry": db.s(ENTRY)},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        going_on = encode_cursor({"entry": db.text(last, "SK")}) if last else None
        return EntryPage(tuple(map(_entry, answer["Items"])), going_on)

    def scan(self, after: str | None = None) -> Iterator[CreditFile]:
        """Every account in bounded memory, or those that the scan meets after this one; no
        snapshot: what looks uneven is read again."""
        start = {"ExclusiveStartKey": _key(after, BEHIND_ALL)} if after else {}
        rows = db.scan(
            self._client,
            TableName=self._table,
            FilterExpression="begins_with(PK, :credit)",
            ExpressionAttributeValues={":credit": db.s(PARTITION)},
            **start,
        )
        for pk, of_account in groupby(rows, key=lambda row: db.text(row, "PK")):
            file = _file(pk.removeprefix(PARTITION), of_account)
            if file.account or file.entries or file.holds:  # else it is the name of another
                yield file

    def file(self, account_id: str) -> CreditFile:
        """Of one moment, but for its holds: the balance, then the entries that it knows of."""
        account = self.find(account_id)
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(_pk(account_id))},
            ConsistentRead=True,
        )
        found = _file(account_id, rows)
        version = account.version if account else 0
        known = tuple(entry for entry in found.entries if entry.seq <= version)
        return CreditFile(account_id, account, known, found.holds)

    def _done(self, account_id: str, deed: Deed, at: datetime, actor: str, key: str) -> Posted:
        account = self.find(account_id) or _new(account_id, deed)
        hold = self.hold(account_id, deed.hold) if deed.hold else CreditHold("")
        entries = entries_of(deed, account, hold, at=at, actor=actor, key=key)
        seq = entries[-1].seq if entries and entries[-1].key == key else 0
        said = _posted(account_id, deed, at, seq=seq, amount=_amount(deed, entries))
        self._write(account, hold, entries, self._answered(key, said), *self._deadline(said, deed))
        return said

    def _write(
        self, account: CreditAccount, hold: CreditHold, entries: Sequence[Entry], *more: Write
    ) -> None:
        after, held = account, hold
        for entry in entries:
            after, held = after.after(entry), held.after(entry) if hold.key else hold
        writes = [
            *([self._balance(account, after)] if entries else []),
            *([self._put(_hold_row(account.account_id, held))] if held != hold else []),
            *(self._put(_entry_row(account.account_id, entry), ABSENT) for entry in entries),
            *(self._put(row, ABSENT) for row in _told(account, entries)),
            *more,
        ]
        db.transact(self._client, writes, self._pause)

    def _balance(self, before: CreditAccount, after: CreditAccount) -> Write:
        row = {
            **_key(after.account_id, BALANCE),
            **{name: db.n(getattr(after, name)) for name in ("balance", "held", "available")},
            "seq": db.n(after.version),
            "body": db.pack(codec.encode(after)),
        }
        if not before.version:
            return self._put(row, ABSENT)
        put = {"TableName": self._table, "Item": row, "ConditionExpression": "seq = :seq"}
        put |= {"ExpressionAttributeValues": {":seq": db.n(before.version)}}
        return Write({"Put": put}, lambda _: _Moved())

    def _answered(self, key: str, said: Posted) -> Write:
        return self._put({**_once(key), "body": db.pack(codec.encode(said))}, ABSENT)

    def _deadline(self, said: Posted, deed: Deed) -> list[Write]:
        if deed.expires_on is None:
            return []
        if self._agenda is None:
            raise TypeError("this function may not issue what expires")
        due = over_at(deed.expires_on)
        return self._agenda.writes(DueKind.EXPIRE_CREDIT, said.account_id, due)

    def _put(self, row: Item, condition: str = "") -> Write:
        guarded = {"ConditionExpression": condition} if condition else {}
        put = {"TableName": self._table, "Item": row, **guarded}
        return Write({"Put": put}, lambda _: _Moved())

    def _row(self, where: Item) -> Item | None:
        return db.get_row(self._client, self._table, where)


@cache
def credit_ledger(*, with_agenda: bool = False) -> CreditLedger:
    """`with_agenda`: it may issue what expires."""
    return CreditLedger(db.client(), setting("ORDERS_TABLE"), agenda() if with_agenda else None)


def _new(account_id: str, deed: Deed) -> CreditAccount:
    """A customer's credit is there as soon as somebody asks for it, a gift card when it is
    issued, that of a return when it is paid out."""
    if currency := currency_of_store_credit(account_id):
        return CreditAccount(account_id, currency)
    paid_out = deed.kind is EntryKind.GIVEN_BACK and is_card_of_return(account_id)
    if deed.kind is EntryKind.ISSUED or paid_out:
        return CreditAccount(account_id, deed.currency)
    raise NoSuchCredit


def _posted(
    account_id: str,
    deed: Deed,
    at: datetime,
    *,
    seq: int = 0,
    refused: str = "",
    amount: int | None = None,
) -> Posted:
    return Posted(
        account_id,
        deed.kind,
        deed.amount if amount is None else amount,
        deed.currency,
        at,
        _fingerprint(account_id, deed),
        deed.hold,
        seq,
        refused,
    )


def _amount(deed: Deed, entries: Sequence[Entry]) -> int:
    """What a cancellation takes is known when it is done."""
    return entries[-1].amount if deed.kind is EntryKind.CANCELLED and entries else deed.amount


def _fingerprint(account_id: str, deed: Deed) -> str:
    said = account_id.encode() + b"\x1f" + codec.encode(deed)
    return hashlib.sha256(said).hexdigest()[:32]


def _the_same(known: Posted, account_id: str, deed: Deed) -> Posted:
    if known.fingerprint != _fingerprint(account_id, deed):
        raise Conflict("this key was used before for something else")
    return known


def _told(account: CreditAccount, entries: Iterable[Entry]) -> Iterator[Item]:
    for entry in entries:
        if entry.kind in (EntryKind.ISSUED, EntryKind.EXPIRED):
            where = _key(account.account_id, f"{EVENT}{entry.seq:06d}")
            yield outbox_row(where, _event(account, entry), entry.at, entry.actor)


def _event(account: CreditAccount, entry: Entry) -> StoreCreditIssued | StoreCreditExpired:
    said = account.account_id, account.currency, entry.amount
    if entry.kind is EntryKind.ISSUED:
        return StoreCreditIssued(*said, entry.lots[0].expires_on)
    return StoreCreditExpired(*said)


def _entry_row(account_id: str, entry: Entry) -> Item:
    return {
        **_key(account_id, f"{ENTRY}{entry.seq:06d}"),
        "kind": db.s(entry.kind),
        "amount": db.n(entry.amount),
        "body": db.pack(codec.encode(entry)),
    }


def _entry(row: Item) -> Entry:
    return codec.decode(db.unpack(row["body"]), Entry)


def _hold_row(account_id: str, hold: CreditHold) -> Item:
    return {**_key(account_id, HOLD + hold.key), "body": db.pack(codec.encode(hold))}


def _file(account_id: str, rows: Iterable[Item]) -> CreditFile:
    account, entries, holds = None, list[Entry](), list[CreditHold]()
    for row in rows:
        sort = db.text(row, "SK")
        if sort == BALANCE:
            account = codec.decode(db.unpack(row["body"]), CreditAccount)
        elif sort.startswith(ENTRY):
            entries.append(_entry(row))
        elif sort.startswith(HOLD):
            holds.append(codec.decode(db.unpack(row["body"]), CreditHold))
    return CreditFile(account_id, account, tuple(entries), tuple(holds))


def _place(account_id: str, cursor: str) -> dict[str, Any]:
    given = decode_cursor(cursor)
    if given.keys() != {"entry"} or not given["entry"].startswith(ENTRY):
        raise BadCursor
    return _key(account_id, given["entry"])


def _pk(account_id: str) -> str:
    return PARTITION + account_id


def _key(account_id: str, sort: str) -> Item:
    return db.key(_pk(account_id), sort)


def _once(key: str) -> Item:
    return db.key(f"CREDITKEY#{key}", "KEY")
