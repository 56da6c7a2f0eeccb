"""Days of inventory, counted of the stock's movements: a stock item at a time, in slices.

In the reports table, beside the figures:
INVENTORY#<generation> / PROGRESS          the day that is being counted, how far it is, and what
                                           the items of the slice in hand were when it was begun
SHELVES#<generation>#<item> / <location>   `n`, the day's ordinal, and what was on the shelf at its
                                           end, with the figures of that day: written when something
                                           moved; figures are made of it, so a day that is counted
                                           again gives the same
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import chain, groupby, islice
from typing import Any
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import Generation, GenerationsTable
from oms.adapters.items_table import ItemsTable
from oms.adapters.stock_rows import (
    LEVEL,
    MOVE,
    partition,
    read_levels,
    read_movement,
    sku_of,
    stamp,
)
from oms.contracts import codec
from oms.domain.errors import Conflict, Contended, OmsError
from oms.domain.inventory import Level, Movement
from oms.domain.reporting.base import Count
from oms.domain.reporting.inventory import (
    INVENTORY,
    STOCK,
    Course,
    Shelf,
    Terms,
    Walk,
    Window,
    by_place,
    counts,
)

CONDITION_FAILED = "ConditionalCheckFailedException"
LAST = "~"  # follows every character of an instant
GRACE = timedelta(hours=1)  # after a day's end, for what is told of it late
LOOKS = 4  # at levels and movements, until nothing has moved between them
SLICE = 25  # stock items
A_DAY = timedelta(days=1)
BY_NOBODY = "system"

IsLate = Callable[[], bool]


class Overtaken(OmsError):
    """Another worker counts."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`first`: the first day that was ever counted; `after`: the last stock item that is done;
    `taken`: those in hand."""

    first: date
    on: date
    after: str = ""
    taken: tuple[Terms, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A shelf at a day's end, and the day's row."""

    shelf: Shelf
    of: tuple[str, ...] = ()
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StockReader:
    """What the stock table has of a day."""

    client: DynamoDB
    table: str

    def items(self, after: str) -> Iterator[str]:
        """Every stock item that was ever anywhere, by identity, in the table's own order."""
        start = {"ExclusiveStartKey": db.key(partition(after), LAST)} if after else {}
        rows = db.scan(
            self.client,
            TableName=self.table,
            FilterExpression="begins_with(SK, :level)",
            ExpressionAttributeValues={":level": db.s(LEVEL)},
            ProjectionExpression="PK, SK",
            **start,
        )
        return (item for item, _ in groupby(rows, key=sku_of))

    def walked(self, item: str, window: Window, known: Mapping[str, Shelf]) -> dict[str, Course]:
        """Levels are read before and after: they fit the movements where they are the same."""
        levels = self._levels(item)
        for _ in range(LOOKS):
            begun = all(level.location in known for level in levels)
            walk = Walk(window, known)
            for movement in self._movements(item, window.begins if begun else None):
                walk.take(movement)
            before, levels = levels, self._levels(item)
            if levels == before:
                return walk.ended(levels)
        raise Contended(f"{item} moves all the time")

    def _levels(self, item: str) -> tuple[Level, ...]:
        values = {":pk": db.s(partition(item)), ":level": db.s(LEVEL)}
        return read_levels(self._rows("PK = :pk AND begins_with(SK, :level)", values))

    def _movements(self, item: str, since: datetime | None) -> Iterator[Movement]:
        values = {
            ":pk": db.s(partition(item)),
            ":first": db.s(f"{MOVE}{stamp(since)}" if since else MOVE),
            ":last": db.s(f"{MOVE}{LAST}"),
        }
        rows = self._rows("PK = :pk AND SK BETWEEN :first AND :last", values)
        return map(read_movement, rows)

    def _rows(self, condition: str, values: Mapping[str, Any]) -> Iterator[Item]:
        return db.query(
            self.client,
            TableName=self.table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )


