"""The network's API over a real table."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.network import api
from oms.adapters.capacity_slots import CapacitySlots
from oms.adapters.dynamodb import DynamoDB, transact
from oms.adapters.network_table import NetworkTable
from oms.contracts.api.network import CapacityQuery
from oms.contracts.routes import ROUTES
from oms.domain.network.capacity import CapacityChange
from tests.tables import create_table

pytestmark = pytest.mark.cloud

PARIS: dict[str, Any] = {"name": "Paris", "country": "FR", "postal_code": "75001"}
ZONES = "zone,country,postal_prefix\nnear,US,100\nfar,US,\n"
CHARGES = "method,zone,currency,base,per_kg\nstandard,near,USD,500,50\nstandard,far,USD,700,90\n"
TRANSITS = "method,zone,min_days,max_days,weekdays\nstandard,near,1,2,mon tue wed thu fri\n"


@pytest.fixture(autouse=True)
def slots(dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> CapacitySlots:
    name = create_table(dynamodb, "stock", f"stock-{uuid4()}")
    table, slots = NetworkTable(dynamodb, name), CapacitySlots(dynamodb, name)
    monkeypatch.setattr(api, "network_table", lambda: table)
    monkeypatch.setattr(api, "capacity_slots", lambda: slots)
    return slots


@pytest.fixture
def network(slots: CapacitySlots) -> NetworkTable:
    """Of the same table."""
    return NetworkTable(slots._client, slots._table)


def ask(route: str, body: Any = None, query: str = "", csv: str | bytes = "", **path: str) -> Any:
    """The status and the body of the answer: read, unless it is CSV."""
    told = csv.decode("latin-1") if isinstance(csv, bytes) else csv
    answer = api.handler(
        {
            "routeKey": route,
            "pathParameters": path,
            "rawQueryString": query,
            "headers": {"content-type": "text/csv" if csv else "application/json"},
            "body": told or ("" if body is None else json.dumps(body)),
            "requestContext": {"authorizer": {"jwt": {"claims": {"client_id": "wms"}}}},
        },
        None,
    )
    is_csv = answer["headers"]["content-type"].startswith("text/csv")
    return answer["statusCode"], answer["body"] if is_csv else json.loads(answer["body"])


def put(said: dict[str, Any], location: str = "PARIS") -> Any:
    return ask("PUT /locations/{location}", said, location=location)


def put_csv(table: str, csv: str | bytes, carrier: str = "ups") -> Any:
    return ask("PUT /rates/{carrier}/{table}", csv=csv, carrier=carrier, table=table)


def rated() -> None:
    for table, csv in (("zones", ZONES), ("charges", CHARGES), ("transits", TRANSITS)):
        status, _ = put_csv(table, csv)
        assert status == 200


def mondays(opens: str, closes: str) -> dict[str, Any]:
    return {"opening": [{"weekday": "mon", "opens": opens, "closes": closes}]}


def faults(problem: Any) -> list[str]:
    return [fault["field"] for fault in problem["errors"]]


def test_the_api_serves_exactly_its_routes() -> None:
    assert api.app.routes == {(r.method, r.path) for r in ROUTES if r.function_id == "NetworkApi"}


def test_a_location_is_opened_changed_and_listed() -> None:
    status, answer = put(PARIS | {"fixed_cost": 450, "unit_cost": 15})
    put(PARIS | {"active": False}, "LYON")

    assert (status, answer["location_id"], answer["kind"]) == (200, "PARIS", "warehouse")
    assert (answer["fixed_cost"], answer["time_zone"]) == (450, "UTC")
    assert answer["place"]["precision"] == "postal_code"
    _, listed = ask("GET /locations")
    assert [(each["location_id"], each["active"]) for each in listed["items"]] == [
        ("LYON", False),
        ("PARIS", True),
    ]
    assert ask("GET /locations/{location}", location="PARIS") == (200, answer)
    assert ask("GET /locations/{location}", location="ROME")[0] == 404


def test_a_location_says_everything_back_that_it_was_told() -> None:
    said = PARIS | {
        "kind": "store",
        "latitude": 48.85,
        "longitude": 2.35,
        "time_zone": "Europe/Paris",
        "opening": [
            {"weekday": "mon", "opens": "09:00", "closes": "12:30"},
            {"weekday": "mon", "opens": "13:30", "closes": "24:00"},
        ],
        "holidays": ["2026-12-25"],
        "cut_offs": [{"method": "standard", "at": "14:00"}],
        "handling_minutes": 90,
        "daily_capacity": 40,
        "methods": ["standard", "express"],
        "handles": ["hazmat"],
        "tags": ["flagship"],
        "pickup": True,
    }

    _, answer = put(said)

    assert {name: answer[name] for name in said} == said
    assert answer["place"] == {"latitude": 48.85, "longitude": 2.35, "precision": "exact"}


def test_public_holidays_are_looked_up_when_the_location_is_saved() -> None:
    _, answer = put(PARIS | {"public_holidays": "DE-BY"})

    this_year = datetime.now(UTC).year
    assert f"{this_year}-01-06" in answer["public_days"]
    assert f"{this_year + 2}-12-25" in answer["public_days"]
    assert faults(put(PARIS | {"public_holidays": "DE-QQ"})[1]) == ["public_holidays"]


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"fixed_cost": -1}, "fixed_cost"),
        ({"kind": "moon"}, "kind"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"latitude": 90.5, "longitude": 0}, "latitude"),
        ({"latitude": 1, "longitude": -181}, "longitude"),
        ({"latitude": 1}, "longitude"),
        ({"opening": []}, "opening"),
        (mondays("9:00", "17:00"), "opening[0].opens"),
        (mondays("09:00", "24:01"), "opening[0].closes"),
        (mondays("17:00", "09:00"), "opening[0].closes"),
        ({"holidays": ["25.12.2026"]}, "holidays[0]"),
        ({"cut_offs": [{"method": "s", "at": "14"}]}, "cut_offs[0].at"),
        ({"cut_offs": [{"method": "s", "at": "14:00"}] * 2}, "cut_offs[1].method"),
        ({"daily_capacity": -1}, "daily_capacity"),
        ({"handling_minutes": True}, "handling_minutes"),
        ({"public_holidays": "Bavaria"}, "public_holidays"),
        ({"outages": []}, "outages"),
    ],
)
def test_a_location_that_is_none_is_refused_by_its_name(
    fault: dict[str, Any], field: str, network: NetworkTable
) -> None:
    status, problem = put(PARIS | fault)

    assert (status, faults(problem)) == (422, [field])
    assert network.locations() == ()


def test_openings_of_one_day_may_not_overlap() -> None:
    opening = [
        {"weekday": "tue", "opens": "12:00", "closes": "18:00"},
        {"weekday": "tue", "opens": "08:00", "closes": "12:01"},
        {"weekday": "wed", "opens": "08:00", "closes": "18:00"},
    ]

    assert faults(put(PARIS | {"opening": opening})[1]) == ["opening[0].opens"]


def start_outage(said: dict[str, Any], location: str = "PARIS") -> Any:
    return ask("POST /locations/{location}/outages", said, location=location)


def end_outage(outage: str, location: str = "PARIS") -> Any:
    return ask("POST /locations/{location}/outages/{outage}/end", location=location, outage=outage)


def test_an_outage_begins_once_ends_once_and_outlives_changes_of_its_location() -> None:
    put(PARIS)
    said = {"from": "2026-11-23T12:00:00+01:00", "reason": "flood"}

    status, begun = start_outage(said)
    again = start_outage(said)
    _, changed = put(PARIS | {"name": "Paris 2"})
    (outage,) = begun["outages"]
    _, ended = end_outage(outage["outage_id"])

    assert status == 200
    assert again == (200, begun)
    assert outage | {"outage_id": ""} == {
        "outage_id": "",
        "from": "2026-11-23T11:00:00Z",
        "reason": "flood",
    }
    assert changed["outages"] == begun["outages"]
    assert "until" in ended["outages"][0]
    assert end_outage(outage["outage_id"]) == (200, ended)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "from"),
        ({"from": "2026-11-23T12:00:00"}, "from"),
        ({"from": 1_700_000_000}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"from": "2026-11-23T12:00:00Z", "until": "2026-11-23T12:00:00Z"}, "until"),
    ],
)
def test_an_outage_that_is_none_is_refused_by_its_name(said: dict[str, Any], field: str) -> None:
    put(PARIS)

    status, problem = start_outage(said)

    assert (status, faults(problem)) == (422, [field])


def test_nothing_fails_at_a_place_that_is_no_location() -> None:
    assert start_outage({"from": "2026-11-23T12:00:00Z"}, "ATLANTIS")[0] == 404
    assert end_outage("out_1", "ATLANTIS")[0] == 404
    put(PARIS)
    assert end_outage("out_1")[0] == 404


def test_each_ship_day_shows_what_it_has_taken(slots: CapacitySlots, dynamodb: DynamoDB) -> None:
    put(PARIS | {"daily_capacity": 50})
    day = date(2026, 11, 27)
    taken = slots.writes([CapacityChange("PARIS", day, 30)], {"PARIS": 50})
    transact(dynamodb, taken)
    route = "GET /locations/{location}/capacity"

    status, answer = ask(route, query="from=2026-11-26&to=2026-11-27", location="PARIS")

    assert status == 200
    assert answer["items"] == [
        {"day": "2026-11-26", "used": 0, "limit": 50, "left": 50},
        {"day": "2026-11-27", "used": 30, "limit": 50, "left": 20},
    ]
    assert len(ask(route, location="PARIS")[1]["items"]) == 14
    long = "from=2026-11-26&to=2027-11-27"
    assert faults(ask(route, query=long, location="PARIS")[1]) == ["to"]
    assert faults(ask(route, query="to=9999-12-31", location="PARIS")[1]) == ["to"]


def test_a_last_day_alone_shows_what_is_up_to_it() -> None:
    today = datetime.now(UTC).date()

    def shown(**asked: date) -> list[date]:
        query = CapacityQuery.read({name: day.isoformat() for name, day in asked.items()})
        return api.days_of(query, today)

    assert shown(to=today - timedelta(3)) == [today - timedelta(3)]
    assert shown(to=today + timedelta(1)) == [today, today + timedelta(1)]
    assert len(shown(to=today + timedelta(900))) == 62


def test_a_card_is_put_by_json_and_each_change_is_a_version() -> None:
    card = {
        "zones": [{"zone": "far", "country": "US", "min_km": 100}],
        "charges": [{"method": "standard", "zone": "far", "currency": "USD", "base": 500}],
        "transits": [{"method": "standard", "zone": "far", "min_days": 1, "max_days": 2}],
    }
    route = "PUT /rates/{carrier}"

    status, first = ask(route, card, carrier="ups")
    _, again = ask(route, card, carrier="ups")
    _, second = ask(route, card | {"cm3_per_kg": 6_000}, carrier="ups")

    assert (status, first["version"], again, second["version"]) == (200, 1, first, 2)
    assert first["transits"][0]["weekdays"] == ["mon", "tue", "wed", "thu", "fri"]
    assert ask("GET /rates/{carrier}", query="version=1", carrier="ups") == (200, first)
    assert ask("GET /rates/{carrier}", carrier="ups") == (200, second)
    assert ask("GET /rates/{carrier}", query="version=3", carrier="ups")[0] == 404
    assert ask("GET /rates")[1]["items"] == [
        {
            "carrier": "ups",
            "version": 2,
            "currency": "USD",
            "methods": ["standard"],
            "zones": 1,
            "charges": 1,
            "transits": 1,
        }
    ]


def test_a_card_is_not_emptied_by_what_says_nothing(network: NetworkTable) -> None:
    for said in ({}, {"cm3_per_kg": 6_000}):
        refused = ask("PUT /rates/{carrier}", said, carrier="ups")[1]
        assert faults(refused) == ["zones", "charges"]
    assert faults(ask("PUT /rates/{carrier}", carrier="ups")[1]) == ["body"]
    assert network.cards() == ()


def test_every_bad_row_of_a_card_is_named() -> None:
    card = {
        "zones": [
            {"zone": "far", "country": "US", "postal_prefix": "10001"},
        ],
        "charges": [],
    }
    loose = {
        "zones": [{"zone": "far", "country": "US"}, {"zone": "near", "country": "US"}],
        "charges": [
            {"method": "standard", "zone": "moon", "currency": "USD", "base": 500},
            {"method": "express", "zone": "far", "currency": "EUR", "base": 500},
            {"method": "express", "zone": "far", "currency": "USD", "base": 1, "max_g": 10},
        ],
        "transits": [{"method": "standard", "zone": "far", "min_days": 3, "max_days": 2}],
    }

    assert faults(ask("PUT /rates/{carrier}", card, carrier="ups")[1]) == ["zones[0].postal_prefix"]
    assert faults(ask("PUT /rates/{carrier}", loose, carrier="ups")[1]) == [
        "zones[1].zone",
        "charges[0].zone",
        "charges[2].max_g",
        "charges[2].zone",
        "transits[0].max_days",
        "charges[1].currency",
    ]


def test_a_card_goes_out_as_the_csv_that_it_came_in_by() -> None:
    rated()

    for table, csv in (("zones", ZONES), ("charges", CHARGES), ("transits", TRANSITS)):
        status, told = ask("GET /rates/{carrier}/{table}", carrier="ups", table=table)
        assert status == 200
        assert put_csv(table, told)[1]["version"] == 3
        header, first = told.splitlines()[:2]
        asked = csv.splitlines()
        assert set(asked[0].split(",")) <= set(header.split(","))
        assert set(asked[1].split(",")) <= set(first.split(","))


def test_every_bad_row_of_a_csv_is_named_by_line_column_and_reason_and_none_is_taken(
    network: NetworkTable,
) -> None:
    rated()
    csv = (
        "method,zone,currency,base,per_kg\n"
        "standard,near,USD,500,\n"
        "\n"
        "express,moon,USD,900,0\n"
        "standard,far,XXX,5.5,-1\n"
        "standard,far\n"
    )

    status, problem = put_csv("charges", csv)
    _, again = put_csv(
        "charges", csv.replace("XXX,5.5,-1", "USD,5,1").replace("far\n", "far,USD,1,\n")
    )

    assert status == 422
    assert faults(problem) == ["line 5: currency", "line 5: base", "line 5: per_kg", "line 6"]
    assert again["errors"] == [
        {"field": "line 4: zone", "reason": "is no zone of this carrier"},
        {"field": "line 6: zone", "reason": "is told twice for the same"},
    ]
    assert network.card("ups").version == 3


def test_a_zone_that_charges_use_cannot_be_dropped(network: NetworkTable) -> None:
    rated()

    _, problem = put_csv("zones", "zone,country\nfar,US\n")

    assert faults(problem) == ["charges[0].zone", "transits[0].zone"]
    assert len(network.card("ups").zones) == 2


@pytest.mark.parametrize(
    ("csv", "field"),
    [
        ("zone;country\n", "line 1: zone;country"),
        ("zone,moon\n", "line 1: moon"),
        ("zone,country,zone\n", "line 1: zone"),
        ("\n\n", "line 1"),
        ('zone,country\n"far,US\n', "line 2"),
    ],
)
def test_a_file_that_is_no_table_is_refused(csv: str, field: str) -> None:
    status, problem = put_csv("zones", csv)

    assert status == 422
    assert field in faults(problem)


def test_a_table_comes_as_csv_and_there_are_three(network: NetworkTable) -> None:
    route = "PUT /rates/{carrier}/{table}"

    assert ask(route, {"zones": []}, carrier="ups", table="zones")[0] == 415
    assert put_csv("moons", ZONES)[0] == 422
    assert put_csv("zones", ZONES, carrier="no such carrier")[0] == 422
    assert network.cards() == ()


def test_all_carriers_charge_in_one_currency(network: NetworkTable) -> None:
    rated()
    put_csv("zones", ZONES, carrier="dhl")

    status, problem = put_csv("charges", CHARGES.replace("USD", "EUR"), carrier="dhl")
    alone, _ = put_csv("charges", CHARGES.replace("USD", "EUR"))

    assert status == 409
    assert "EUR" in problem["detail"]
    assert alone == 200  # dhl charges nothing yet


def test_a_cell_that_a_spreadsheet_would_run_goes_out_quoted_and_comes_in_as_it_was() -> None:
    put_csv("zones", ZONES)
    csv = "method,zone,currency,base\n'=cmd(),far,USD,1\n"

    _, answer = put_csv("charges", csv)
    _, told = ask("GET /rates/{carrier}/{table}", carrier="ups", table="charges")

    assert answer["charges"][0]["method"] == "=cmd()"
    assert told.splitlines()[1].startswith("'=cmd()")
