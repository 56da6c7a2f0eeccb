"""Reports as they are asked for: by what, of which days, compared with what."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.reports import api
from functions.reports.api import Library, answered, app
from functions.reports.rendering import Answer, as_csv, view
from oms.adapters.policies_table import SavedPolicy
from oms.contracts.api import ReportQuery
from oms.contracts.invalid import InvalidRequest
from oms.contracts.routes import ROUTES
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.reporting.catalogue import SALES
from oms.domain.reporting.description import Axis, Report, less
from oms.domain.reporting.policy import ReportPolicy
from oms.domain.routing import Destination
from tests.builders import Story, line, placement
from tests.projecting import Reports

TODAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
CATEGORIES = {"MUG": "kitchen", "CUP": "kitchen", "PEN": "desk"}


def sold(external_id: str, at: str, **said: Any) -> Story:
    lines = said.pop("lines", (line(1, sku="MUG", quantity=2, unit_price=500, discount=100),))
    placed_at = datetime.fromisoformat(at).astimezone(UTC)
    said = {"placed_at": placed_at, "customer_id": f"cus_{external_id}", **said}
    return Story(placement(*lines, external_id=external_id, **said))


FRANCE = Destination("FR", "", "75001")


def world() -> list[Story]:
    return [
        sold("1", "2026-02-10T10:15:00+00:00"),
        sold("2", "2026-02-10T23:30:00+00:00", channel="till"),
        sold("3", "2026-02-11T09:00:00+00:00", customer_id="cus_1", destination=FRANCE),
        sold("4", "2026-01-05T09:00:00+00:00", currency="EUR", destination=FRANCE),
        sold("5", "2025-02-10T09:00:00+00:00", lines=(line(1, sku="PEN", quantity=7),)),
        sold("6", "2026-02-28T12:00:00+00:00", lines=(line(1, sku="CUP"), line(2, sku="PEN"))),
    ]


@pytest.fixture(scope="module")
def reports() -> Reports:
    ours = Reports()
    ours.tell(*world())
    ours.run()
    return ours


def library(reports: Reports) -> Library:
    shown = reports.generations.of("sales").shown
    return Library(reports.table, shown, lambda _, skus: {x: CATEGORIES[x] for x in skus})


def asked(reports: Reports, **query: str) -> Answer:
    given = {name.rstrip("_"): value for name, value in query.items()}
    return answered(SALES, ReportQuery.read(given), {}, library(reports), TODAY)


def rows(reports: Reports, *names: str, **query: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in asked(reports, **query).items()]


FEBRUARY = {"from": "2026-02-01", "to": "2026-02-28"}


def test_it_answers_its_routes_and_no_others() -> None:
    ours = {(route.method, route.path) for route in ROUTES if route.function_id == "ReportsApi"}

    assert app.routes == ours


def test_every_day_is_told_by_channel_and_currency(reports: Reports) -> None:
    found = rows(reports, "day", "channel", "currency", "orders", "gross", "discounts", "net")

    assert found == [
        ("2026-02-10", "till", "USD", 1, 1000, 100, 900),
        ("2026-02-10", "web", "USD", 1, 1000, 100, 900),
        ("2026-02-11", "web", "USD", 1, 1000, 100, 900),
        ("2026-02-28", "web", "USD", 1, 2000, 0, 2000),
    ]


def test_months_and_countries_tell_their_customers_too(reports: Reports) -> None:
    query = {**FEBRUARY, "group_by": "month,country"}

    found = rows(reports, "month", "country", "orders", "units", "customers", **query)

    assert found == [("2026-02", "FR", 1, 2, 1), ("2026-02", "US", 3, 6, 3)]
    assert rows(reports, "month", "customers", **{**query, "group_by": "month"}) == [("2026-02", 3)]


@pytest.mark.parametrize(
    "query",
    [
        {**FEBRUARY, "group_by": "day,country"},
        {**FEBRUARY, "group_by": "month,channel"},
        {**FEBRUARY, "group_by": "month", "channel": "web"},
        {"from": "2026-02-02", "to": "2026-02-28", "group_by": "month"},
    ],
)
def test_customers_are_not_told_where_they_would_be_counted_twice_or_by_half(
    reports: Reports, query: dict[str, str]
) -> None:
    assert "customers" not in asked(reports, **query).items()[0]


@pytest.mark.parametrize(
    ("by", "first"),
    [
        ("hour", "2026-02-10T10"),
        ("week", "2026-W07"),
        ("quarter", "2026-Q1"),
        ("year", "2026"),
    ],
)
def test_times_are_told_as_they_are_called(reports: Reports, by: str, first: str) -> None:
    assert rows(reports, by, **FEBRUARY, group_by=by)[0] == (first,)


def test_units_are_told_by_sku_and_by_category(reports: Reports) -> None:
    by_sku = rows(reports, "sku", "units", **FEBRUARY, group_by="sku")
    by_category = rows(reports, "category", "units", **FEBRUARY, group_by="category")

    assert by_sku == [("CUP", 1), ("MUG", 6), ("PEN", 1)]
    assert by_category == [("desk", 1), ("kitchen", 7)]
    assert rows(reports, "sku", **FEBRUARY, group_by="sku", category="desk") == [("PEN",)]


def test_money_of_two_currencies_is_never_added_up(reports: Reports) -> None:
    answer = asked(reports, from_="2026-01-01", to="2026-02-28", group_by="country")

    found = [(row["country"], row["currency"], row["orders"]) for row in answer.items()]
    assert found == [("FR", "EUR", 1), ("FR", "USD", 1), ("US", "USD", 3)]
    totals = [(row["currency"], row["orders"], row["net"]) for row in answer.totals()]
    assert totals == [("EUR", 1, 900), ("USD", 4, 4700)]


def test_a_channel_or_a_country_may_be_asked_for(reports: Reports) -> None:
    assert rows(reports, "orders", **FEBRUARY, group_by="month", channel="till") == [(1,)]
    assert rows(reports, "orders", **FEBRUARY, group_by="month", country="FR") == [(1,)]


def test_a_period_is_compared_with_the_one_before_and_with_last_year(reports: Reports) -> None:
    query = {**FEBRUARY, "group_by": "month", "currency": "USD"}
    (year,) = asked(reports, **query, compare="last_year").items()
    both = asked(reports, **FEBRUARY, group_by="month,country", compare="previous")

    assert (year["units"], year["before"]["units"], year["before"]["orders"]) == (8, 7, 1)
    assert view(both).compared_with is not None
    assert view(both).compared_with.first_day == "2026-01-01"  # type: ignore[union-attr]
    found = {
        (r["country"], r["currency"]): (r["orders"], r["before"]["orders"]) for r in both.items()
    }
    assert found == {("FR", "EUR"): (0, 1), ("FR", "USD"): (1, 0), ("US", "USD"): (3, 0)}
    assert {row["currency"]: row["before"]["orders"] for row in both.totals()} == {
        "EUR": 1,
        "USD": 0,
    }


def test_days_are_compared_with_the_same_days_of_the_period_before(reports: Reports) -> None:
    query = {"from": "2026-02-11", "to": "2026-02-11", "group_by": "day", "compare": "previous"}

    ((day, now, before),) = [
        (row["day"], row["orders"], row["before"]["orders"])
        for row in asked(reports, **query).items()
    ]

    assert (day, now, before) == ("2026-02-11", 1, 2)


def test_days_of_another_time_zone_are_made_of_hours(reports: Reports) -> None:
    query = {**FEBRUARY, "group_by": "day", "channel": "till"}

    assert rows(reports, "day", **query) == [("2026-02-10",)]
    assert rows(reports, "day", **query, time_zone="Europe/Paris") == [("2026-02-11",)]
    assert rows(reports, "day", **query, time_zone="America/New_York") == [("2026-02-10",)]


def test_a_rebuilt_report_has_the_days_of_its_own_time_zone() -> None:
    ours = Reports(zone="Asia/Kolkata")
    ours.tell(*world())
    ours.run()

    assert rows(ours, "day", **FEBRUARY, group_by="day", channel="till") == [("2026-02-11",)]


REFUSED: list[tuple[dict[str, str], str, str]] = [
    ({"group_by": "sku,country"}, "group_by", "do not go together; these do: channel"),
    ({"group_by": "planet"}, "group_by", "knows no planet: there are hour, day"),
    ({"group_by": "sku", "channel": "web"}, "group_by", "do not go together"),
    ({"group_by": "day,day"}, "group_by", "names something twice"),
    ({"from": "2024-01-01", "to": "2026-02-27"}, "from", "is more than 400 days before to"),
    ({"from": "2025-01-01", "to": "2026-01-15", "group_by": "sku"}, "from", "more than 92 days"),
    ({"from": "2025-01-01", "to": "2025-12-31", "group_by": "hour"}, "from", "more than 92 days"),
    ({"group_by": "day", "time_zone": "Asia/Kolkata"}, "time_zone", "is not whole hours from UTC"),
    ({"group_by": "sku", "time_zone": "Europe/Paris"}, "time_zone", "can only be UTC for these"),
    ({"group_by": "sku,hour"}, "group_by", "has no hours for these"),
    ({"time_zone": "Mars/Base"}, "time_zone", "is no time zone of the IANA database"),
    ({"to": "9999-12-31", "group_by": "hour"}, "from", "is too far away for hours"),
    ({"from": "0001-01-01", "to": "0001-01-02", "compare": "previous"}, "compare", "look back"),
    ({"from": "2026-02-01", "to": "2026-01-01"}, "to", "is before from"),
    ({"colour": "red"}, "colour", "not permitted"),
]


@pytest.mark.parametrize(("query", "field", "reason"), REFUSED)
def test_what_cannot_be_answered_is_refused_with_what_can(
    reports: Reports, query: dict[str, str], field: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(reports, **query)

    (fault,) = refused.value.faults
    assert fault.field == field
    assert reason in fault.reason


def test_whole_months_may_be_many_and_cost_a_row_each(reports: Reports) -> None:
    reports.rows.calls.clear()
    found = rows(reports, "year", "orders", from_="2020-01-01", to="2026-02-28", group_by="year")

    assert found == [("2025", 1), ("2026", 1), ("2026", 4)]
    assert reports.rows.calls["query"] == 7 + 1  # a partition for each year; the generation
    assert reports.rows.calls["rows"] <= 10


def test_what_is_read_depends_on_days_and_not_on_orders() -> None:
    def read(orders: int) -> int:
        ours = Reports()
        ours.tell(*(sold(str(n), "2026-02-10T10:15:00+00:00") for n in range(orders)))
        ours.run()
        ours.rows.calls.clear()
        asked(ours, **FEBRUARY, group_by="day,country")
        return int(ours.rows.calls["rows"])

    assert read(40) == read(2) <= 3


def test_a_report_is_had_as_a_file_without_formulas(reports: Reports) -> None:
    ours = Reports()
    ours.tell(sold("1", "2026-02-10T10:15:00+00:00", lines=(line(1, sku="=1+1"),)))
    ours.run()
    shown = ours.generations.of("sales").shown
    query = ReportQuery.read({**FEBRUARY, "group_by": "sku", "compare": "previous"})
    answer = answered(SALES, query, {}, Library(ours.table, shown, lambda *_: {}), TODAY)

    (row,) = csv.DictReader(io.StringIO(as_csv(answer)))

    assert (row["sku"], row["currency"], row["units"], row["net"]) == ("'=1+1", "USD", "1", "1000")
    assert row["before_units"] == "0"


def test_nothing_was_counted_yet() -> None:
    answer = asked(Reports(), **FEBRUARY)

    assert (answer.items(), answer.totals(), answer.counted_until) == ([], [], None)


@pytest.mark.parametrize(
    ("query", "period"),
    [
        ({}, ("2026-01-31", "2026-03-02")),
        ({"from": "2026-03-01"}, ("2026-03-01", "2026-03-02")),
        ({"to": "2011-12-31"}, ("2011-12-01", "2011-12-31")),
        ({"from": "2010-12-01"}, ("2010-12-01", "2012-01-05")),
        ({"from": "2027-01-01"}, ("2027-01-01", "2027-01-01")),
        ({"from": "0001-01-01", "to": "0001-01-02"}, ("0001-01-01", "0001-01-02")),
        ({"to": "9999-12-31"}, ("9999-12-01", "9999-12-31")),
    ],
)
def test_without_days_it_is_the_last_month(
    reports: Reports, query: dict[str, str], period: tuple[str, str]
) -> None:
    shown = view(asked(reports, **query)).period

    assert (shown.first_day, shown.last_day) == period


def test_what_is_cancelled_is_taken_off_at_what_it_cost() -> None:
    story = sold("1", "2026-03-01T10:00:00+00:00", lines=(line(1, quantity=3, discount=100),))
    story.do(c.CancelOrder("one", (Quantity("line_1", 1),)))
    story.do(c.CancelOrder("all"))
    ours = Reports()
    ours.tell(story)
    ours.run()

    (row,) = asked(ours, group_by="year").items()

    assert (row["gross"], row["discounts"], row["cancelled"], row["net"]) == (3000, 100, 2900, 0)
    assert (row["cancelled_orders"], row["cancelled_units"]) == (1, 3)


def test_what_was_shipped_is_told_by_the_location_that_it_left() -> None:
    story = sold("1", "2026-03-01T10:00:00+00:00", lines=(line(1, quantity=3, discount=100),))
    story.authorized().routed(("austin", {"line_1": 2}), ("reno", {"line_1": 1}))
    story.shipped(1).shipped(2)
    ours = Reports()
    ours.tell(story)
    ours.run()
    query = {"from": "2026-03-01", "to": "2026-03-05", "group_by": "location"}

    found = [
        (row["location"], row["shipped_units"], row["shipped_net"])
        for row in asked(ours, **query).items()
    ]

    assert found == [("austin", 2, 1933), ("reno", 1, 967)]


class Served:
    """The API over a table in memory."""

    def __init__(self, reports: Reports) -> None:
        self.reports = reports

    def ask(self, route: str, query: str = "", **more: Any) -> dict[str, Any]:
        event = {"routeKey": route, "rawQueryString": query, **more}
        return api.handler(event, None)


@pytest.fixture
def served(reports: Reports, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setenv("REPORTS_TABLE", "reports")
    monkeypatch.setattr("oms.adapters.dynamodb.client", lambda: reports.rows)
    monkeypatch.setattr(api, "generations_table", lambda: reports.generations)
    monkeypatch.setattr(api, "figures_table", lambda: reports.table)
    return Served(reports)


@pytest.mark.parametrize(("query", "headers"), [("&format=csv", {}), ("", {"Accept": "text/csv"})])
def test_csv_comes_by_what_is_asked_for(
    served: Served, query: str, headers: Mapping[str, str]
) -> None:
    answer = served.ask("GET /reports/sales", f"to=2026-02-28{query}", headers=headers)

    assert answer["headers"]["content-type"].startswith("text/csv")
    assert answer["body"].startswith("day,channel,currency,orders,")


def test_json_says_how_fresh_it_is(served: Served) -> None:
    said = json.loads(served.ask("GET /reports/sales", "from=2026-02-01&to=2026-02-28")["body"])

    assert said["group_by"] == ["day", "channel", "currency"]
    assert said["period"] == {"from": "2026-02-01", "to": "2026-02-28"}
    assert datetime.fromisoformat(said["counted_until"]) > TODAY - timedelta(days=9_999)
    assert len(said["rows"]) == 4


def test_rows_are_made_anew_and_how_far_that_is_can_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = Reports()
    ours.tell(*world())
    ours.run()
    monkeypatch.setenv("REPORTS_TABLE", "reports")
    monkeypatch.setattr("oms.adapters.dynamodb.client", lambda: ours.rows)
    monkeypatch.setattr(api, "generations_table", lambda: ours.generations)
    monkeypatch.setattr(api, "figures_table", lambda: ours.table)

    class Policies:
        def newest(self, *_: Any) -> Any:
            return SavedPolicy(ReportPolicy("Europe/Paris"))

    monkeypatch.setattr(api, "policies_table", Policies)
    served = Served(ours)

    begun = served.ask("POST /reports/rebuilds", body='{"report": "sales"}')
    again = served.ask("POST /reports/rebuilds", body='{"report": "sales"}')
    strange = served.ask("POST /reports/rebuilds", body='{"report": "tea leaves"}')
    of: Any = {"pathParameters": {"rebuild_id": "sales-2"}}
    before = json.loads(served.ask("GET /reports/rebuilds/{rebuild_id}", **of)["body"])
    ours.run()
    after = json.loads(served.ask("GET /reports/rebuilds/{rebuild_id}", **of)["body"])
    other: Any = {"pathParameters": {"rebuild_id": "sales-9"}}

    assert [begun["statusCode"], again["statusCode"], strange["statusCode"]] == [200, 409, 422]
    assert (before["status"], before["done"], before["segments"]) == ("building", 0, 1)
    assert (after["status"], after["done"], after["time_zone"]) == ("live", 1, "Europe/Paris")
    assert served.ask("GET /reports/rebuilds/{rebuild_id}", **other)["statusCode"] == 404


def test_figures_without_an_axis_of_currencies_have_one_total() -> None:
    axis = Axis("all", ("carrier",), ("sent", "lost"))
    kept = less("kept", "sent", "lost")
    plain = Report("parcels", (axis,), (kept,), default=("carrier",), always=())

    answer = answered(
        plain, ReportQuery.read({}), {}, Library(Reports().table, None, lambda *_: {}), TODAY
    )

    assert (answer.items(), answer.totals()) == ([], [])
