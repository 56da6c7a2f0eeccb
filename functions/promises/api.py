"""What can be promised to a cart, and how promises were kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from functions.promises.accuracy import rows_of
from oms.adapters.http_api import HttpApi, Request
from oms.adapters.offers import Offers, offers, promised, shelves
from oms.adapters.promise_history import DayOfPromises, promise_history
from oms.contracts.api.promises import (
    AskPromises,
    KeptPromisesReport,
    PromisedLineView,
    PromiseReportQuery,
    PromisesView,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render_offers import promise_view
from oms.domain.network.promising import Promise, methods_of
from oms.domain.routing import Destination

ENVIRONMENT: tuple[str, ...] = ("REPORTS_TABLE", "STOCK_TABLE")

USUAL_DAYS = timedelta(days=30)
MAX_DAYS = timedelta(days=400)

app = HttpApi("PromisesApi")


class History(Protocol):
    def days(self, first: date, last: date) -> Iterator[DayOfPromises]: ...


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/promises")
def post_promises(request: Request) -> PromisesView:
    said, places, at = request.read(AskPromises), shelves(), datetime.now(UTC)
    units = {line.sku: line.quantity for line in said.lines}
    found = offers(places, units, said.channel)
    _known(said, found)
    to = said.destination
    there = Destination(to.country, to.region, to.postal_code)
    told = _by(said.method, promised(places, found, units, there, at))
    if said.method and not told:
        _offered(said.method, methods_of(found.locations, places.network.tables()))
    return PromisesView(
        [_line(sku, quantity, found) for sku, quantity in units.items()],
        [promise_view(each, list(units)) for each in told],
        at,
    )


@app.route("GET", "/reports/promises")
def get_report(request: Request) -> KeptPromisesReport:
    query = request.read_query(PromiseReportQuery)
    return report(query, promise_history(), datetime.now(UTC).date())


def report(query: PromiseReportQuery, history: History, today: date) -> KeptPromisesReport:
    first, last = period(query, today)
    rows = rows_of(history.days(first, last), query.group_by)
    return KeptPromisesReport(first, last, query.group_by, rows)


def period(query: PromiseReportQuery, today: date) -> tuple[date, date]:
    """Without `to` until today, without `from` the last month."""
    last = query.last_day or max(today, query.first_day or today)
    first = query.first_day or max(last, date.min + USUAL_DAYS) - USUAL_DAYS
    if last - first > MAX_DAYS:
        raise InvalidRequest([Fault("from", f"is more than {MAX_DAYS.days} days before to")])
    return first, last


def _known(said: AskPromises, found: Offers) -> None:
    unknown = [
        Fault(f"lines[{place}].sku", "is no SKU that was ever received or created")
        for place, line in enumerate(said.lines)
        if line.sku not in found.offers
    ]
    if unknown:
        raise InvalidRequest(unknown)


def _offered(method: str, methods: Sequence[str]) -> None:
    if method not in methods:
        said = f"is offered by nobody; there is {', '.join(methods)}"
        raise InvalidRequest([Fault("method", said)])


def _by(method: str | None, told: Sequence[Promise]) -> list[Promise]:
    return [each for each in told if method in (None, each.method)]


def _line(sku: str, quantity: int, found: Offers) -> PromisedLineView:
    known = found.offers[sku]
    return PromisedLineView(sku, quantity, known.available, known.expected_on)
