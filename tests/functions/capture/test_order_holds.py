"""Holds by the API, and by rules as orders are placed, over real tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.capture import api
from functions.inventory import order_deadlines
from functions.policies import api as policies_api
from infra.local.client import Json
from oms.adapters.agenda import agenda
from oms.adapters.hold_rules import hold_rules
from oms.adapters.order_reader import OrderReader
from oms.adapters.policies_table import policies_table
from oms.domain.agenda import Due, DueKind
from oms.domain.screening import HoldPolicy
from tests.functions.capture.test_api import basket, place
from tests.functions.doors import House, ask, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud
HOLDS = "/orders/{order_id}/holds"
FAR = timedelta(days=400)


@pytest.fixture
def order(house: House) -> Json:
    house.stocked("MUG", 50)
    _, order = place(basket())
    return dict(order)


def rule(when: Json | None = None, **then: Any) -> None:
    """The only one that holds orders from now on."""
    document = {"rules": [{"name": "rule", "when": when or {}, "then": {"type": "fraud", **then}}]}
    version = policies_table().newest("holds", HoldPolicy).version
    said = {"version": version, "document": document}
    status, _ = ask(policies_api, "PUT /policies/{policy}", said, policy="holds")
    assert status == 200


def hold(order: Json, **said: Any) -> tuple[int, Any]:
    return ask(api, f"POST {HOLDS}", {"reason": "odd", **said}, order_id=order["order_id"])


def release(order: Json, hold_id: str = "hold_1") -> tuple[int, Any]:
    route = f"POST {HOLDS}/{{hold_id}}/release"
    return ask(api, route, {"reason": "fine"}, order_id=order["order_id"], hold_id=hold_id)


def deadlines() -> list[Due]:
    return agenda().due(datetime.now(UTC) + FAR, 10)


def come(due: Due) -> Json:
    """The agenda acts on it, when its time has come."""
    order_deadlines.HANDLERS[due.kind](order_deadlines.desk(), due.subject, due.at)
    agenda().done(due)
    return dict(ask(api, "GET /orders/{order_id}", order_id=due.subject)[1])


def test_a_hold_says_what_it_blocks_and_until_when(order: Json) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)

    _, held = hold(order, type="promise_date", blocks=["fulfillment"], until=until.isoformat())

    (shown,) = held["holds"]
    assert (shown["type"], shown["blocks"]) == ("promise_date", ["fulfillment"])
    assert datetime.fromisoformat(shown["until"]) == until
    assert deadlines() == [Due(DueKind.RELEASE_HOLD, order["order_id"], until)]


def test_a_hold_that_names_no_steps_is_told_with_those_that_it_blocks(order: Json) -> None:
    _, held = hold(order)

    assert held["holds"][0]["blocks"] == ["routing", "fulfillment"]
    assert deadlines() == []


def test_a_hold_that_keeps_money_back_is_looked_after(order: Json) -> None:
    hold(order, blocks=["refund"])

    (due,) = deadlines()
    shown = come(due)

    assert shown["attention"]
    assert shown["holds"][0]["released_at"] is None


def test_who_released_a_hold_is_told_and_the_others_stay(order: Json) -> None:
    hold(order)
    hold(order, type="address")

    _, shown = release(order)

    first, second = shown["holds"]
    assert (first["released_by"], first["release_reason"]) == ("client:shop", "fine")
    assert (second["released_at"], second["type"]) == (None, "address")


def test_a_hold_is_released_by_itself_when_its_time_has_come(order: Json) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    hold(order, until=until.isoformat())
    hold(order)

    (due,) = deadlines()
    shown = come(due)

    assert [each["released_by"] for each in shown["holds"]] == ["system", ""]
    assert deadlines() == []


def test_a_hold_that_was_released_before_its_time_is_not_released_again(order: Json) -> None:
    hold(order, until=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    _, before = release(order)

    (due,) = deadlines()

    assert come(due)["holds"] == before["holds"]


@pytest.mark.parametrize(
    "said",
    [
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "2030-01-01T00:00:00"},
        {"until": 1900000000},
        {"blocks": ["payment"]},
        {"blocks": "refund"},
        {"type": "odd"},
    ],
)
def test_a_hold_that_makes_no_sense_is_refused_and_not_laid(order: Json, said: Json) -> None:
    status, problem = hold(order, **said)

    assert status == 422
    assert problem["errors"][0]["field"].startswith(next(iter(said)))
    assert ask(api, "GET /orders/{order_id}", order_id=order["order_id"])[1]["holds"] == []


def test_a_rule_holds_what_it_speaks_of_and_nothing_else(house: House) -> None:
    house.stocked("MUG", 50)
    rule({"min_risk": 60})

    _, risky = place(basket(risk={"score": 60, "provider": "stripe"}))
    _, plain = place(basket(risk={"score": 59}))

    assert [(each["type"], each["reason"]) for each in risky["holds"]] == [("fraud", "rule")]
    assert plain["holds"] == []
    assert [each["type"] for each in events(risky)] == ["OrderPlaced", "HoldPlaced"]


def events(order: Json) -> list[Json]:
    found = ask(api, "GET /orders/{order_id}/events", order_id=order["order_id"])[1]
    return list(found["items"])


def test_many_orders_of_one_customer_in_a_short_time_are_held(house: House) -> None:
    house.stocked("MUG", 50)
    rule({"velocity": {"orders": 3, "minutes": 60}})

    held = [bool(place(basket())[1]["holds"]) for _ in range(4)]
    _, stranger = place(basket(customer={"email": "bob@example.com", "name": "Bob"}))

    assert held == [False, False, True, True]
    assert stranger["holds"] == []


def test_a_first_order_is_told_from_a_second(house: House) -> None:
    house.stocked("MUG", 50)
    rule({"first_order": True})

    assert [bool(place(basket())[1]["holds"]) for _ in range(2)] == [True, False]


def test_the_same_order_again_is_as_it_was_whatever_the_rules_say_now(house: House) -> None:
    house.stocked("MUG", 50)
    body = basket()
    _, first = place(body)
    rule()

    assert place(body) == (200, first)


def test_a_remorse_window_opens_with_the_order_and_closes_by_itself(house: House) -> None:
    house.stocked("MUG", 50)
    rule(type="remorse", blocks=["fulfillment"], release_after_minutes=30)

    _, order = place(basket())
    (due,) = deadlines()

    assert order["holds"][0]["type"] == "remorse"
    assert due.at - datetime.fromisoformat(order["placed_at"]) == timedelta(minutes=30)
    assert come(due)["holds"][0]["released_at"]


def test_within_the_window_a_customer_may_cancel(house: House) -> None:
    house.stocked("MUG", 50)
    rule(type="remorse", release_after_minutes=30)
    _, order = place(basket())

    status, cancelled = ask(api, "POST /orders/{order_id}/cancel", {}, order_id=order["order_id"])

    assert (status, cancelled["status"]) == (200, "cancelled")
    (due,) = deadlines()
    assert come(due)["status"] == "cancelled"


def test_where_no_rule_asks_placing_reads_the_policy_once_and_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stocked("MUG", 50)
    rule({"tags": ["odd"]})
    reads: list[str] = []

    def noted(what: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*said: Any) -> Any:
            reads.append(what)
            return ask(*said)

        return noting

    table = policies_table()
    before = OrderReader.placed_before
    monkeypatch.setattr(OrderReader, "placed_before", noted("customer", before))
    monkeypatch.setattr(table, "_glance", noted("policy", table._glance))

    for _ in range(3):
        place(basket())

    assert reads == ["policy"]


def test_a_guest_has_no_earlier_orders(house: House) -> None:
    house.stocked("MUG", 50)
    rule({"velocity": {"orders": 2, "minutes": 60}})

    held = [place(basket(customer=None))[1]["holds"] for _ in range(2)]

    assert held == [[], []]
    assert hold_rules().policy().looks_back == 1
