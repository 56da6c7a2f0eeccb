"""The report of customers, as it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.reports.api import Library, answered
from oms.adapters.figures import FiguresTable
from oms.adapters.lifetimes import LifetimeFigures, LifetimesTable
from oms.adapters.projections import Engine
from oms.adapters.projector import Projector
from oms.contracts.api import ReportQuery
from oms.contracts.invalid import InvalidRequest
from oms.domain.reporting.catalogue import CUSTOMERS
from oms.domain.reporting.customers import Customers
from tests.builders import Story, line, placement
from tests.projecting import NEVER, TODAY, Reports
from tests.report_rows import Inline


def sold(external_id: str, who: str, day: str, **said: Any) -> Story:
    placed_at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    lines = (line(1, quantity=2, unit_price=500, discount=100),)
    said = {"placed_at": placed_at, "customer_id": f"cus_{who}", **said}
    return Story(placement(*lines, external_id=external_id, **said))


@pytest.fixture(scope="module")
def library() -> Library:
    """The oldest order is told last."""
    ours, threads = Reports(), Inline()
    figures = FiguresTable(ours.rows, "reports")
    ours.tell(sold("2", "ada", "2026-02-05"), sold("3", "bob", "2026-02-06"))
    ours.tell(sold("4", "ada", "2026-02-05", channel="till"), sold("5", "guest_1", "2026-02-05"))
    ours.tell(sold("1", "ada", "2026-01-20"))
    sink = LifetimeFigures(LifetimesTable(ours.rows, "customers"), figures, lambda _: None)
    unused: Any = threads
    engine = Engine(ours.rows, "reports", ours.histories, unused, lambda: TODAY, figures=sink)
    Projector(
        ours.log, engine, ours.generations, figures, (Customers(),), lambda: "UTC", unused
    ).run(NEVER, TODAY)
    return Library(figures, ours.generations.of("customers").shown, lambda *_: {})


def rows(library: Library, *names: str, **query: str) -> list[tuple[Any, ...]]:
    said = {"from": "2026-01-01", "to": "2026-02-28", **query}
    answer = answered(CUSTOMERS, ReportQuery.read(said), {}, library, TODAY)
    return [tuple(row.get(name) for name in names) for row in answer.items()]


def test_new_and_returning_customers_of_a_month(library: Library) -> None:
    names = ("month", "customers", "new_customers", "returning_customers", "returning_orders")
    assert rows(library, *names, group_by="month") == [
        ("2026-01", 1, 1, 0, 0),
        ("2026-02", 2, 1, 1, 2),
    ]


def test_new_and_returning_customers_of_a_day_and_channel(library: Library) -> None:
    names = ("day", "channel", "customers", "new_customers", "returning_customers")
    assert rows(library, *names, group_by="day,channel", **{"from": "2026-02-05"}) == [
        ("2026-02-05", "till", 1, 0, 1),
        ("2026-02-05", "web", 1, 0, 1),
        ("2026-02-06", "web", 1, 1, 0),
    ]


def test_cohorts_by_the_month_and_by_the_months_since(library: Library) -> None:
    names = ("cohort", "month", "customers", "orders", "net")
    assert rows(library, *names, group_by="cohort,month") == [
        ("2026-01", "2026-01", 1, 1, 900),
        ("2026-01", "2026-02", 1, 2, 1_800),
        ("2026-02", "2026-02", 1, 1, 900),
    ]
    since = rows(library, "cohort", "months_since", "orders", group_by="cohort,months_since")
    assert since == [("2026-01", "0", 1), ("2026-01", "1", 2), ("2026-02", "0", 1)]
    assert rows(library, "cohort", "lifetime_value", group_by="cohort") == [
        ("2026-01", 2_700),
        ("2026-02", 900),
    ]


def test_a_cohort_has_no_channel(library: Library) -> None:
    with pytest.raises(InvalidRequest):
        rows(library, group_by="cohort,channel")
