"""Days of stock are counted once, whoever dies at it, and are what the movements say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from functions.inventory import api as inventory
from functions.reports import api as reports
from functions.reports.count_inventory import handler
from functions.reports.letters import cell
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import GenerationsTable
from oms.adapters.inventory_days import (
    InventoryDays,
    Kept,
    Overtaken,
    Progress,
    ShelvesTable,
    StockReader,
)
from oms.adapters.items_table import ItemsTable, Wanted
from oms.adapters.stock_ledger import StockLedger
from oms.adapters.stock_table import StockTable
from oms.domain.inventory import AdjustmentReason, MovementKind, StockChange, StockItemChange
from oms.domain.items import Attributes
from oms.domain.locations import Location, LocationKind
from oms.domain.reporting.inventory import REPORT, Shelf
from tests.functions.doors import House, ask, house
from tests.functions.world import Crash, Mortal
from tests.report_rows import Inline

pytestmark = pytest.mark.cloud

__all__ = ["house"]
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NEVER = lambda: False  # noqa: E731


def at(days: int, hours: int = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hours)


def worker(house: House, client: DynamoDB | None = None) -> InventoryDays:
    client = client or house.cloud.client("dynamodb")
    stock, rows = house.environment["STOCK_TABLE"], house.environment["REPORTS_TABLE"]
    return InventoryDays(
        StockReader(client, stock),
        ShelvesTable(client, rows),
        ItemsTable(client, stock),
        FiguresTable(client, rows),
        GenerationsTable(client, rows),
        lambda: "UTC",
        Inline(),  # type: ignore[arg-type]
    )


def ledger(house: House) -> StockLedger:
    return StockLedger(house.cloud.client("dynamodb"), house.environment["STOCK_TABLE"])


def dies(house: House, dies_at: int, *, after: bool = False) -> bool:
    """Whether it lived long enough to."""
    client = Mortal(house.cloud.client("dynamodb"), dies_at, after)
    try:
        worker(house, client).run(NEVER, at(1, 2))
    except Crash:
        return True
    return False


@pytest.fixture
def stock(house: House) -> StockTable:
    """Of two SKUs, one with a cost: what came before Monday, and on it and on Tuesday."""
    table = house.stock
    for place in ("AUSTIN", "RENO"):
        table.put_location(Location(place, place, LocationKind.WAREHOUSE, "US"))
    wanted = Wanted(Attributes(category="kitchen", unit_cost=250, cost_currency="USD"))
    house.items.put("MUG", wanted, at=at(-50), identity="itm_1")
    table.receive("MUG", "AUSTIN", 10, at=at(-40), actor="t")
    table.receive("MUG", "AUSTIN", 5, at=at(0, 9), actor="t")
    table.receive("CUP", "RENO", 2, at=at(0, 10), actor="t")
    ledger(house).adjust("MUG", "AUSTIN", -3, AdjustmentReason.THEFT, at=at(0, 12), actor="t")
    sold = (StockItemChange("MUG", "AUSTIN", 4, "ful_1"),)
    table.apply(StockChange(MovementKind.ALLOCATED, "o", at(1, 8), sold))
    table.apply(StockChange(MovementKind.CONSUMED, "o", at(1, 9), sold))
    return table


def shown(house: House) -> dict[str, dict[str, int]]:
    """Of all days, by their row."""
    return {
        row["SK"]["S"]: {n: int(v["N"]) for n, v in row.items() if "N" in v and n != "n"}
        for row in house.rows("reports")
        if row["PK"]["S"].startswith("FIGURES#inventory.1#")
    }


@pytest.mark.usefixtures("stock")
def test_days_that_are_over_are_counted_with_their_positions_and_movements(house: House) -> None:
    done = worker(house).run(NEVER, at(1, 2))
    assert done == {"days": 1, "items": 2}
    assert worker(house).run(NEVER, at(2, 0)) == {"days": 0, "items": 0}  # the hour of grace
    worker(house).run(NEVER, at(2, 1))

    found = shown(house)
    monday = found["2026-03-02#MUG#AUSTIN#kitchen#USD"]
    assert (monday["on_hand"], monday["received"], monday["theft"]) == (12, 5, 3)
    assert (monday["value"], monday["aged_31_60"], monday["aged_0_30"]) == (3000, 7, 5)
    tuesday = found["2026-03-03#MUG#AUSTIN#kitchen#USD"]
    assert (tuesday["on_hand"], tuesday["sold"], tuesday["aged_31_60"]) == (8, 4, 3)
    assert found["2026-03-03#AUSTIN#kitchen#USD"] == tuesday
    assert found["2026-03-03#RENO##"]["units_without_cost"] == 2


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("together", [1, 25])
def test_whoever_dies_at_any_call_leaves_the_figures_that_one_who_lives_writes(
    house: House, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("oms.adapters.inventory_days.SLICE", together)
    client = house.cloud.client("dynamodb")
    deaths = 0
    for dies_at in range(1, 40):
        for after in (False, True):
            deaths += dies(house, dies_at, after=after)
    worker(house).run(NEVER, at(1, 2))
    worker(house).run(NEVER, at(2, 2))

    assert deaths >= 20
    found = shown(house)
    assert len(found) == 8
    assert found["2026-03-02#MUG#AUSTIN#kitchen#USD"]["on_hand"] == 12
    assert found["2026-03-03#AUSTIN#kitchen#USD"]["on_hand"] == 8
    until = GenerationsTable(client, house.environment["REPORTS_TABLE"]).of("inventory").shown
    assert until
    assert (until.through, until.counted_until) == (2, at(2))


@pytest.mark.usefixtures("stock")
def test_what_an_item_costs_while_a_slice_is_in_hand_is_kept_for_it(
    house: House,
) -> None:
    """The worker dies, somebody changes the cost and the category, another worker goes on."""
    shelves = worker(house).shelves
    for dies_at in range(1, 40):
        dies(house, dies_at)
        generation = worker(house).generations.of("inventory").shown
        progress = shelves.progress(generation) if generation else None
        if progress and progress.taken and shown(house):
            break
    else:
        raise AssertionError("nobody died with a slice in hand")
    before = set(shown(house))
    wanted = Wanted(Attributes(category="cups", unit_cost=1, cost_currency="EUR"))
    house.items.put("MUG", wanted, at=at(1), identity="itm_2")
    worker(house).run(NEVER, at(1, 2))
    worker(house).run(NEVER, at(2, 2))

    found = shown(house)
    assert before <= set(found)
    assert [key for key in found if key.startswith("2026-03-02#MUG")] == [
        "2026-03-02#MUG#AUSTIN#kitchen#USD"
    ]
    assert found["2026-03-03#MUG#AUSTIN#cups#EUR"]["value"] == 8


def test_what_is_told_late_is_told_of_the_day_on_which_it_is_known(
    house: House, stock: StockTable
) -> None:
    worker(house).run(NEVER, at(1, 2))
    stock.receive("MUG", "AUSTIN", 2, at=at(0, 20), actor="t")
    worker(house).run(NEVER, at(2, 2))

    found = shown(house)
    assert found["2026-03-02#MUG#AUSTIN#kitchen#USD"]["on_hand"] == 12
    tuesday = found["2026-03-03#MUG#AUSTIN#kitchen#USD"]
    assert (tuesday["on_hand"], tuesday["told_late"]) == (10, 2)


@pytest.mark.usefixtures("stock")
def test_who_has_no_time_for_all_items_goes_on_where_the_last_one_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oms.adapters.inventory_days.SLICE", 1)
    late: Iterator[bool] = iter([False, False, True])

    assert worker(house).run(lambda: next(late), at(1, 2)) == {"days": 0, "items": 1}
    assert worker(house).run(NEVER, at(1, 2))["days"] == 1
    assert len(shown(house)) == 4


def test_of_two_workers_one_counts(house: House) -> None:
    found = worker(house)
    generation = found.generations.begin("inventory", "UTC", MONDAY, "t")
    first = Progress(MONDAY.date(), MONDAY.date())
    after = found.shelves.save(generation, first)
    with pytest.raises(Overtaken):
        found.shelves.save(generation, first)
    found.shelves.save(generation, after)

    mine = Kept(Shelf(1, 1), ("MUG",), {"on_hand": 1})
    theirs = Kept(Shelf(2, 2), ("MUG",), {"on_hand": 2})
    day = MONDAY.date()
    assert found.shelves.keep(generation, "MUG", "AUSTIN", day, mine) == mine
    assert found.shelves.keep(generation, "MUG", "AUSTIN", day, theirs) == mine
    with pytest.raises(Overtaken):
        found.shelves.keep(generation, "MUG", "AUSTIN", day - timedelta(days=1), theirs)


def test_the_report_is_asked_for_by_sku_and_by_location(house: House) -> None:
    put = {"category": "kitchen", "unit_cost": 250, "cost_currency": "EUR"}
    status, item = ask(inventory, "PUT /items/{sku}", put, sku="MUG")
    assert (status, item["unit_cost"], item["cost_currency"]) == (200, 250, "EUR")
    yesterday = datetime.now(UTC) - timedelta(hours=26)
    house.stock.put_location(Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US"))
    house.stock.receive("MUG", "AUSTIN", 6, at=yesterday, actor="t")
    house.stock.receive("CUP", "AUSTIN", 9, at=yesterday, actor="t")
    assert handler({}, None)["outcome"] == "counted"

    _, found = ask(reports, "GET /reports/inventory", query="group_by=month,sku&sku=MUG")
    (row,) = found["rows"]
    assert (row["sku"], row["on_hand"], row["value"], row["currency"]) == ("MUG", 6, 1500, "EUR")
    _, found = ask(reports, "GET /reports/inventory", query="group_by=category&location=AUSTIN")
    assert [(row["category"], row["on_hand"]) for row in found["rows"]] == [
        ("", 9),
        ("kitchen", 6),
    ]


def test_a_row_without_a_currency_is_mailed_as_units() -> None:
    said = {"value": 0, "on_hand": 1_200, "currency": ""}

    assert [cell(REPORT, name, said) for name in ("on_hand", "value")] == ["1,200", "0"]


def test_a_cost_needs_its_currency(house: House) -> None:
    status, problem = ask(inventory, "PUT /items/{sku}", {"unit_cost": 1}, sku="MUG")

    assert status == 422
    assert problem["errors"][0]["field"] == "cost_currency"
