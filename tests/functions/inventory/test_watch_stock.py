"""The watcher over real rows: each crossing is told once, in whatever order records come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.inventory import watch_stock
from functions.inventory.watch_stock import Record, record_of, watch
from oms.adapters.dynamodb import DynamoDB, query, s, text, unpack
from oms.adapters.items_table import ItemsTable, Wanted
from oms.adapters.stock_watch import StockWatch
from oms.contracts import events
from oms.domain.events import StockLow, StockOut
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.items import Policy
from oms.domain.stock_alerts import Alert, WatchedLevel
from tests.functions.world import World, now, survives

pytestmark = pytest.mark.cloud
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
numbers = count(1)


@dataclass
class Shelf:
    """One stock item in AUSTIN, watched or not."""

    world: World
    item: str = "MUG"

    @property
    def watcher(self) -> StockWatch:
        return StockWatch(self.world.client, self.world.stock_name)

    def watched_at(self, threshold: int | None) -> None:
        items = ItemsTable(self.world.client, self.world.stock_name)
        wanted = Wanted(policy=Policy(low_stock=threshold))
        items.put(self.item, wanted, at=now(), identity=f"itm_{next(numbers)}")

    def set(self, available: int) -> None:
        """By a count."""
        there = self.world.level(self.item)[1]
        change = StockItemChange(self.item, "AUSTIN", available - there)
        if change.quantity:
            at = AT + timedelta(seconds=next(numbers))
            self.world.stock.apply(StockChange(MovementKind.COUNTED, "cnt", at, (change,)))

    def look(self) -> None:
        at = AT + timedelta(seconds=next(numbers))
        for location in ("", "AUSTIN"):
            assert watch([Record("1", self.item, location)], self.watcher, at) is None

    def told(self) -> list[Any]:
        rows = query(
            self.world.client,
            TableName=self.world.stock_name,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            ExpressionAttributeValues={":pk": s(f"SKU#{self.item}"), ":event": s("EVENT#")},
        )
        read = (events.read(text(row, "type"), unpack(row["body"])) for row in rows)
        return [each for each in read if isinstance(each, (StockLow, StockOut))]

    def row(self) -> dict[str, Any]:
        where = {"PK": s(f"SKU#{self.item}"), "SK": s("LEVEL#AUSTIN")}
        found = self.world.client.get_item(TableName=self.world.stock_name, Key=where)
        return dict(found["Item"])


@pytest.fixture
def shelf(dynamodb: DynamoDB) -> Shelf:
    return Shelf(World.new(dynamodb))


def test_a_level_is_told_of_once_as_it_becomes_low_and_once_as_it_is_empty(shelf: Shelf) -> None:
    shelf.world.receive("MUG", 9)
    shelf.watched_at(3)
    for available in (9, 3, 2, 0, 0, 1, 4, 3):
        shelf.set(available)
        shelf.look()
        shelf.look()

    low = StockLow("MUG", "AUSTIN", 3, 3)
    assert shelf.told() == [low, StockOut("MUG", "AUSTIN"), low]


def test_a_level_that_nobody_watches_is_told_of_never(shelf: Shelf) -> None:
    shelf.world.receive("MUG", 1)
    shelf.set(0)
    shelf.look()

    assert shelf.told() == []
    assert "watch" not in shelf.row()


def test_a_level_that_begins_later_is_watched_like_the_others(shelf: Shelf) -> None:
    shelf.watched_at(3)
    shelf.world.receive("MUG", 2)
    new = Record("1", "MUG", "AUSTIN")

    watch([new], shelf.watcher, AT)
    assert shelf.row()["watch"] == {"N": "3"}
    watch([new], shelf.watcher, AT)

    assert shelf.told() == [StockLow("MUG", "AUSTIN", 2, 3)]


def test_another_threshold_counts_from_now_on_and_none_ends_the_watch(shelf: Shelf) -> None:
    shelf.world.receive("MUG", 5)
    shelf.watched_at(3)
    shelf.look()
    shelf.watched_at(6)
    shelf.look()
    shelf.look()
    assert shelf.told() == [StockLow("MUG", "AUSTIN", 5, 6)]

    shelf.watched_at(None)
    shelf.look()

    assert not {"watch", "alert"} & shelf.row().keys()


def test_a_level_that_is_gone_again_when_it_is_looked_at_is_not_told_of(shelf: Shelf) -> None:
    shelf.world.receive("MUG", 9)
    shelf.watched_at(3)
    shelf.look()
    shelf.set(1)
    shelf.set(9)

    shelf.look()

    assert shelf.told() == []


@dataclass
class Meanwhile:
    """A client to whose reader something happens between its first look and its deed."""

    client: DynamoDB
    deed: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def get_item(self, **request: Any) -> dict[str, Any]:
        found = self.client.get_item(**request)
        deed, self.deed = self.deed, lambda: None
        deed()
        return found


@pytest.mark.parametrize("meanwhile", [9, 2, 0])
def test_a_level_that_changes_while_it_is_looked_at_is_told_of_as_it_is(
    shelf: Shelf, meanwhile: int
) -> None:
    shelf.world.receive("MUG", 9)
    shelf.watched_at(3)
    shelf.look()
    shelf.set(3)

    client = Meanwhile(shelf.world.client, lambda: shelf.set(meanwhile))
    StockWatch(client, shelf.world.stock_name, lambda _: None).look("MUG", "AUSTIN", AT)

    expected: dict[int, list[Any]] = {
        9: [],
        2: [StockLow("MUG", "AUSTIN", 2, 3)],
        0: [StockOut("MUG", "AUSTIN")],
    }
    assert shelf.told() == expected[meanwhile]


def test_a_policy_that_changes_while_it_is_followed_wins(shelf: Shelf) -> None:
    shelf.world.receive("MUG", 9)
    shelf.watched_at(3)

    client = Meanwhile(shelf.world.client, lambda: shelf.watched_at(5))
    StockWatch(client, shelf.world.stock_name).follow("MUG")
    assert "watch" not in shelf.row()
    shelf.watcher.follow("MUG")

    assert shelf.row()["watch"] == {"N": "5"}


def test_a_crossing_is_told_once_whatever_crashes(shelf: Shelf) -> None:
    shelf.world.receive("MUG", 9)
    shelf.watched_at(3)
    shelf.set(3)

    def looked(world: World) -> None:
        here = replace(shelf, world=world)
        here.watcher.follow("MUG")
        here.watcher.look("MUG", "AUSTIN", now())

    assert survives(shelf.world, looked)
    assert shelf.told() == [StockLow("MUG", "AUSTIN", 3, 3)]


@given(
    history=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=12),
    threshold=st.integers(0, 3),
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_told_follows_the_levels_that_were_seen_in_every_history_and_delivery(
    shelf: Shelf, history: list[tuple[int, int]], threshold: int
) -> None:
    """Levels, each with how many records are delivered before the next: none, one, or one twice.

    That alerts and recoveries take turns in any sequence of levels is said of the model itself.
    """
    here = replace(shelf, item=f"MUG-{next(numbers)}")
    here.world.receive(here.item, 6)
    here.watched_at(threshold)
    here.look()
    told = Alert.NONE
    expected: list[Any] = []
    for available, records in history:
        here.set(available)
        for _ in range(records):
            here.look()
            level = WatchedLevel(here.item, "AUSTIN", available, threshold, told)
            expected += [level.event] if level.event else []
            told = level.now

    assert here.told() == expected


def test_a_record_that_could_not_be_looked_at_comes_again_with_all_after_it() -> None:
    class Failing:
        def __init__(self) -> None:
            self.looked_at: list[str] = []

        def look(self, item: str, location: str, at: datetime) -> bool:
            if item == "CUP":
                raise ConnectionError
            self.looked_at.append(item)
            return False

    levels = Failing()
    records = [Record(str(n), item, "LYON") for n, item in enumerate(("MUG", "MUG", "CUP", "HAT"))]

    failed = watch(records, levels, AT)  # type: ignore[arg-type]

    assert failed == records[2]
    assert levels.looked_at == ["MUG"]


def test_the_handler_reads_records_of_levels_and_of_items(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_stock, "stock_watch", lambda: shelf.watcher)
    shelf.world.receive("MUG", 2)
    shelf.watched_at(3)

    def raw(number: int, sort: str) -> dict[str, Any]:
        keys = {"PK": {"S": "SKU#MUG"}, "SK": {"S": sort}}
        return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": str(number), "Keys": keys}}

    records = [raw(1, "ITEM"), raw(2, "LEVEL#AUSTIN")]

    assert watch_stock.handler({"Records": records}, None) == {"batchItemFailures": []}
    assert shelf.told() == [StockLow("MUG", "AUSTIN", 2, 3)]
    assert record_of(records[1]) == Record("2", "MUG", "AUSTIN")
