from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from functions.reports.api import app, report
from oms.adapters.sales_table import DayOfSales
from oms.contracts.api import SalesQuery
from oms.contracts.invalid import InvalidRequest
from oms.contracts.routes import ROUTES

TODAY = date(2026, 3, 2)


class Sales:
    def __init__(self) -> None:
        self.asked: tuple[date, date] | None = None

    def days(self, first: date, last: date) -> Iterator[DayOfSales]:
        self.asked = first, last
        yield DayOfSales("2026-03-01", "till", "USD", {"orders": 1, "units": 2, "gross": 500})
        yield DayOfSales("2026-03-01", "web", "USD", {"orders": 3, "cancelled_orders": 1})


def asked(**query: str) -> tuple[date, date] | None:
    sales = Sales()
    report(SalesQuery.read(query), sales, TODAY)
    return sales.asked


def test_it_answers_its_routes_and_no_others() -> None:
    ours = {(route.method, route.path) for route in ROUTES if route.function_id == "ReportsApi"}

    assert app.routes == ours


def test_every_day_is_told_by_channel_and_currency() -> None:
    rows = report(SalesQuery.read({}), Sales(), TODAY).items

    told = [(row.channel, row.orders, row.units, row.gross, row.cancelled_orders) for row in rows]
    assert told == [("till", 1, 2, 500, 0), ("web", 3, 0, 0, 1)]


def test_a_channel_may_be_asked_for() -> None:
    rows = report(SalesQuery.read({"channel": "web"}), Sales(), TODAY).items

    assert [row.channel for row in rows] == ["web"]


@pytest.mark.parametrize(
    ("query", "period"),
    [
        ({}, ("2026-01-31", "2026-03-02")),
        ({"from": "2026-03-01"}, ("2026-03-01", "2026-03-02")),
        ({"to": "2011-12-31"}, ("2011-12-01", "2011-12-31")),
        ({"from": "2010-12-01"}, ("2010-12-01", "2012-01-05")),
        ({"from": "2027-01-01"}, ("2027-01-01", "2027-01-01")),
        ({"to": "0001-01-05"}, ("0001-01-01", "0001-01-05")),
        ({"from": "9999-12-31"}, ("9999-12-31", "9999-12-31")),
    ],
)
def test_half_a_period_is_completed(query: dict[str, str], period: tuple[str, str]) -> None:
    assert asked(**query) == tuple(map(date.fromisoformat, period))


def test_too_long_a_period_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(**{"from": "2010-01-01", "to": "2012-01-01"})

    assert [fault.field for fault in refused.value.faults] == ["from"]


def test_a_wrong_day_is_told_apart_from_a_failure() -> None:
    event: dict[str, Any] = {"routeKey": "GET /reports/sales", "rawQueryString": "from=yesterday"}

    assert app.handle(event, None)["statusCode"] == 422
