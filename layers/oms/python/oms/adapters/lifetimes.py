"""What customers are over their lifetime, in the customers table; the report is made of it.

PERSON#<customer_id> / LIFETIME   figures by their names, `<figure>` or `<figure>#<currency>`;
                                  `first_order_at`, `last_order_at`; `state`, all of it; `n`, the
                                  last segment that is in it, and `was`: the state before that one

A segment is taken whole. Each customer's row takes it once, and remembers what it was before: so
whoever takes the segment again, after a crash or beside another worker, finds the same change, and
the report's rows, which are changed by the sum of all, have it once. Who finds a row that is
farther has been overtaken: the segment is done, and nothing is left to do.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cache

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import Generation
from oms.contracts import codec
from oms.domain.errors import Contended
from oms.domain.reporting.base import Count
from oms.domain.reporting.customers import Brought, Deed, Lifetime, counts_of, deed_of, lived, moved
from oms.settings import setting

LIFETIME = "LIFETIME"
ATTEMPTS = 10
MAX_BYTES = 4_000_000  # of a state, inflated
CONDITION_FAILED = "ConditionalCheckFailedException"

Follow = Callable[[Sequence[str]], object]


class Overtaken(RuntimeError):
    """Another worker has done the segment, and more."""


@dataclass(frozen=True, slots=True)
class Row:
    """`n` 0: nothing is kept."""

    n: int = 0
    state: Lifetime = field(default_factory=Lifetime)
    was: Lifetime = field(default_factory=Lifetime)


class LifetimesTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def take(self, customer_id: str, number: int, deeds: Sequence[Deed]) -> Brought:
        """What the segment changes of the report, by this customer."""
        for attempt in range(ATTEMPTS):
            row = self._row(customer_id)
            if row.n > number:
                raise Overtaken
            if row.n == number:
                return moved(customer_id, row.was, row.state)
            state = lived(row.state, deeds)
            if self._put(customer_id, Row(number, state, row.state), row.n):
                return moved(customer_id, row.state, state)
            time.sleep(db.full_jitter(attempt))
        raise Contended(f"{customer_id} is written by others all the time")

    def many(self, customer_ids: Iterable[str]) -> list[Lifetime]:
        """Of those that have ordered."""
        keys = [_key(each) for each in dict.fromkeys(customer_ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return [_read(row).state for row in rows]

    def _row(self, customer_id: str) -> Row:
        found = db.get_row(self._client, self._table, _key(customer_id))
        return _read(found) if found else Row()

    def _put(self, customer_id: str, row: Row, seen: int) -> bool:
        condition, values = "attribute_not_exists(PK)", {}
        if seen:
            condition, values = "n = :seen", {"ExpressionAttributeValues": {":seen": db.n(seen)}}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_item(customer_id, row),
                ConditionExpression=condition,
                **values,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            return False
        return True


class LifetimeFigures:
    """Where the engine puts what it counts of customers: each customer's row, then the report's.
    `follow` is told who was touched, before the segment counts as done."""

    def __init__(self, lifetimes: LifetimesTable, figures: FiguresTable, follow: Follow) -> None:
        self._lifetimes, self._figures, self._follow = lifetimes, figures, follow

    def add(
        self, generation: Generation, number: int, counts: Sequence[Count], threads: Executor
    ) -> int:
        deeds = _by_customer(counts)
        try:
            changed = list(
                threads.map(
                    lambda each: self._lifetimes.take(each[0], number, each[1]), [*deeds.items()]
                )
            )
        except Overtaken:
            return 0
        rows = self._figures.add(generation, number, counts_of(changed), threads)
        self._follow([*deeds])
        return rows + len(deeds)


def _by_customer(counts: Iterable[Count]) -> Mapping[str, list[Deed]]:
    found: dict[str, list[Deed]] = {}
    for customer_id, deed in map(deed_of, counts):
        if customer_id:
            found.setdefault(customer_id, []).append(deed)
    return found


def _item(customer_id: str, row: Row) -> Item:
    state = row.state
    item = {
        **_key(customer_id),
        "n": db.n(row.n),
        "state": _packed(state),
        "was": _packed(row.was),
        **{name: db.n(value) for name, value in state.figures.items()},
    }
    for name, sums in state.money.items():
        item |= {f"{name}#{currency}": db.n(amount) for currency, amount in sums.items()}
    if state.first and state.last_at:
        item["first_order_at"] = db.s(state.first.at.isoformat())
        item["last_order_at"] = db.s(state.last_at.isoformat())
    return item


def _read(item: Item) -> Row:
    return Row(db.number(item, "n"), _unpacked(item, "state"), _unpacked(item, "was"))


def _packed(state: Lifetime) -> db.AttributeValue:
    return db.deflate(codec.encode(state))


def _unpacked(item: Item, name: str) -> Lifetime:
    octets = zlib.decompressobj().decompress(item[name]["B"], MAX_BYTES)
    return codec.decode(octets, Lifetime)


def _key(customer_id: str) -> Item:
    return db.key(f"PERSON#{customer_id}", LIFETIME)


@cache
def lifetimes_table() -> LifetimesTable:
    return LifetimesTable(db.client(), setting("CUSTOMERS_TABLE"))
