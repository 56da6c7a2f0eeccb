"""Reports, as they are asked for, and their rows made anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from functions.reports.rendering import Answer, as_csv, view
from oms.adapters import dynamodb as db
from oms.adapters.event_log import newest
from oms.adapters.figures import Figures, FiguresTable, figures_table
from oms.adapters.generations import (
    Generation,
    Generations,
    generations_table,
    parsed,
    rebuild_id,
)
from oms.adapters.http_api import HttpApi, Request, Response
from oms.adapters.items_table import items_table
from oms.adapters.policies_table import policies_table
from oms.contracts.api.reports import RebuildReport, RebuildView, ReportQuery, ReportView
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.errors import NotFound
from oms.domain.reporting.catalogue import CUSTOMERS, REPORTS
from oms.domain.reporting.description import DAY, Axis, Report
from oms.domain.reporting.policy import ReportPolicy
from oms.domain.reporting.query import (
    Asked,
    Look,
    Period,
    Plan,
    Row,
    Shift,
    Table,
    Unanswerable,
    compared,
    plan,
    same,
    tabulated,
)
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "REPORTS_TABLE", "STOCK_TABLE")

USUAL_DAYS = timedelta(days=30)
MAX_DAYS = timedelta(days=400)
CSV = "text/csv"
REBUILT = tuple(name for name in REPORTS if name != CUSTOMERS.name)  # it moves with its customers
SKU = "sku"

app = HttpApi("ReportsApi")


@dataclass(frozen=True, slots=True)
class Library:
    """Where the figures of a report are; `generation` None: nothing was counted yet."""

    figures: FiguresTable
    generation: Generation | None
    look: Look

    def table(self, of: Plan, period: Period, shift: Shift) -> Table:
        """What is distinct is added where it belongs: to the rows that are there just so."""
        table = tabulated(of, of.axis, self._rows(of, of.axis, period), self.look, shift)
        for axis in of.distinct:
            found = tabulated(of, axis, self._rows(of, axis, period), self.look, shift)
            for key, figures in found.items():
                if key in table:
                    table[key].update(figures)
        return table

    def _rows(self, of: Plan, axis: Axis, period: Period) -> Iterator[Row]:
        if self.generation is not None:
            for each in self._figures(self.generation, of, axis, period):
                yield Row(each.bucket, each.of, each.figures)

    def _figures(
        self, generation: Generation, of: Plan, axis: Axis, period: Period
    ) -> Iterator[Figures]:
        """Of one SKU day by day: those of a day are many."""
        first, last = of.buckets(period)
        if of.grain == DAY and axis.of[0] == SKU and SKU in of.asked.filters:
            days = (period.first + timedelta(days=n) for n in range(period.days))
            buckets = (day.isoformat() for day in days)
            return self.figures.rows_of(generation, axis.name, buckets, of.asked.filters[SKU])
        return self.figures.rows(generation, axis.name, first, last)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


def get_report(report: Report, request: Request) -> Response | ReportView:
    query, more = read(report, request)
    present = generations_table().of(report.name).shown
    library = Library(figures_table(), present, look_up)
    answer = answered(report, query, more, library, datetime.now(UTC))
    if query.format == "csv" or (query.format is None and wants_csv(request)):
        name = f'attachment; filename="{report.name}.csv"'
        headers = {"content-type": f"{CSV}; charset=utf-8", "content-disposition": name}
        return Response(200, as_csv(answer), headers)
    return view(answer)


for each in REPORTS.values():
    app.route("GET", f"/reports/{each.name}")(partial(get_report, each))


@app.route("POST", "/reports/rebuilds")
def post_rebuild(request: Request) -> RebuildView:
    """Its rows are made anew, of all that was ever told; until then those that are there stay."""
    wanted = request.read(RebuildReport).report
    if wanted not in REBUILT:
        raise InvalidRequest([Fault("report", f"is none of {', '.join(REBUILT)}")])
    zone = policies_table().newest("reports", ReportPolicy).document.time_zone
    table = generations_table()
    started = table.begin(wanted, zone, datetime.now(UTC), request.actor)
    return rebuild_view(started, table.of(wanted), segments())


@app.route("GET", "/reports/rebuilds/{rebuild_id}")
def get_rebuild(request: Request) -> RebuildView:
    report, number = parsed(request.path["rebuild_id"])
    present = generations_table().of(report)
    if (found := present.of(number)) is None:
        raise NotFound("rebuild", request.path["rebuild_id"])
    return rebuild_view(found, present, segments())


def read(report: Report, request: Request) -> tuple[ReportQuery, dict[str, str]]:
    """What every report can be asked, and values that only this one has."""
    own = set(report.dimensions) - set(ReportQuery.model_fields)
    more = {name: values[-1] for name, values in request.query.items() if name in own}
    rest = {
        name: values[0] if len(values) == 1 else values
        for name, values in request.query.items()
        if name not in own
    }
    return ReportQuery.read(rest), more


def answered(
    report: Report,
    query: ReportQuery,
    more: Mapping[str, str],
    library: Library,
    now: datetime,
) -> Answer:
    try:
        return _answered(report, query, more, library, now)
    except Unanswerable as error:
        raise InvalidRequest([Fault(error.name, error.reason)]) from None


def _answered(
    report: Report,
    query: ReportQuery,
    more: Mapping[str, str],
    library: Library,
    now: datetime,
) -> Answer:
    kept = library.generation.time_zone if library.generation else "UTC"
    zone = query.time_zone or kept
    asked = Asked(
        period(query, now.astimezone(ZoneInfo(zone)).date()),
        report.default if query.groups is None else query.groups,
        {**query.filters, **more},
        zone,
        kept,
    )
    of = plan(report, asked)
    table = library.table(of, asked.period, same)
    until = library.generation.counted_until if library.generation else None
    if query.compare is None:
        return Answer(of, table, counted_until=until)
    earlier, shift = compared(asked.period, query.compare)
    return Answer(of, table, earlier, library.table(of, earlier, shift), until)


def period(query: ReportQuery, today: date) -> Period:
    """Without `to` until today, or as long as may be asked for; without `from` the last month."""
    last = query.last_day or _until(query.first_day, today)
    return Period(query.first_day or _shifted(last, -USUAL_DAYS), last)


def look_up(name: str, skus: Iterable[str]) -> Mapping[str, str]:
    """Categories of SKUs, as they are now."""
    if name != "category":
        return {}
    found = items_table().resolve(skus)
    return {sku: item.attributes.category for sku, item in found.items()}


def segments() -> int:
    return newest(db.client(), setting("REPORTS_TABLE"))


def rebuild_view(generation: Generation, present: Generations, last: int) -> RebuildView:
    building, live = generation.number > present.live, generation.number == present.live
    return RebuildView(
        rebuild_id(generation),
        generation.report,
        "building" if building else "live" if live else "retired",
        generation.time_zone,
        generation.through,
        last,
        generation.asked_at,
        generation.asked_by,
        generation.counted_until,
    )


def wants_csv(request: Request) -> bool:
    return request.headers.get("accept", "").strip().lower().startswith(CSV)


def _until(first: date | None, today: date) -> date:
    return today if first is None else min(max(today, first), _shifted(first, MAX_DAYS))


def _shifted(day: date, by: timedelta) -> date:
    """As far as the calendar goes."""
    ordinal = day.toordinal() + by.days
    return date.fromordinal(min(max(ordinal, date.min.toordinal()), date.max.toordinal()))
