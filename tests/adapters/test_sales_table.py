from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.sales_table import CHUNK, Market, Sale, SalesTable
from tests.builders import NOW
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

WEB = Market("web", "USD")
DAY = date(2026, 3, 2)


@pytest.fixture
def name(dynamodb: Any) -> str:
    return create_table(dynamodb, "reports", f"reports-{uuid4().hex[:12]}")


@pytest.fixture
def sales(dynamodb: Any, name: str) -> SalesTable:
    return SalesTable(dynamodb, name)


def sale(number: int, **changes: Any) -> Sale:
    figures = {"orders": 1, "units": number, "gross": 100 * number}
    said = Sale(f"ord_{number}#000001", f"ord_{number}", DAY, WEB, figures, places=True)
    return replace(said, **changes)


def figures(sales: SalesTable, first: date = DAY, last: date = DAY) -> list[dict[str, int]]:
    return [dict(row.figures) for row in sales.days(first, last)]


def test_events_of_a_day_add_up(sales: SalesTable) -> None:
    sales.count([sale(1), sale(2)], NOW)
    sales.count([sale(3)], NOW)

    assert figures(sales) == [{"orders": 3, "units": 6, "gross": 600}]


def test_an_event_counts_once_however_often_and_with_whomever_it_comes(sales: SalesTable) -> None:
    sales.count([sale(1), sale(1)], NOW)
    sales.count([sale(1)], NOW)
    sales.count([sale(1), sale(2), sale(2)], NOW)
    sales.count([sale(1), sale(2)], NOW)

    assert figures(sales) == [{"orders": 2, "units": 3, "gross": 300}]


def test_an_event_that_does_not_place_is_marked_as_well(sales: SalesTable) -> None:
    cancelled = sale(1, places=False, event_id="ord_1#000004", figures={"cancelled_units": 2})
    for _ in range(2):
        sales.count([sale(1), cancelled], NOW)

    assert figures(sales) == [{"orders": 1, "units": 1, "gross": 100, "cancelled_units": 2}]


def test_a_full_chunk_of_different_rows_fits_one_transaction(sales: SalesTable) -> None:
    each = [sale(n, market=Market(f"shop-{n}", "EUR")) for n in range(1, CHUNK + 1)]

    sales.count(each, NOW)

    assert len(figures(sales)) == CHUNK


def test_days_come_in_order_and_only_those_asked_for(sales: SalesTable) -> None:
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 28), date(2026, 3, 1)]
    sales.count([sale(n, day=day) for n, day in enumerate(reversed(days), 1)], NOW)

    found = [row.day for row in sales.days(date(2025, 12, 31), date(2026, 2, 28))]

    assert found == ["2025-12-31", "2026-01-01", "2026-02-28"]
    assert figures(sales, date(1, 1, 1), date(1, 1, 2)) == []
    assert figures(sales, date(9999, 12, 30), date(9999, 12, 31)) == []


def test_channel_and_currency_are_told_apart_whatever_the_channel_is_called(
    sales: SalesTable,
) -> None:
    markets = [Market("web", "EUR"), Market("web", "USD"), Market("web:de-1.x", "EUR")]
    sales.count([sale(n, market=market) for n, market in enumerate(markets, 1)], NOW)

    assert [Market(row.channel, row.currency) for row in sales.days(DAY, DAY)] == markets


def test_where_an_order_was_sold_is_known_after_it_was_counted(sales: SalesTable) -> None:
    sales.count([sale(1, market=Market("till", "JPY"))], NOW)

    assert sales.markets(["ord_1", "ord_2", "ord_1"]) == {"ord_1": Market("till", "JPY")}


def test_markers_expire_and_figures_do_not(sales: SalesTable, dynamodb: Any, name: str) -> None:
    sales.count([sale(1), sale(1, places=False, event_id="ord_1#000002", figures={})], NOW)
    rows = dynamodb.scan(TableName=name)["Items"]

    expiring = {row["PK"]["S"].partition("#")[0] for row in rows if "expires_at" in row}

    assert expiring == {"ORDER", "SEEN"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2])
def test_a_worker_that_dies_leaves_nothing_counted_twice(
    sales: SalesTable, dynamodb: Any, name: str, dies_at: int, after: bool
) -> None:
    sales.count([sale(1)], NOW)  # so that the chunk is refused first, and written without it
    mortal = SalesTable(Mortal(dynamodb, dies_at, after), name)
    with suppress(Crash):  # the first call is refused: there is no moment after it took effect
        mortal.count([sale(1), sale(2)], NOW)

    sales.count([sale(1), sale(2)], NOW)

    assert figures(sales) == [{"orders": 2, "units": 3, "gross": 300}]