@dataclass(frozen=True, slots=True)
class ShelvesTable:
    client: DynamoDB
    table: str

    def progress(self, generation: Generation) -> Progress | None:
        row = db.get_row(self.client, self.table, _progress_key(generation))
        return codec.decode(db.unpack(row["body"]), Progress) if row else None

    def save(self, generation: Generation, progress: Progress) -> Progress:
        """`Overtaken` where it is not as it was when it was read."""
        after = replace(progress, version=progress.version + 1)
        body = {"body": db.pack(codec.encode(after)), "version": db.n(after.version)}
        item = {**_progress_key(generation), **body}
        first = "attribute_not_exists(version)"
        condition = "version = :was" if progress.version else first
        values = {":was": db.n(progress.version)} if progress.version else {}
        if not self._put(item, condition, values):
            raise Overtaken(f"{generation.name} is counted by another")
        return after

    def shelves(self, generation: Generation, item: str) -> dict[str, tuple[int, Kept]]:
        """By location, with the day that they are of."""
        rows = db.query(
            self.client,
            TableName=self.table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(_shelves(generation, item))},
            ConsistentRead=True,
        )
        return {db.text(row, "SK"): _read(row) for row in rows}

    def keep(self, generation: Generation, item: str, place: str, on: date, kept: Kept) -> Kept:
        """As it is kept from now on: another's, where that was faster with the same day."""
        number, key = on.toordinal(), db.key(_shelves(generation, item), place)
        row = {**key, "n": db.n(number), "body": db.pack(codec.encode(kept))}
        condition = "attribute_not_exists(n) OR n < :n"
        if self._put(row, condition, {":n": db.n(number)}):
            return kept
        there = db.get_row(self.client, self.table, key)
        day, theirs = _read(there) if there else (0, kept)
        if day != number:
            raise Overtaken(f"{generation.name} is counted by another")
        return theirs

    def _put(self, row: Item, condition: str, values: Mapping[str, Any]) -> bool:
        given = {"ExpressionAttributeValues": values} if values else {}
        try:
            self.client.put_item(
                TableName=self.table, Item=row, ConditionExpression=condition, **given
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            return False
        return True


@dataclass(frozen=True, slots=True)
class InventoryDays:
    """`time_zone`: whose days are counted, when it is begun."""

    stock: StockReader
    shelves: ShelvesTable
    items: ItemsTable
    figures: FiguresTable
    generations: GenerationsTable
    time_zone: Callable[[], str]
    threads: Executor

    def run(self, is_late: IsLate, now: datetime) -> dict[str, int]:
        """Every day that is over, until it is late; how many days, and how many items."""
        done = {"days": 0, "items": 0}
        generation = self._generation(now)
        progress = self.shelves.progress(generation) or _first(generation, now)
        while not is_late() and self._window(generation, progress).ends + GRACE <= now:
            counted = self._count_day(generation, progress, is_late, done)
            if counted is None:
                break
            progress = counted
            done["days"] += 1
        return done

    def _count_day(
        self, generation: Generation, progress: Progress, is_late: IsLate, done: dict[str, int]
    ) -> Progress | None:
        """The next day's progress; None where there was no time for all items."""
        window = self._window(generation, progress)
        progress = self._slice(generation, progress, window, done)
        items = self.stock.items(progress.after)
        while names := tuple(islice(items, SLICE)):
            if is_late():
                return None
            taken = replace(progress, taken=self._terms(names))
            progress = self.shelves.save(generation, taken)
            progress = self._slice(generation, progress, window, done)
        self.figures.put(
            generation, window.on.toordinal(), list(self._sums(generation, window)), self.threads
        )
        number = (window.on - progress.first).days + 1
        self.generations.advance(generation, number, window.ends)
        following = Progress(progress.first, window.on + A_DAY, version=progress.version)
        return self.shelves.save(generation, following)

    def _slice(
        self, generation: Generation, progress: Progress, window: Window, done: dict[str, int]
    ) -> Progress:
        """The items in hand: also of a worker that went before it was done with them."""
        if not progress.taken:
            return progress
        rows = self.threads.map(lambda each: self._item(generation, each, window), progress.taken)
        counted = list(chain.from_iterable(rows))
        self.figures.put(generation, window.on.toordinal(), counted, self.threads)
        done["items"] += len(progress.taken)
        return replace(progress, after=progress.taken[-1].item, taken=())

    def _item(self, generation: Generation, terms: Terms, window: Window) -> list[Count]:
        number = window.on.toordinal()
        there = self.shelves.shelves(generation, terms.item)
        done = {place: kept for place, (day, kept) in there.items() if day == number}
        known = {place: kept.shelf for place, (_, kept) in there.items()}
        courses = self.stock.walked(terms.item, window, known)
        for place, course in courses.items():
            if place not in done:
                done[place] = self._place(generation, terms, place, course, known.get(place))
        kept = (each for each in done.values() if each.of)
        return [
            Count(INVENTORY, STOCK, window.on.isoformat(), each.of, each.figures) for each in kept
        ]

    def _place(
        self,
        generation: Generation,
        terms: Terms,
        place: str,
        course: Course,
        known: Shelf | None,
    ) -> Kept:
        """Without a row of figures where the item is not told of any more."""
        count = counts(terms, place, course.window, course.told(terms))
        told = Kept(course.shelf, count.of, count.figures)
        kept = told if course.matters(terms) else Kept(course.shelf)
        if known is not None and not course.moves:
            return kept
        return self.shelves.keep(generation, terms.item, place, course.window.on, kept)

    def _sums(self, generation: Generation, window: Window) -> Iterator[Count]:
        day = window.on.isoformat()
        rows = self.figures.rows(generation, STOCK, day, day)
        return by_place(window, ((row.of, row.figures) for row in rows))

    def _terms(self, names: Iterable[str]) -> tuple[Terms, ...]:
        asked = tuple(names)
        found = self.items.of(asked)
        return tuple(_terms(name, found) for name in asked)

    def _generation(self, now: datetime) -> Generation:
        known = self.generations.of(INVENTORY)
        if known.shown is not None:
            return known.shown
        try:
            return self.generations.begin(INVENTORY, self.time_zone(), now, BY_NOBODY)
        except Conflict:
            raise Overtaken(f"{INVENTORY} was begun by another") from None

    def _window(self, generation: Generation, progress: Progress) -> Window:
        return Window.of(progress.on, ZoneInfo(generation.time_zone))


def _first(generation: Generation, now: datetime) -> Progress:
    """The day that was over last."""
    today = (now - GRACE).astimezone(ZoneInfo(generation.time_zone)).date()
    return Progress(today - A_DAY, today - A_DAY)


def _terms(name: str, found: Mapping[str, Any]) -> Terms:
    item = found.get(name)
    if item is None:
        return Terms(name, name)
    said = item.attributes
    return Terms(name, item.sku, said.category, item.active, said.unit_cost, said.cost_currency)


def _progress_key(generation: Generation) -> Item:
    return db.key(f"INVENTORY#{generation.name}", "PROGRESS")


def _shelves(generation: Generation, item: str) -> str:
    return f"SHELVES#{generation.name}#{item}"


def _read(row: Item) -> tuple[int, Kept]:
    return db.number(row, "n"), codec.decode(db.unpack(row["body"]), Kept)
