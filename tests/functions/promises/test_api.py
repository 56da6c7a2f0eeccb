"""What a cart is promised, and what a report says of promises that were made."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.inventory import api as inventory
from functions.promises import api
from oms.adapters.network_table import NetworkTable
from oms.adapters.promise_history import Ended, PromiseHistory
from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import Calendar, CutOff
from oms.domain.network.lanes import Lane, Measured
from oms.domain.network.rates import Card, Charge, Transit, Zone
from oms.domain.promising.measuring import Outcome
from tests.functions.doors import House, ask, house
from tests.functions.world import now

pytestmark = pytest.mark.cloud
__all__ = ["house"]

PROMISES, REPORT = "POST /promises", "GET /reports/promises"
EVERY_DAY = tuple(range(7))
CARD = Card(
    "ups",
    zones=(Zone("home", "US"),),
    charges=(Charge("standard", "home", "USD", 500), Charge("express", "home", "USD", 900)),
    transits=(
        Transit("standard", "home", 2, 3, EVERY_DAY),
        Transit("express", "home", 1, 1, EVERY_DAY),
    ),
)
CALENDAR = Calendar("America/Chicago", cut_offs=(CutOff("standard", 1_020),))
LANE = Lane("ups", "standard", "home", "AUSTIN")
AUSTIN = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", calendar=CALENDAR)


@pytest.fixture
def network(house: House) -> NetworkTable:
    table = NetworkTable(house.cloud.client("dynamodb"), house.environment["STOCK_TABLE"])
    table.put_location(AUSTIN)
    table.put_location(Location("RENO", "Reno", LocationKind.STORE, "US", fixed_cost=200))
    table.change_card("ups", lambda _: CARD)
    for sku, where, units in (("MUG", "AUSTIN", 5), ("CUP", "RENO", 5)):
        house.stock.receive(sku, where, units, at=now(), actor="test")
    return table


@pytest.fixture
def history(house: House) -> PromiseHistory:
    return PromiseHistory(house.cloud.client("dynamodb"), house.environment["REPORTS_TABLE"])


def asked(*lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    return {
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines or (("MUG", 1),)],
        "destination": {"country": "US", "region": "NY", "postal_code": "10001"},
        **more,
    }


def promises(*lines: tuple[str, int], **more: Any) -> dict[str, Any]:
    status, answer = ask(api, PROMISES, asked(*lines, **more))
    assert status == 200, answer
    return {each["method"]: each for each in answer["promises"]}


def faults(body: Any) -> list[str]:
    status, problem = ask(api, PROMISES, body)
    assert (status, problem["type"]) == (422, "urn:oms:invalid-request")
    return [fault["field"] for fault in problem["errors"]]


@pytest.mark.usefixtures("network")
def test_each_method_tells_when_it_leaves_and_when_it_is_there() -> None:
    found = promises(("MUG", 2))
    standard = found["standard"]
    ship_on = datetime.fromisoformat(standard["legs"][0]["ship_by"]) - timedelta(minutes=1)

    assert set(found) == {"standard", "express"}
    assert standard["deliver_by"] == str(_local(ship_on) + timedelta(days=3))
    assert (standard["cost"], standard["locations"]) == (500, ["AUSTIN"])
    assert (standard["basis"], standard["confidence"], standard["parcels"]) == (
        "tables",
        None,
        None,
    )
    assert standard["legs"][0]["basis"] == {
        "source": "tables",
        "carrier": "ups",
        "method": "standard",
        "zone": "home",
        "card_version": 1,
        "days": 3,
        "cut_off": "17:00",
    }


@pytest.mark.usefixtures("network")
def test_what_lies_apart_comes_in_two_and_all_of_it_by_the_later_day() -> None:
    found = promises(("MUG", 1), ("CUP", 1), method="standard")

    assert set(found) == {"standard"}
    legs = found["standard"]["legs"]
    assert [(leg["location_id"], leg["skus"]) for leg in legs] == [
        ("AUSTIN", ["MUG"]),
        ("RENO", ["CUP"]),
    ]
    assert found["standard"]["deliver_by"] == max(leg["deliver_by"] for leg in legs)


@pytest.mark.usefixtures("network")
def test_what_there_is_not_enough_of_is_not_promised_and_said_how_much_there_is() -> None:
    status, answer = ask(api, PROMISES, asked(("MUG", 6)))

    assert (status, answer["promises"]) == (200, [])
    assert answer["lines"] == [{"sku": "MUG", "quantity": 6, "available": 5}]


@pytest.mark.usefixtures("network")
def test_the_figures_of_availability_are_the_same() -> None:
    query = "sku=MUG&country=US&postal_code=10001"
    _, answer = ask(inventory, "GET /availability", query=query)

    assert {each["method"]: each for each in answer["promises"]} == promises()


def test_a_measured_lane_is_promised_as_it_was_measured(network: NetworkTable) -> None:
    before = date.fromisoformat(promises()["standard"]["deliver_by"])
    network.learn([Measured(LANE, 5, parcels=100, on_time=97, confidence=90)], now())

    found = promises()["standard"]

    assert date.fromisoformat(found["deliver_by"]) == before + timedelta(days=2)
    assert (found["basis"], found["confidence"], found["parcels"]) == ("measured", 90, 100)
    assert found["legs"][0]["basis"]["on_time"] == 97


@pytest.mark.parametrize(("earlier", "days"), [(False, 0), (True, 2)])
def test_a_measured_lane_is_promised_sooner_than_the_table_by_policy_only(
    network: NetworkTable, earlier: bool, days: int
) -> None:
    before = date.fromisoformat(promises()["standard"]["deliver_by"])
    network.learn([Measured(LANE, 1, 100, 97, 90, earlier)], now())

    found = promises()["standard"]

    assert date.fromisoformat(found["deliver_by"]) == before - timedelta(days=days)
    assert found["basis"] == "measured"


def test_two_parcels_are_less_sure_than_each_and_one_unknown_makes_all_unknown(
    network: NetworkTable,
) -> None:
    both = [Measured(LANE, 3, 100, 97, 95)]
    network.learn(both, now())
    assert promises(("MUG", 1), ("CUP", 1))["standard"]["basis"] == "tables"

    reno = Lane("ups", "standard", "home", "RENO")
    network.learn([*both, Measured(reno, 3, 40, 40, 90)], now())
    found = promises(("MUG", 1), ("CUP", 1))["standard"]
    assert (found["confidence"], found["parcels"]) == (85, 40)


def test_what_is_not_measured_any_more_is_promised_by_the_table(network: NetworkTable) -> None:
    network.learn([Measured(LANE, 9, 100, 97, 90)], now())
    network.learn([], now())

    assert promises()["standard"]["basis"] == "tables"


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["lines", "destination"]),
        (asked(("UFO", 1), ("MUG", 1)), ["lines[0].sku"]),
        (asked(("MUG", 0)), ["lines[0].quantity"]),
        (asked(("MUG", 1), ("MUG", 2)), ["lines[1].sku"]),
        (asked(method="rocket"), ["method"]),
        (asked(at="2026-11-27T00:00:00Z"), ["at"]),
        ({**asked(), "destination": {"country": "XX"}}, ["destination.country"]),
    ],
)
def test_bad_input_is_told_by_its_field(body: Any, fields: list[str]) -> None:
    assert faults(body) == fields


def test_a_report_counts_each_promise_by_who_kept_it(house: House, history: PromiseHistory) -> None:
    assert house
    other = Lane("dhl", "express", "far", "RENO")
    counted = [
        Outcome(date(2026, 11, 3), LANE, 0, 2, 1),
        Outcome(date(2026, 11, 4), LANE, -1, 1, 0),
        Outcome(date(2026, 11, 4), LANE, 3, 6, 2),
        Outcome(date(2026, 11, 9), other, 1),
        Outcome(date(2026, 10, 9), other, 9),
    ]
    history.count([Ended(f"ful_{n}", each) for n, each in enumerate(counted)], now())
    query = "from=2026-11-01&to=2026-11-30"

    _, by_location = ask(api, REPORT, query=query)
    _, by_carrier = ask(api, REPORT, query=f"{query}&group_by=carrier")

    assert by_location["rows"] == [
        {
            "group": "AUSTIN",
            "promised": 3,
            "on_time": 2,
            "late": 1,
            "early": 1,
            "share_on_time": 0.6667,
            "mean_days_late": 3.0,
            "mean_handling_days": 1.0,
            "mean_transit_days": 3.0,
        },
        {
            "group": "RENO",
            "promised": 1,
            "on_time": 0,
            "late": 1,
            "early": 0,
            "share_on_time": 0.0,
            "mean_days_late": 1.0,
        },
    ]
    assert [row["group"] for row in by_carrier["rows"]] == ["dhl", "ups"]


@pytest.mark.usefixtures("house")
def test_a_report_is_of_the_last_month_unless_asked_and_of_a_year_at_most() -> None:
    _, answer = ask(api, REPORT)
    today = now().date()

    assert (answer["first_day"], answer["last_day"]) == (str(today - timedelta(30)), str(today))
    for query, field in (
        ("from=2024-01-01&to=2026-01-01", "from"),
        ("from=2026-02-01&to=2026-01-01", "to"),
        ("group_by=moon", "group_by"),
    ):
        status, problem = ask(api, REPORT, query=query)
        assert (status, problem["errors"][0]["field"]) == (422, field)


def _local(at: datetime) -> date:
    return at.astimezone(ZoneInfo(CALENDAR.time_zone)).date()
