"""The table and the fake pass the same suite; races, crashes and size are for the table alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from oms.adapters import stock_table
from oms.adapters.dynamodb import DynamoDB, query, s, text, transact, unpack
from oms.adapters.stock_table import StockTable
from oms.contracts import events
from oms.contracts.cursors import BadCursor, encode_cursor
from oms.domain.events import StockReceived
from oms.domain.inventory import (
    DuplicateMovement,
    Effect,
    IdempotencyConflict,
    Level,
    Movement,
    MovementKind,
    NotReserved,
    OutOfStock,
    Shortage,
    StockChange,
    StockItemChange,
    UnknownLocation,
    apply,
    fits,
)
from oms.domain.locations import Location, LocationKind
from tests.fakes import StockFake
from tests.tables import create_table

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR", "", "69001", 500, 20)
PARIS = Location("PARIS", "Paris", LocationKind.STORE, "FR", active=False)

ticks = count(1)
cloud = pytest.mark.cloud


def later() -> datetime:
    return AT + timedelta(seconds=next(ticks))


def change(
    kind: MovementKind, *items: tuple[str, str, int], cause: str = "", at: datetime | None = None
) -> StockChange:
    changes = tuple(StockItemChange(*item) for item in items)
    return StockChange(kind, cause or f"ful_{next(ticks)}", at or later(), changes)


def allocated(*items: tuple[str, str, int], cause: str = "") -> StockChange:
    return change(MovementKind.ALLOCATED, *items, cause=cause)


@dataclass
class Store:
    """Stock behind either implementation, and how writes are committed there."""

    stock: Any
    commit: Callable[[Any], None]

    def filled(self, **quantities: int) -> Any:
        for sku, quantity in quantities.items():
            self.stock.receive(sku, "LYON", quantity, at=later(), actor="test")
        return self.stock

    def level(self, sku: str, location: str = "LYON") -> Level:
        found = (level for level in self.stock.levels([sku])[sku] if level.location == location)
        return next(found, Level(sku, location))


@pytest.fixture
def table(dynamodb: DynamoDB) -> str:
    return create_table(dynamodb, "stock", f"stock-{uuid4()}")


@pytest.fixture
def stock(dynamodb: DynamoDB, table: str) -> StockTable:
    found = StockTable(dynamodb, table)
    found.put_location(LYON)
    found.put_location(PARIS)
    return found


@pytest.fixture(params=["fake", pytest.param("table", marks=cloud)])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        fake = StockFake(places={"LYON": LYON, "PARIS": PARIS})
        return Store(fake, fake.commit)
    table = request.getfixturevalue("stock")
    client = request.getfixturevalue("dynamodb")
    return Store(table, lambda writes: transact(client, writes))


def test_a_new_sku_begins_with_its_first_receipt(store: Store) -> None:
    assert store.stock.known(["MUG"]) == set()

    store.filled(MUG=5)
    store.filled(MUG=2)

    assert store.stock.known(["MUG", "CUP"]) == {"MUG"}
    assert store.level("MUG") == Level("MUG", "LYON", 7, 7, 0)


def test_a_receipt_at_a_place_that_is_no_location_changes_nothing(store: Store) -> None:
    with pytest.raises(UnknownLocation):
        store.stock.receive("MUG", "ATLANTIS", 5, at=AT, actor="test")

    assert store.stock.levels(["MUG"]) == {"MUG": ()}
    assert store.stock.known(["MUG"]) == set()


def test_a_receipt_told_twice_counts_once_and_gets_one_answer(store: Store) -> None:
    def told() -> Any:
        return store.stock.receive(
            "MUG", "LYON", 5, at=later(), actor="test", idempotency_key="delivery 7"
        )

    assert told() == told()
    assert store.level("MUG").on_hand == 5


@pytest.mark.parametrize("other", [("MUG", "LYON", 6), ("CUP", "LYON", 5), ("MUG", "PARIS", 5)])
def test_one_key_for_two_receipts_is_a_conflict(store: Store, other: tuple[str, str, int]) -> None:
    store.stock.receive("MUG", "LYON", 5, at=AT, actor="test", idempotency_key="k")

    with pytest.raises(IdempotencyConflict):
        store.stock.receive(*other, at=later(), actor="test", idempotency_key="k")

    assert store.level("MUG").on_hand == 5
    assert store.stock.known(["CUP"]) == set()


def test_two_callers_may_come_with_the_same_key(store: Store) -> None:
    told = [
        store.stock.receive("MUG", "LYON", 5, at=later(), actor=actor, idempotency_key="k")
        for actor in ("client:wms", "client:shop", "client:wms")
    ]

    assert store.level("MUG").on_hand == 10
    assert told[0] == told[2]
    assert told[0].receipt_id != told[1].receipt_id


def test_stock_is_allocated_shipped_and_given_back(store: Store) -> None:
    stock = store.filled(MUG=5)

    stock.apply(allocated(("MUG", "LYON", 3)))
    assert store.level("MUG") == Level("MUG", "LYON", 5, 2, 3)
    stock.apply(change(MovementKind.CONSUMED, ("MUG", "LYON", 1)))
    assert store.level("MUG") == Level("MUG", "LYON", 4, 2, 2)
    stock.apply(change(MovementKind.RELEASED, ("MUG", "LYON", 2)))
    assert store.level("MUG") == Level("MUG", "LYON", 4, 4, 0)


def test_a_shortage_takes_nothing_and_names_every_short_item(store: Store) -> None:
    stock = store.filled(MUG=5, CUP=1, HAT=9)

    with pytest.raises(OutOfStock) as refused:
        stock.apply(allocated(("MUG", "LYON", 6), ("CUP", "LYON", 2), ("HAT", "LYON", 1)))

    assert set(refused.value.shortages) == {
        Shortage("MUG", "LYON", 6, 5),
        Shortage("CUP", "LYON", 2, 1),
    }
    assert store.level("HAT") == Level("HAT", "LYON", 9, 9, 0)


def test_a_level_that_was_never_filled_has_nothing_available(store: Store) -> None:
    with pytest.raises(OutOfStock) as refused:
        store.stock.apply(allocated(("MUG", "LYON", 1)))

    assert refused.value.shortages == (Shortage("MUG", "LYON", 1, 0),)
    assert store.stock.levels(["MUG"]) == {"MUG": ()}


@pytest.mark.parametrize("kind", [MovementKind.CONSUMED, MovementKind.RELEASED])
def test_what_is_not_reserved_is_neither_shipped_nor_given_back(
    store: Store, kind: MovementKind
) -> None:
    stock = store.filled(MUG=5)
    stock.apply(allocated(("MUG", "LYON", 2)))

    with pytest.raises(NotReserved):
        stock.apply(change(kind, ("MUG", "LYON", 3)))

    assert store.level("MUG") == Level("MUG", "LYON", 5, 3, 2)


def test_shipping_from_another_location_than_reserved_is_refused(store: Store) -> None:
    stock = store.filled(MUG=5)
    stock.receive("MUG", "PARIS", 5, at=later(), actor="test")
    stock.apply(allocated(("MUG", "LYON", 2)))

    with pytest.raises(NotReserved):
        stock.apply(change(MovementKind.CONSUMED, ("MUG", "PARIS", 2)))


def test_two_partial_shipments_from_two_locations_drain_each_once(store: Store) -> None:
    stock = store.filled(MUG=3)
    stock.receive("MUG", "PARIS", 3, at=later(), actor="test")
    stock.apply(allocated(("MUG", "LYON", 3), ("MUG", "PARIS", 2)))

    stock.apply(change(MovementKind.CONSUMED, ("MUG", "LYON", 3)))
    stock.apply(change(MovementKind.CONSUMED, ("MUG", "PARIS", 2)))

    assert store.level("MUG", "LYON") == Level("MUG", "LYON", 0, 0, 0)
    assert store.level("MUG", "PARIS") == Level("MUG", "PARIS", 1, 1, 0)


def test_a_change_told_twice_counts_once(store: Store) -> None:
    stock = store.filled(MUG=5)
    taking = allocated(("MUG", "LYON", 2))
    stock.apply(taking)

    with pytest.raises(DuplicateMovement):
        stock.apply(taking)

    assert store.level("MUG").reserved == 2


def test_a_duplicate_is_called_one_even_when_stock_is_out(store: Store) -> None:
    stock = store.filled(MUG=2)
    taking = allocated(("MUG", "LYON", 2))
    stock.apply(taking)

    with pytest.raises(DuplicateMovement):
        stock.apply(taking)


def test_two_lines_of_one_stock_item_never_take_the_same_unit(store: Store) -> None:
    stock = store.filled(MUG=1)

    with pytest.raises(OutOfStock):
        stock.apply(allocated(("MUG", "LYON", 1), ("MUG", "LYON", 1)))


def test_a_line_of_eighty_thousand_units_is_one_movement(store: Store) -> None:
    stock = store.filled(MUG=80_995)

    stock.apply(allocated(("MUG", "LYON", 80_995)))

    assert store.level("MUG") == Level("MUG", "LYON", 80_995, 0, 80_995)
    assert len(stock.movements("MUG").movements) == 2


def test_writes_of_two_changes_are_committed_together_or_not_at_all(store: Store) -> None:
    stock = store.filled(MUG=5)
    good, bad = allocated(("MUG", "LYON", 1)), allocated(("CUP", "LYON", 1))

    with pytest.raises(OutOfStock):
        store.commit([*stock.writes(good), *stock.writes(bad)])

    assert store.level("MUG").reserved == 0


def test_the_ledger_is_read_newest_first_page_by_page(store: Store) -> None:
    stock = store.filled(MUG=5)
    for _ in range(4):
        stock.apply(allocated(("MUG", "LYON", 1)))

    pages: list[tuple[Movement, ...]] = []
    cursor = None
    while not pages or cursor:
        page = stock.movements("MUG", limit=2, cursor=cursor)
        pages.append(page.movements)
        cursor = page.cursor

    seen = [movement for page in pages for movement in page]
    assert [m.kind for m in seen] == [MovementKind.ALLOCATED] * 4 + [MovementKind.RECEIVED]
    assert seen == sorted(seen, key=lambda m: m.at, reverse=True)


def test_the_ledger_says_why(store: Store) -> None:
    stock = store.stock
    stock.receive("MUG", "LYON", 5, at=AT, actor="test", reason="opening stock")

    (movement,) = stock.movements("MUG").movements

    assert (movement.reason, movement.quantity, movement.at) == ("opening stock", 5, AT)
    assert movement.effect == Effect(5, 5, 0)


def test_movements_sum_to_the_counters(store: Store) -> None:
    stock = store.filled(MUG=5, CUP=2)
    stock.apply(allocated(("MUG", "LYON", 3), ("CUP", "LYON", 2)))
    stock.apply(change(MovementKind.CONSUMED, ("MUG", "LYON", 2)))

    assert stock.movement_sums("MUG") == {"LYON": Effect(3, 2, 1)}
    assert all(balance.is_even for balance in stock.scan_balances())
    assert sorted(level.sku for level in stock.scan_levels()) == ["CUP", "MUG"]


def test_locations_are_listed_and_changed(store: Store) -> None:
    store.stock.put_location(replace(PARIS, active=True, unit_cost=7))

    assert store.stock.locations() == (LYON, replace(PARIS, active=True, unit_cost=7))


def test_who_waits_for_a_sku_stands_in_the_order_of_placement(store: Store) -> None:
    stock = store.stock
    store.commit(stock.wait_writes("ord_late", AT + timedelta(hours=1), ["MUG"]))
    store.commit(stock.wait_writes("ord_early", AT, ["MUG", "CUP", "MUG"]))

    assert [w.order_id for w in stock.waiting("MUG", 9)] == ["ord_early", "ord_late"]
    assert [w.order_id for w in stock.waiting("MUG", 1)] == ["ord_early"]

    store.commit(stock.unwait_writes("ord_early", AT, ["MUG", "CUP"]))
    assert [w.order_id for w in stock.waiting("MUG", 9)] == ["ord_late"]
    assert stock.waiting("CUP", 9) == ()


LARGE = 100


def large(quantity: int = 1, cause: str = "ful_large") -> StockChange:
    items = [(f"SKU-{i:03}", "LYON", quantity) for i in range(LARGE)]
    return change(MovementKind.ALLOCATED, *items, cause=cause, at=AT)


@pytest.fixture
def stocked(store: Store) -> Store:
    """A hundred SKUs, two units each."""
    store.filled(**{item.sku: 2 for item in large().items})
    return store


def reserved(stock: Any) -> int:
    assert all(balance.is_even for balance in stock.scan_balances())
    return sum(level.reserved for level in stock.scan_levels())


def test_a_large_change_is_taken_in_batches_once(stocked: Store) -> None:
    stock = stocked.stock
    assert not fits(len(large().items), 0)

    stock.apply_in_batches(large())
    stock.apply_in_batches(large())

    assert reserved(stock) == LARGE


def test_a_large_change_that_meets_a_shortage_is_given_back_whole(stocked: Store) -> None:
    stock = stocked.stock
    stock.apply(allocated(("SKU-090", "LYON", 2)))

    for _ in range(2):
        with pytest.raises(OutOfStock) as refused:
            stock.apply_in_batches(large())
        assert refused.value.shortages == (Shortage("SKU-090", "LYON", 1, 0),)

    assert reserved(stock) == 2


def test_a_large_change_that_was_given_back_stays_so_when_stock_arrives(stocked: Store) -> None:
    stock = stocked.stock
    with pytest.raises(OutOfStock):
        stock.apply_in_batches(large(3))
    stocked.filled(**{item.sku: 9 for item in large().items})

    with pytest.raises(OutOfStock):
        stock.apply_in_batches(large(3))
    assert reserved(stock) == 0

    stock.apply_in_batches(large(3, cause="ful_again"))
    assert reserved(stock) == 3 * LARGE


def test_a_large_allocation_is_undone_once_and_for_good(stocked: Store) -> None:
    stock = stocked.stock
    stock.apply_in_batches(large())

    stock.give_back_batches(large())
    stock.give_back_batches(large())

    assert reserved(stock) == 0
    with pytest.raises(OutOfStock):
        stock.apply_in_batches(large())


def test_an_allocation_undone_before_it_began_never_begins(stocked: Store) -> None:
    stocked.stock.give_back_batches(large())

    with pytest.raises(OutOfStock):
        stocked.stock.apply_in_batches(large())
    assert reserved(stocked.stock) == 0


def test_a_large_shipment_leaves_in_batches_once(stocked: Store) -> None:
    stock = stocked.stock
    stock.apply_in_batches(large())
    shipped = replace(large(), kind=MovementKind.CONSUMED)

    stock.apply_in_batches(shipped)
    stock.apply_in_batches(shipped)

    assert reserved(stock) == 0
    assert sum(level.on_hand for level in stock.scan_levels()) == LARGE


def test_a_large_release_of_what_is_not_reserved_is_refused(stocked: Store) -> None:
    with pytest.raises(NotReserved):
        stocked.stock.apply_in_batches(replace(large(), kind=MovementKind.RELEASED))


class Power(Exception):
    """Cut."""


class CutOff:
    """A client whose power is cut at the k-th request, before or after it took effect."""

    def __init__(self, client: DynamoDB, call: int, *, after: bool) -> None:
        self._client, self._call, self._after, self.calls = client, call, after, 0

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def ask(**request: Any) -> dict[str, Any]:
            self.calls += 1
            if self.calls == self._call and not self._after:
                raise Power
            answer: dict[str, Any] = getattr(self._client, operation)(**request)
            if self.calls == self._call:
                raise Power
            return answer

        return ask


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_table, "MAX_ITEMS_PER_TRANSACTION", 2)


@cloud
@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("call", range(1, 9))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("short", [False, True], ids=["enough", "short"])
def test_a_crash_anywhere_in_the_batches_leaves_nothing_doubled_and_nothing_stranded(
    dynamodb: DynamoDB, stock: StockTable, table: str, call: int, after: bool, short: bool
) -> None:
    skus = [f"S{i}" for i in range(7)]
    for sku in skus:
        stock.receive(sku, "LYON", 5, at=later(), actor="test")
    quantities = dict.fromkeys(skus, 2) | ({"S5": 6} if short else {})
    taking = allocated(*((sku, "LYON", quantity) for sku, quantity in quantities.items()))

    cut = CutOff(dynamodb, call, after=after)
    with suppress(Power, OutOfStock):
        StockTable(cut, table).apply_in_batches(taking)
    assert cut.calls < 8, "or there are requests at which no power cut was tried"
    again = StockTable(dynamodb, table)
    for _ in range(2):
        if short:
            with pytest.raises(OutOfStock):
                again.apply_in_batches(taking)
        else:
            again.apply_in_batches(taking)

    assert reserved(again) == (0 if short else 14)
    assert len(list(moves(dynamodb, table, "S0"))) == (3 if short else 2)


class Overtaken:
    """A client whose first look at the progress is old by the time it acts on it."""

    def __init__(self, client: DynamoDB, meanwhile: Callable[[], None]) -> None:
        self._client, self._meanwhile = client, meanwhile

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    def get_item(self, **request: Any) -> dict[str, Any]:
        answer = self._client.get_item(**request)
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()
        return answer


@cloud
@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("begun", [False, True], ids=["not begun", "begun"])
def test_who_is_overtaken_looks_again(
    dynamodb: DynamoDB, stock: StockTable, table: str, begun: bool
) -> None:
    skus = [f"S{i}" for i in range(5)]
    for sku in skus:
        stock.receive(sku, "LYON", 5, at=later(), actor="test")
    taking = allocated(*((sku, "LYON", 2) for sku in skus))
    if begun:
        with suppress(Power):
            StockTable(CutOff(dynamodb, 3, after=True), table).apply_in_batches(taking)

    slow = Overtaken(dynamodb, lambda: stock.apply_in_batches(taking))
    StockTable(slow, table).apply_in_batches(taking)
    assert reserved(stock) == 10

    slow = Overtaken(dynamodb, lambda: stock.give_back_batches(taking))
    StockTable(slow, table).give_back_batches(taking)
    assert reserved(stock) == 0


@cloud
@pytest.mark.usefixtures("small_batches")
def test_two_that_take_the_same_batches_at_once_take_them_once(stock: StockTable) -> None:
    skus = [f"S{i}" for i in range(9)]
    for sku in skus:
        stock.receive(sku, "LYON", 5, at=later(), actor="test")
    taking = allocated(*((sku, "LYON", 2) for sku in skus))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: stock.apply_in_batches(taking), range(6)))

    assert reserved(stock) == 18


@cloud
@pytest.mark.usefixtures("small_batches")
def test_one_that_takes_and_one_that_undoes_leave_nothing_taken(stock: StockTable) -> None:
    skus = [f"S{i}" for i in range(9)]
    for sku in skus:
        stock.receive(sku, "LYON", 5, at=later(), actor="test")
    taking = allocated(*((sku, "LYON", 2) for sku in skus))

    def take(_: int) -> str:
        try:
            stock.apply_in_batches(taking)
        except OutOfStock:
            return "refused"
        return "taken"

    with ThreadPoolExecutor(4) as threads:
        taken = threads.map(take, range(3))
        threads.submit(stock.give_back_batches, taking).result()

    assert set(taken) <= {"taken", "refused"}
    assert reserved(stock) == 0


def moves(client: DynamoDB, table: str, sku: str) -> Iterator[Any]:
    return query(
        client,
        TableName=table,
        KeyConditionExpression="PK = :pk AND begins_with(SK, :move)",
        ExpressionAttributeValues={":pk": s(f"SKU#{sku}"), ":move": s("MOVE#")},
    )


@cloud
def test_200_buyers_race_for_20_units_and_20_get_one(stock: StockTable) -> None:
    stock.receive("MUG", "LYON", 20, at=later(), actor="test")

    def buy(buyer: int) -> bool:
        try:
            stock.apply(allocated(("MUG", "LYON", 1), cause=f"ful_{buyer}"))
        except OutOfStock:
            return False
        return True

    with ThreadPoolExecutor(24) as threads:
        sold = list(threads.map(buy, range(200)))

    assert sum(sold) == 20
    assert stock.levels(["MUG"])["MUG"] == (Level("MUG", "LYON", 20, 0, 20),)
    assert stock.movement_sums("MUG") == {"LYON": Effect(20, 0, 20)}


@cloud
def test_a_receipt_tells_the_world_in_the_same_transaction(
    dynamodb: DynamoDB, stock: StockTable, table: str
) -> None:
    receipt = stock.receive("MUG", "LYON", 5, at=AT, actor="client:wms")

    (row,) = query(
        dynamodb,
        TableName=table,
        KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
        ExpressionAttributeValues={":pk": s("SKU#MUG"), ":event": s("EVENT#")},
    )

    assert text(row, "id") == receipt.receipt_id
    assert (text(row, "type"), text(row, "actor")) == ("StockReceived", "client:wms")
    told = events.read(text(row, "type"), unpack(row["body"]))
    assert told == StockReceived("MUG", "LYON", 5)


@cloud
def test_a_receipt_at_a_place_that_is_no_location_leaves_no_row_at_all(
    dynamodb: DynamoDB, stock: StockTable, table: str
) -> None:
    before = dynamodb.scan(TableName=table)["Count"]

    with pytest.raises(UnknownLocation):
        stock.receive("MUG", "ATLANTIS", 5, at=AT, actor="test", idempotency_key="k")

    assert dynamodb.scan(TableName=table)["Count"] == before


@cloud
def test_what_is_known_once_is_not_asked_again(stock: StockTable) -> None:
    stock.receive("MUG", "LYON", 5, at=AT, actor="test")
    stock.known(["MUG"])
    stock._client = CutOff(stock._client, 1, after=False)

    assert stock.known(["MUG"]) == {"MUG"}
    with pytest.raises(Power):
        stock.known(["MUG", "CUP"])


@cloud
def test_many_skus_are_read_as_truly_as_few(stock: StockTable) -> None:
    skus = [f"S{i}" for i in range(130)]
    for sku in skus[:120]:
        stock.receive(sku, "LYON", 5, at=later(), actor="test")
    stock.receive("S7", "PARIS", 1, at=later(), actor="test")

    found = stock.levels([*skus, "S7"])

    assert list(found) == skus
    assert found["S7"] == (Level("S7", "LYON", 5, 5, 0), Level("S7", "PARIS", 1, 1, 0))
    assert found["S129"] == ()
    assert found["S7"] == stock.levels(["S7"])["S7"]


@cloud
def test_cooked_books_are_found(dynamodb: DynamoDB, stock: StockTable, table: str) -> None:
    stock.receive("MUG", "LYON", 5, at=AT, actor="test")
    stock.receive("CUP", "LYON", 5, at=AT, actor="test")
    dynamodb.update_item(
        TableName=table,
        Key={"PK": s("SKU#MUG"), "SK": s("LEVEL#LYON")},
        UpdateExpression="SET available = :more",
        ExpressionAttributeValues={":more": {"N": "6"}},
    )

    uneven = [balance.level.sku for balance in stock.scan_balances() if not balance.is_even]

    assert uneven == ["MUG"]


@cloud
@pytest.mark.parametrize("cursor", ["%", encode_cursor({"SK": "LEVEL#LYON"}), "{}"])
def test_a_cursor_leads_nowhere_but_on(stock: StockTable, cursor: str) -> None:
    with pytest.raises(BadCursor):
        stock.movements("MUG", cursor=cursor)


@cloud
def test_a_change_of_three_items_costs_twelve_units(dynamodb: DynamoDB, stock: StockTable) -> None:
    for sku in ("MUG", "CUP", "HAT"):
        stock.receive(sku, "LYON", 5, at=later(), actor="test")
    writes = stock.writes(allocated(("MUG", "LYON", 1), ("CUP", "LYON", 1), ("HAT", "LYON", 1)))

    answer = dynamodb.transact_write_items(
        TransactItems=[write.item for write in writes], ReturnConsumedCapacity="TOTAL"
    )

    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 12


SKUS, PLACES = ("MUG", "CUP"), ("LYON", "PARIS")
items = st.lists(
    st.tuples(st.sampled_from(SKUS), st.sampled_from(PLACES), st.integers(1, 4)),
    min_size=1,
    max_size=4,
)
kinds = st.sampled_from(
    [MovementKind.ALLOCATED, MovementKind.CONSUMED, MovementKind.RELEASED, MovementKind.ADJUSTED]
)


class StockMachine(RuleBasedStateMachine):
    """The stock in the table against levels in a dict, by the domain's own `apply`."""

    stock: StockTable

    def __init__(self) -> None:
        super().__init__()
        self.run = next(ticks)  # every run has SKUs of its own
        self.levels: dict[tuple[str, str], Level] = {}
        self.done: list[StockChange] = []

    @rule(sku=st.sampled_from(SKUS), place=st.sampled_from(PLACES), quantity=st.integers(1, 6))
    def receive(self, sku: str, place: str, quantity: int) -> None:
        receipt = self.stock.receive(self.own(sku), place, quantity, at=later(), actor="test")
        self.expect(receipt.change())

    @rule(kind=kinds, items=items, sign=st.sampled_from([1, -1]), batched=st.booleans())
    def change(
        self, kind: MovementKind, items: list[tuple[str, str, int]], sign: int, batched: bool
    ) -> None:
        sign = sign if kind is MovementKind.ADJUSTED else 1
        asked = change(kind, *((self.own(sku), place, sign * q) for sku, place, q in items))
        deed = self.stock.apply_in_batches if batched else self.stock.apply
        try:
            self.expect(asked)
        except (OutOfStock, NotReserved) as error:
            with pytest.raises(type(error)):
                deed(asked)
        else:
            deed(asked)
            self.done.append(asked)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.done:
            with pytest.raises(DuplicateMovement):
                self.stock.apply(data.draw(st.sampled_from(self.done)))

    @invariant()
    def the_table_agrees(self) -> None:
        skus = [self.own(sku) for sku in SKUS]
        found = {
            (lv.sku, lv.location): lv for lvs in self.stock.levels(skus).values() for lv in lvs
        }
        assert found == self.levels
        assert all(balance.is_even for sku in skus for balance in self.stock.balances(sku))

    def own(self, sku: str) -> str:
        return f"{sku}-{self.run}"

    def expect(self, asked: StockChange) -> None:
        places = [(item.sku, item.location) for item in asked.items]
        self.levels |= {
            place: apply(self.levels.get(place, Level(*place)), asked) for place in places
        }


@cloud
def test_stock_behaves_as_its_model_in_every_history(stock: StockTable) -> None:
    StockMachine.stock = stock
    run_state_machine_as_test(
        StockMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
