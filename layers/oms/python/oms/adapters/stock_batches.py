"""Stock changes with more items than a transaction takes: numbered batches, all or given back.

A progress row per change says how many of its items are taken; every batch moves it on in its own
transaction, under the condition that nobody else has. So a batch counts once, however often and by
however many a change is asked for, and a shortage is final before the first unit goes back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from oms.adapters.dynamodb import DynamoDB, Item, Write, get_row, key, n, number, s, text, transact
from oms.adapters.stock_rows import stamp
from oms.domain.availability import Floors
from oms.domain.errors import OmsError
from oms.domain.inventory import MovementKind, OutOfStock, Shortage, StockChange

MAX_SHORTAGES_KEPT = 40  # a row stays small; the first short batch has no more


class State(StrEnum):
    TAKING = "taking"
    TAKEN = "taken"
    GIVING_BACK = "giving_back"
    GIVEN_BACK = "given_back"


@dataclass(frozen=True, slots=True)
class Progress:
    """`taken` of the change's items, in their order; `written` when the row is there already."""

    state: State = State.TAKING
    taken: int = 0
    shortages: tuple[Shortage, ...] = ()
    written: bool = False


class Overtaken(OmsError):
    """Somebody else has moved the change on since it was read."""


class Batches:
    def __init__(
        self,
        client: DynamoDB,
        table_name: str,
        writes: Callable[..., Sequence[Write]],
        size: int,
    ) -> None:
        self._client, self._table = client, table_name
        self._writes, self._size = writes, size

    def apply(self, change: StockChange, floors: Floors | None = None) -> None:
        """Take all batches, or none and raise `OutOfStock`; safe to be asked for again."""
        progress = self._progress(change)
        while progress.state not in (State.TAKEN, State.GIVEN_BACK):
            progress = self._step(change, progress, floors)
        if progress.state is State.GIVEN_BACK:
            raise OutOfStock(progress.shortages)

    def give_back(self, change: StockChange) -> None:
        """Give back what of an allocation is taken, and let nobody take any more of it."""
        progress = self._progress(change)
        while progress.state is not State.GIVEN_BACK:
            if progress.state is not State.GIVING_BACK:
                progress = self._turned(change, progress, ())
            else:
                progress = self._step(change, progress)

    def _step(
        self, change: StockChange, progress: Progress, floors: Floors | None = None
    ) -> Progress:
        try:
            if progress.state is State.GIVING_BACK:
                return self._give_back_batch(change, progress)
            return self._take_batch(change, progress, floors)
        except OutOfStock as error:
            if change.kind is not MovementKind.ALLOCATED:
                raise
            return self._turned(change, progress, error.shortages)
        except Overtaken:
            return self._progress(change)

    def _take_batch(
        self, change: StockChange, progress: Progress, floors: Floors | None
    ) -> Progress:
        batch = change.part(change.items[progress.taken : progress.taken + self._size])
        taken = progress.taken + len(batch.items)
        state = State.TAKEN if taken == len(change.items) else State.TAKING
        after = replace(progress, state=state, taken=taken)
        return self._advance(change, progress, after, batch, floors)

    def _give_back_batch(self, change: StockChange, progress: Progress) -> Progress:
        left = max(0, progress.taken - self._size)
        batch = released(change.part(change.items[left : progress.taken]))
        state = State.GIVING_BACK if left else State.GIVEN_BACK
        return self._advance(change, progress, replace(progress, state=state, taken=left), batch)

    def _turned(
        self, change: StockChange, progress: Progress, shortages: tuple[Shortage, ...]
    ) -> Progress:
        """From here on the change can only be given back."""
        shortages = shortages[:MAX_SHORTAGES_KEPT]
        turned = replace(progress, state=State.GIVING_BACK, shortages=shortages)
        try:
            return self._advance(change, progress, turned, change.part(()))
        except Overtaken:
            return self._progress(change)

    def _advance(
        self,
        change: StockChange,
        before: Progress,
        after: Progress,
        batch: StockChange,
        floors: Floors | None = None,
    ) -> Progress:
        progress = Write(self._put(change, before, after), lambda _: Overtaken())
        transact(self._client, [progress, *self._writes(batch, floors=floors)])
        return replace(after, written=True)

    def _put(self, change: StockChange, before: Progress, after: Progress) -> Item:
        put = {"TableName": self._table, "Item": _row(change, after)}
        if not before.written:
            return {"Put": put | {"ConditionExpression": "attribute_not_exists(PK)"}}
        return {
            "Put": put
            | {
                "ConditionExpression": "#state = :state AND taken = :taken",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":state": s(before.state), ":taken": n(before.taken)},
            }
        }

    def _progress(self, change: StockChange) -> Progress:
        row = get_row(self._client, self._table, _key(change))
        return _read(row) if row else Progress()


def released(change: StockChange) -> StockChange:
    cause = f"{change.cause}.given_back"
    return replace(change, kind=MovementKind.RELEASED, cause=cause)


def _key(change: StockChange) -> Item:
    return key(f"CHANGE#{change.kind}#{stamp(change.at)}#{change.cause}", "CHANGE")


def _row(change: StockChange, progress: Progress) -> Item:
    shortages = [[x.sku, x.location, x.requested, x.available] for x in progress.shortages]
    return {
        **_key(change),
        "state": s(progress.state),
        "taken": n(progress.taken),
        "shortages": s(json.dumps(shortages)),
    }


def _read(item: Item) -> Progress:
    return Progress(
        state=State(text(item, "state")),
        taken=number(item, "taken"),
        shortages=tuple(Shortage(*members) for members in json.loads(text(item, "shortages"))),
        written=True,
    )
