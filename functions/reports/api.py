"""What was sold, by day, channel and currency."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from oms.adapters.http_api import HttpApi, Request
from oms.adapters.sales_table import FIGURES, DayOfSales, sales_table
from oms.contracts.api.staff import SalesQuery
from oms.contracts.api.views import SalesReport, SalesRow
from oms.contracts.invalid import Fault, InvalidRequest

ENVIRONMENT: tuple[str, ...] = ("REPORTS_TABLE",)

USUAL_DAYS = timedelta(days=30)
MAX_DAYS = timedelta(days=400)

app = HttpApi("ReportsApi")


class Sales(Protocol):
    def days(self, first: date, last: date) -> Iterable[DayOfSales]: ...


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/reports/sales")
def get_sales(request: Request) -> SalesReport:
    return report(request.read_query(SalesQuery), sales_table(), datetime.now(UTC).date())


def report(query: SalesQuery, sales: Sales, today: date) -> SalesReport:
    first, last = period(query, today)
    rows = sales.days(first, last)
    wanted = (row for row in rows if query.channel in (None, row.channel))
    return SalesReport([_row(row) for row in wanted])


def period(query: SalesQuery, today: date) -> tuple[date, date]:
    """Without `to` until today, or as long as may be asked for; without `from` the last month."""
    last = query.last_day or _until(query.first_day, today)
    first = query.first_day or _shifted(last, -USUAL_DAYS)
    if last - first > MAX_DAYS:
        raise InvalidRequest([Fault("from", f"is more than {MAX_DAYS.days} days before to")])
    return first, last


def _until(first: date | None, today: date) -> date:
    return today if first is None else min(max(today, first), _shifted(first, MAX_DAYS))


def _shifted(day: date, by: timedelta) -> date:
    """As far as the calendar goes."""
    ordinal = day.toordinal() + by.days
    return date.fromordinal(min(max(ordinal, date.min.toordinal()), date.max.toordinal()))


def _row(row: DayOfSales) -> SalesRow:
    shown = [name for name in SalesRow.__struct_fields__ if name in FIGURES]
    figures = {name: row.figures.get(name, 0) for name in shown}
    return SalesRow(day=row.day, channel=row.channel, currency=row.currency, **figures)
