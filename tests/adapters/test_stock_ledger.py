"""Adjustments, counts, and what the ledger tells: the table and the fake alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import stock_ledger
from oms.adapters.dynamodb import DynamoDB, query, s, text, unpack
from oms.adapters.stock_ledger import StockLedger, TooFarBack
from oms.adapters.stock_table import StockTable
from oms.contracts import events
from oms.contracts.cursors import BadCursor, encode_cursor
from oms.domain.errors import Contended
from oms.domain.events import StockFreed
from oms.domain.inventory import (
    AdjustmentReason,
    CountedTooFew,
    IdempotencyConflict,
    Level,
    MovementKind,
    OutOfStock,
    StockChange,
    StockItemChange,
    UnknownLocation,
)
from oms.domain.locations import Location, LocationKind
from oms.domain.reservations import Holder
from tests.fakes import LedgerFake, StockFake
from tests.tables import create_table

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAMAGED, FOUND = AdjustmentReason.DAMAGED, AdjustmentReason.FOUND
LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR")
PARIS = Location("PARIS", "Paris", LocationKind.STORE, "FR")
ticks = count(1)
cloud = pytest.mark.cloud


def later() -> datetime:
    return AT + timedelta(seconds=next(ticks))


@dataclass
class Store:
    stock: Any
    ledger: Any

    def level(self, location: str = "LYON") -> Level:
        found = (x for x in self.stock.levels(["MUG"])["MUG"] if x.location == location)
        return next(found, Level("MUG", location))

    def adjust(self, by: int, reason: AdjustmentReason = DAMAGED, **more: Any) -> None:
        said: dict[str, Any] = {"at": later(), "actor": "client:wms", **more}
        self.ledger.adjust("MUG", said.pop("location", "LYON"), by, reason, **said)

    def count(self, counted: int, **more: Any) -> int:
        said: dict[str, Any] = {"at": later(), "actor": "client:wms", **more}
        return int(self.ledger.count("MUG", said.pop("location", "LYON"), counted, **said))

    def move(self, kind: MovementKind, quantity: int, whose: str, taken_from: str = "") -> None:
        item = StockItemChange("MUG", "LYON", quantity, whose, taken_from)
        self.stock.apply(StockChange(kind, f"c{next(ticks)}", later(), (item,)))


@pytest.fixture
def table(dynamodb: DynamoDB) -> str:
    return create_table(dynamodb, "stock", f"stock-{uuid4()}")


@pytest.fixture(params=["fake", pytest.param("table", marks=cloud)])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        fake = StockFake()
        found = Store(fake, LedgerFake(fake))
    else:
        client, name = (request.getfixturevalue(each) for each in ("dynamodb", "table"))
        found = Store(StockTable(client, name), StockLedger(client, name))
    for location in (LYON, PARIS):
        found.stock.put_location(location)
    found.stock.receive("MUG", "LYON", 9, at=later(), actor="test")
    return found


def test_an_adjustment_moves_what_is_available_and_says_why(store: Store) -> None:
    store.adjust(-2, DAMAGED, note="dropped")
    store.adjust(+1, FOUND)

    found, damaged, _ = store.ledger.movements("MUG").movements
    assert store.level() == Level("MUG", "LYON", 8, 8, 0)
    assert (damaged.kind, damaged.quantity) == (MovementKind.ADJUSTED, -2)
    assert (damaged.reason, damaged.note, damaged.actor) == ("damaged", "dropped", "client:wms")
    assert (found.reason, found.quantity) == ("found", 1)


def test_reserved_units_are_not_adjusted_away(store: Store) -> None:
    store.move(MovementKind.ALLOCATED, 7, "ful_1")

    with pytest.raises(OutOfStock):
        store.adjust(-3)

    assert store.level() == Level("MUG", "LYON", 9, 2, 7)


@pytest.mark.parametrize("deed", ["adjust", "count"])
def test_nothing_is_told_of_a_place_that_is_no_location(store: Store, deed: str) -> None:
    with pytest.raises(UnknownLocation):
        getattr(store, deed)(3, location="ATLANTIS")

    assert [x.location for x in store.stock.levels(["MUG"])["MUG"]] == ["LYON"]


def test_an_adjustment_told_twice_counts_once(store: Store) -> None:
    for _ in range(2):
        store.adjust(-2, idempotency_key="k")

    assert store.level().on_hand == 7
    with pytest.raises(IdempotencyConflict):
        store.adjust(-3, idempotency_key="k")


def test_a_count_sets_the_level_and_answers_the_variance(store: Store) -> None:
    store.move(MovementKind.ALLOCATED, 3, "ful_1")

    assert store.count(7, note="aisle 4") == -2

    assert store.level() == Level("MUG", "LYON", 7, 4, 3)
    movement = store.ledger.movements("MUG").movements[0]
    assert (movement.kind, movement.quantity, movement.note) == ("counted", -2, "aisle 4")


def test_a_count_that_finds_what_was_known_is_in_the_ledger(store: Store) -> None:
    assert store.count(9) == 0

    movement = store.ledger.movements("MUG").movements[0]
    assert (movement.kind, movement.quantity) == (MovementKind.COUNTED, 0)
    assert store.level() == Level("MUG", "LYON", 9, 9, 0)


def test_a_first_count_finds_units_at_a_new_place(store: Store) -> None:
    assert store.count(0, location="PARIS") == 0
    assert store.count(4, location="PARIS") == 4
    assert store.level("PARIS") == Level("MUG", "PARIS", 4, 4, 0)


def test_a_count_below_what_is_reserved_names_whose_units_are_missing(store: Store) -> None:
    store.move(MovementKind.ALLOCATED, 3, "ful_1")
    store.move(MovementKind.HELD, 2, "hld_1")
    store.move(MovementKind.RELEASED, 1, "ful_1")

    with pytest.raises(CountedTooFew, match="2 for hld_1; 2 for ful_1"):
        store.count(3)

    assert store.level() == Level("MUG", "LYON", 9, 5, 4)
    assert store.count(4) == -5


def test_a_count_told_twice_answers_the_same_and_moves_nothing_more(store: Store) -> None:
    first = store.count(7, idempotency_key="k")
    store.move(MovementKind.ALLOCATED, 7, "ful_1")
    store.move(MovementKind.CONSUMED, 2, "ful_1")
    store.adjust(+3, FOUND)

    assert store.count(7, idempotency_key="k") == first == -2
    assert store.level() == Level("MUG", "LYON", 8, 3, 5)


def test_each_reservation_has_what_its_movements_left_it(store: Store) -> None:
    store.move(MovementKind.ALLOCATED, 3, "ful_1")
    store.move(MovementKind.HELD, 2, "hld_1")
    store.move(MovementKind.LEASED, 2, "lse_1")
    store.move(MovementKind.CARRIED, 2, "ful_2", "hld_1")
    store.move(MovementKind.CONSUMED, 1, "ful_1")

    found = store.ledger.standing("MUG")

    assert found.is_whole
    assert [(x.reservation, x.holder, x.quantity) for x in found.reservations] == [
        ("ful_2", Holder.ORDER, 2),
        ("lse_1", Holder.LEASE, 2),
        ("ful_1", Holder.ORDER, 2),
    ]
    assert sum(x.quantity for x in found.reservations) == store.level().reserved


def test_a_ledger_is_read_by_location_and_day(store: Store) -> None:
    store.stock.receive("MUG", "PARIS", 1, at=AT + timedelta(days=1), actor="test")
    store.stock.receive("MUG", "PARIS", 2, at=AT + timedelta(days=2), actor="test")

    def quantities(**wanted: Any) -> list[int]:
        return [m.quantity for m in store.ledger.movements("MUG", **wanted).movements]

    assert quantities(location="PARIS") == [2, 1]
    assert quantities(location="LYON") == [9]
    assert quantities(since=AT + timedelta(days=2)) == [2]
    assert quantities(until=AT + timedelta(days=2)) == [1, 9]


def test_pages_of_one_location_leave_nothing_out(store: Store) -> None:
    for number in range(7):
        store.adjust(+1, FOUND, location="PARIS" if number % 2 else "LYON")
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = store.ledger.movements("MUG", limit=2, cursor=cursor, location="PARIS")
        seen += page.movements
        cursor, pages = page.cursor, pages + 1

    assert [m.location for m in seen] == ["PARIS"] * 3
    assert len({m.cause for m in seen}) == 3


def test_what_lay_where_is_told_of_any_instant(store: Store) -> None:
    whole = later()
    store.move(MovementKind.ALLOCATED, 3, "ful_1")
    store.stock.receive("MUG", "PARIS", 4, at=later(), actor="test")
    between = later()
    store.move(MovementKind.CONSUMED, 3, "ful_1")

    def lay(at: datetime) -> list[tuple[str, int, int]]:
        return [(x.location, x.available, x.reserved) for x in store.ledger.levels_at("MUG", at)]

    assert lay(whole) == [("LYON", 9, 0), ("PARIS", 0, 0)]
    assert lay(between) == [("LYON", 6, 3), ("PARIS", 4, 0)]
    assert lay(AT) == [("LYON", 0, 0), ("PARIS", 0, 0)]


@cloud
def test_units_that_are_found_wake_who_waits(dynamodb: DynamoDB, table: str) -> None:
    store = Store(StockTable(dynamodb, table), StockLedger(dynamodb, table))
    store.stock.put_location(LYON)
    store.adjust(+5, FOUND)
    store.adjust(-2)
    store.count(3)
    store.count(4)

    rows = query(
        dynamodb,
        TableName=table,
        KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
        ExpressionAttributeValues={":pk": s("SKU#MUG"), ":event": s("EVENT#")},
    )
    told = [events.read(text(row, "type"), unpack(row["body"])) for row in rows]

    assert told == [StockFreed("MUG", "LYON", 5, "found"), StockFreed("MUG", "LYON", 1, "counted")]


class Meanwhile:
    """A client between whose looks at levels something happens."""

    def __init__(self, client: DynamoDB, deed: Callable[[], Any], times: int) -> None:
        self._client, self._deed, self._left = client, deed, times

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    def query(self, **request: Any) -> dict[str, Any]:
        answer = self._client.query(**request)
        if self._left:
            self._left -= 1
            self._deed()
        return answer


@cloud
@pytest.mark.parametrize("times", [1, 3])
def test_a_count_at_a_level_that_moves_is_compared_again(
    dynamodb: DynamoDB, table: str, times: int
) -> None:
    store = Store(StockTable(dynamodb, table), StockLedger(dynamodb, table))
    store.stock.put_location(LYON)
    store.stock.receive("MUG", "LYON", 9, at=later(), actor="test")
    busy = Meanwhile(dynamodb, lambda: store.move(MovementKind.ALLOCATED, 1, "ful_1"), times)
    counting = StockLedger(busy, table, pause=lambda _: None)

    assert counting.count("MUG", "LYON", 8, at=later(), actor="test") == -1
    assert store.level() == Level("MUG", "LYON", 8, 8 - times, times)


@cloud
def test_a_count_gives_up_where_units_move_all_the_time(dynamodb: DynamoDB, table: str) -> None:
    store = Store(StockTable(dynamodb, table), StockLedger(dynamodb, table))
    store.stock.put_location(LYON)
    store.stock.receive("MUG", "LYON", 99, at=later(), actor="test")
    busy = Meanwhile(dynamodb, lambda: store.move(MovementKind.ALLOCATED, 1, "ful_1"), 99)

    with pytest.raises(Contended):
        StockLedger(busy, table, lambda _: None).count("MUG", "LYON", 80, at=later(), actor="t")


@cloud
def test_the_past_is_told_of_levels_and_movements_of_one_moment(
    dynamodb: DynamoDB, table: str
) -> None:
    store = Store(StockTable(dynamodb, table), StockLedger(dynamodb, table))
    store.stock.put_location(LYON)
    store.stock.receive("MUG", "LYON", 9, at=later(), actor="test")
    then = later()
    busy = Meanwhile(dynamodb, lambda: store.move(MovementKind.ALLOCATED, 1, "ful_1"), 1)

    (level,) = StockLedger(busy, table).levels_at("MUG", then)

    assert level == Level("MUG", "LYON", 9, 9, 0)


@cloud
def test_a_past_too_far_back_is_refused(
    dynamodb: DynamoDB, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_ledger, "MAX_REWOUND", 2)
    store = Store(StockTable(dynamodb, table), StockLedger(dynamodb, table))
    store.stock.put_location(LYON)
    store.stock.receive("MUG", "LYON", 9, at=later(), actor="test")
    then = later()
    for _ in range(3):
        store.adjust(-1)

    with pytest.raises(TooFarBack):
        store.ledger.levels_at("MUG", then)


@cloud
@pytest.mark.parametrize("cursor", ["%", encode_cursor({"SK": "LEVEL#LYON"}), "{}"])
def test_a_cursor_leads_nowhere_but_on(dynamodb: DynamoDB, table: str, cursor: str) -> None:
    with pytest.raises(BadCursor):
        StockLedger(dynamodb, table).movements("MUG", cursor=cursor)


@cloud
def test_a_cursor_of_other_days_is_none_of_these(dynamodb: DynamoDB, table: str) -> None:
    store = Store(StockTable(dynamodb, table), StockLedger(dynamodb, table))
    store.stock.put_location(LYON)
    store.adjust(+1, FOUND)
    store.adjust(+1, FOUND)
    cursor = store.ledger.movements("MUG", limit=1).cursor

    with pytest.raises(BadCursor):
        store.ledger.movements("MUG", cursor=cursor, until=AT - timedelta(days=9))
