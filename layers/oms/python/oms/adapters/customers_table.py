"""Customers' profiles, in the customers table. All that is personal is sealed for the person.

PERSON#<customer_id> / PROFILE              `version`; the profile, sealed; `found_by`: the keys of
                                            the FIND rows that lead to it
PERSON#<customer_id> / CHANGE#<at>#<name>   who changed what; `details`, sealed
PERSON#<customer_id> / LIFETIME             figures that a projection adds to, by their names:
                                            `<figure>` or `<figure>#<currency>`; `first_order_at`,
                                            `last_order_at`
FIND#<kind>#<digest> / PERSON#<customer_id> kinds: email, phone, name (how a word of it begins),
                                            match (number and last name), proved (the same, the
                                            number verified). Digests are keyed by the pepper.
"""

from __future__ import annotations

import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.order_rows import instant, moment
from oms.adapters.secrets import secrets
from oms.adapters.vault import Destroyed, vault
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor, sort_key
from oms.domain.customers import Profile, name_keys, pairs, phone_keys
from oms.domain.errors import Conflict, Contended
from oms.domain.ids import name_of
from oms.settings import setting

PROFILE, CHANGE, LIFETIME, FIND = "PROFILE", "CHANGE#", "LIFETIME", "FIND#"
EMAIL, PHONE, NAME, MATCH, PROVED = "email", "phone", "name", "match", "proved"
MAX_BYTES = 2_000_000  # of a profile, inflated: no list in it is without an end
MAX_KEYS = 45  # that one profile is found by: it is written in one transaction
ATTEMPTS = 10
CONDITION_FAILED = "ConditionalCheckFailedException"
FIRST_ORDER, LAST_ORDER = "first_order_at", "last_order_at"


class Sealing(Protocol):
    def seal(self, name: str, bound: bytes, octets: bytes) -> Item: ...
    def unseal(self, name: str, bound: bytes, item: Item) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """Version 0: nothing is kept of this customer."""

    customer_id: str
    profile: Profile = field(default_factory=Profile)
    version: int = 0
    found_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to a profile."""

    what: str
    at: datetime
    by: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChangePage:
    changes: tuple[Change, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class FoundPage:
    customer_ids: tuple[str, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`money`: by currency; minor units."""

    figures: Mapping[str, int]
    money: Mapping[str, Mapping[str, int]]
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None


class StaleProfile(Conflict):
    """Somebody wrote it since it was read."""


class BlindIndex:
    """What customers are found by: nobody finds the e-mail address in its key."""

    def __init__(self, digest: Callable[[str, str], str]) -> None:
        self._digest = digest

    def key(self, kind: str, said: str) -> str:
        return f"{kind}#{self._digest(f'customer {kind}', said)}"

    def of(self, profile: Profile) -> frozenset[str]:
        return frozenset(list(dict.fromkeys(self._keys(profile)))[:MAX_KEYS])

    def pairs(self, profile: Profile) -> Iterator[tuple[str, bool]]:
        """Digests of number and last name, and whether the number was verified."""
        for number, name, verified in pairs(profile):
            yield f"{number} {name}", verified

    def _keys(self, profile: Profile) -> Iterator[str]:
        """The most telling first."""
        for each in profile.emails:
            yield self.key(EMAIL, mailbox(each.value))
        for phone in profile.phones:
            yield from (self.key(PHONE, key) for key in phone_keys(phone))
        for pair, verified in self.pairs(profile):
            yield self.key(MATCH, pair)
            if verified:
                yield self.key(PROVED, pair)
        yield from (self.key(NAME, key) for key in name_keys(x.value for x in profile.names))


class CustomersTable:
    def __init__(self, client: DynamoDB, table: str, sealing: Sealing, index: BlindIndex) -> None:
        self._client, self._table = client, table
        self._sealing, self.index = sealing, index

    def get(self, customer_id: str) -> Kept:
        row = db.get_row(self._client, self._table, _key(customer_id, PROFILE))
        return self._kept(row) if row else Kept(customer_id)

    def many(self, customer_ids: Iterable[str]) -> dict[str, Kept]:
        """Those of whom something is kept."""
        keys = [_key(each, PROFILE) for each in dict.fromkeys(customer_ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {kept.customer_id: kept for kept in map(self._kept, rows)}

    def change(
        self,
        customer_id: str,
        change: Callable[[Profile], Profile],
        noted: Change | None = None,
        expected: int | None = None,
    ) -> Kept:
        """The newest profile, changed; what is as it was is not written. With `expected`: only from
        this version, else `Conflict`. `noted` goes into its history."""
        for attempt in range(ATTEMPTS):
            before = self.get(customer_id)
            if expected is not None and before.version != expected:
                said = f"{customer_id} is at version {before.version}, not at {expected}"
                raise Conflict(said)
            after = change(before.profile)
            if after == before.profile and before.version:
                return before
            try:
                return self._write(before, after, noted)
            except StaleProfile:
                time.sleep(db.full_jitter(attempt))
        raise Contended(f"{customer_id} is written by others all the time")

    def change_write(self, customer_id: str, change: Change) -> Write:
        """A line of the history; goes into the transaction that does what it tells."""
        details = json.dumps(dict(change.details), sort_keys=True, default=str)
        place = f"{CHANGE}{instant(change.at)}#{name_of(change.what, change.by, details)}"
        item = {
            **_key(customer_id, place),
            "what": db.s(change.what),
            "by": db.s(change.by),
            **self._sealing.seal("details", _bound(customer_id, CHANGE), details.encode()),
        }
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def changes(self, customer_id: str, limit: int, cursor: str | None = None) -> ChangePage:
        """Newest first."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :change)",
            ExpressionAttributeValues={
                ":pk": db.s(_pk(customer_id)),
                ":change": db.s(CHANGE),
            },
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **_start(_pk(customer_id), CHANGE, cursor),
        )
        found = tuple(self._change(customer_id, row) for row in answer["Items"])
        return ChangePage(found, _going_on(answer))

    def found(self, kind: str, said: str, limit: int, cursor: str | None = None) -> FoundPage:
        """Who is found by it, by their ids: perhaps not any more, whoever asks looks."""
        pk = FIND + self.index.key(kind, said)
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(pk)},
            Limit=limit,
            **_start(pk, "PERSON#", cursor),
        )
        ids = tuple(db.text(row, "SK").removeprefix("PERSON#") for row in answer["Items"])
        return FoundPage(ids, _going_on(answer))

    def lifetime(self, customer_ids: Iterable[str]) -> Lifetime:
        """The sum over the identities of one person."""
        keys = [_key(each, LIFETIME) for each in dict.fromkeys(customer_ids)]
        return lifetime_of(list(db.batch_get(self._client, self._table, keys)))

    def forget(self, customer_id: str) -> None:
        """Nobody finds the customer any more, and the profile is gone; also twice. What is beside
        it, under the same partition key, is for whoever erases a person."""
        for attempt in range(ATTEMPTS):
            row = db.get_row(self._client, self._table, _key(customer_id, PROFILE))
            if row is None or self._forgotten(customer_id, row):
                return
            time.sleep(db.full_jitter(attempt))
        raise Contended(f"{customer_id} is written by others all the time")

    def _forgotten(self, customer_id: str, row: Item) -> bool:
        """False where somebody has written it meanwhile."""
        for key in _found_by(row):
            self._client.delete_item(TableName=self._table, Key=_found_key(key, customer_id))
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_key(customer_id, PROFILE),
                ConditionExpression="version = :seen",
                ExpressionAttributeValues={":seen": row["version"]},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            return False
        return True

    def _write(self, before: Kept, profile: Profile, noted: Change | None) -> Kept:
        customer_id, keys = before.customer_id, self.index.of(profile)
        after = Kept(customer_id, profile, before.version + 1, keys)
        writes = [self._profile_write(before, after)]
        new, gone = keys - before.found_by, before.found_by - keys
        writes += [self._found_write("Put", "Item", key, customer_id) for key in sorted(new)]
        writes += [self._found_write("Delete", "Key", key, customer_id) for key in sorted(gone)]
        writes += [self.change_write(customer_id, noted)] if noted else []
        self._commit(writes)
        return after

    def _commit(self, writes: Sequence[Write]) -> None:
        """One row alone costs half as much outside of a transaction."""
        if len(writes) > 1:
            return db.transact(self._client, writes)
        try:
            self._client.put_item(**writes[0].item["Put"])
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            raise writes[0].refusal(None) from error

    def _profile_write(self, before: Kept, after: Kept) -> Write:
        octets = zlib.compress(codec.encode(after.profile), 9)
        item = {
            **_key(after.customer_id, PROFILE),
            "version": db.n(after.version),
            "found_by": db.s(" ".join(sorted(after.found_by))),
            **self._sealing.seal("profile", _bound(after.customer_id, PROFILE), octets),
        }
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        put["ConditionExpression"] = "attribute_not_exists(PK)"
        if before.version:
            put["ConditionExpression"] = "version = :seen"
            put["ExpressionAttributeValues"] = {":seen": db.n(before.version)}
        return Write({"Put": put}, lambda _: StaleProfile(after.customer_id))

    def _found_write(self, verb: str, what: str, key: str, customer_id: str) -> Write:
        return Write({verb: {"TableName": self._table, what: _found_key(key, customer_id)}})

    def _kept(self, row: Item) -> Kept:
        customer_id = db.text(row, "PK").removeprefix("PERSON#")
        octets = self._opened("profile", _bound(customer_id, PROFILE), row)
        whole = zlib.decompressobj().decompress(octets, MAX_BYTES) if octets else b"{}"
        profile = codec.decode(whole, Profile)
        return Kept(customer_id, profile, db.number(row, "version"), _found_by(row))

    def _change(self, customer_id: str, row: Item) -> Change:
        octets = self._opened("details", _bound(customer_id, CHANGE), row)
        at = moment(db.text(row, "SK").split("#")[1])
        details = json.loads(octets) if octets else {}
        return Change(db.text(row, "what"), at, db.text(row, "by"), details)

    def _opened(self, name: str, bound: bytes, row: Item) -> bytes:
        """Of an erased person, whose row a backup has brought back: nothing."""
        try:
            return self._sealing.unseal(name, bound, row)
        except Destroyed:
            return b""


def lifetime_of(rows: Sequence[Item]) -> Lifetime:
    figures, money = Counter[str](), dict[str, Counter[str]]()
    for name, value in _counted(rows):
        figure, _, currency = name.partition("#")
        (money.setdefault(currency, Counter()) if currency else figures)[figure] += value
    first = [db.text(row, FIRST_ORDER) for row in rows if FIRST_ORDER in row]
    last = [db.text(row, LAST_ORDER) for row in rows if LAST_ORDER in row]
    return Lifetime(figures, money, _day(min, first), _day(max, last))


def _counted(rows: Iterable[Item]) -> Iterator[tuple[str, int]]:
    """Of one letter are the names of segments' numbers."""
    for row in rows:
        for name, value in row.items():
            if "N" in value and len(name) > 1:
                yield name, int(value["N"])


def _day(which: Callable[[Iterable[datetime]], datetime], said: list[str]) -> datetime | None:
    return which(map(datetime.fromisoformat, said)) if said else None


def mailbox(said: str) -> str:
    """As the ids of customers are made of it."""
    return said.strip().lower()


def _pk(customer_id: str) -> str:
    return f"PERSON#{customer_id}"


def _key(customer_id: str, place: str) -> Item:
    return db.key(_pk(customer_id), place)


def _found_key(key: str, customer_id: str) -> Item:
    return db.key(FIND + key, _pk(customer_id))


def _found_by(row: Item) -> frozenset[str]:
    return frozenset(db.text(row, "found_by").split())


def _bound(customer_id: str, what: str) -> bytes:
    return f"{customer_id}\x1f{what}".encode()


def _start(pk: str, prefix: str, cursor: str | None) -> dict[str, Any]:
    if cursor is None:
        return {}
    given = decode_cursor(cursor)
    if given.keys() != {"after"} or not given["after"].startswith(prefix):
        raise BadCursor
    return {"ExclusiveStartKey": db.key(pk, sort_key(given["after"]))}


def _going_on(answer: Mapping[str, Any]) -> str | None:
    last = answer.get("LastEvaluatedKey")
    return encode_cursor({"after": db.text(last, "SK")}) if last else None


@cache
def customers_table() -> CustomersTable:
    index = BlindIndex(lambda subject, said: secrets().digest(subject, said))
    return CustomersTable(db.client(), setting("CUSTOMERS_TABLE"), vault(), index)
