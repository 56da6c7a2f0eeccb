"""The API of routing over real tables: rule sets from their first version to their roll-back,
simulations, explanations, and what it makes of requests that mean no good.
"""

from __future__ import annotations

import json
import random
import string
from itertools import count
from typing import Any

import pytest

from functions.routing import api
from functions.routing.api import must_pass
from functions.routing.rule_documents import rule_set_of
from oms.adapters.http_api import Problem
from oms.adapters.rule_sets_table import RuleSetsTable
from oms.contracts.api.routing import RuleSetGiven
from oms.contracts.cursors import encode_cursor
from oms.contracts.routes import ROUTES
from tests.functions.doors import ask
from tests.functions.routing.network import Network
from tests.functions.routing.test_rule_sets import document, example

pytestmark = pytest.mark.cloud

SAVE = "POST /routing/rule-sets"


@pytest.fixture
def network(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network.new(dynamodb)
    network.world.receive("MUG", 100)
    table = RuleSetsTable(dynamodb, network.world.stock_name)
    for name, value in {
        "rule_sets_table": table,
        "order_reader": network.world.orders,
        "jobs_table": network.jobs,
        "job_queue": network.queue,
    }.items():
        monkeypatch.setattr(api, name, lambda value=value: value)
    return network


def test_it_serves_the_routes_that_are_declared_and_no_others() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "RoutingApi"}

    assert api.app.routes == declared


@pytest.mark.usefixtures("network")
def test_a_rule_set_is_saved_tried_activated_and_rolled_back() -> None:
    first = document(examples=[example("paris")])
    assert ask(api, SAVE, first)[0] == 201
    status, again = ask(api, SAVE, first)
    assert (status, again["version"], again["state"]) == (200, 1, "saved")
    ask(api, SAVE, document(objective="fastest"))

    activate = "POST /routing/rule-sets/{version}/activate"
    assert ask(api, activate, {}, version="1")[1]["active"] == 1
    tried = ask(api, activate, {"percent": 10}, version="2")[1]
    assert (tried["canary"], tried["percent"]) == (2, 10)
    assert [each["state"] for each in tried["items"]] == ["canary", "active"]

    rolled_back = ask(api, "POST /routing/rule-sets/rollback")[1]
    assert (rolled_back["active"], rolled_back["canary"]) == (1, None)
    status, found = ask(api, "GET /routing/rule-sets/{version}", version="1")
    assert (status, found["state"], found["document"]["examples"][0]["name"]) == (
        200,
        "active",
        "from ('paris',)",
    )


@pytest.mark.usefixtures("network")
def test_versions_are_listed_newest_first_page_by_page() -> None:
    for band in range(1, 4):
        ask(api, SAVE, document(cost_band=band))

    _, first = ask(api, "GET /routing/rule-sets", query="limit=2")
    _, rest = ask(api, "GET /routing/rule-sets", query=f"limit=2&cursor={first['cursor']}")

    assert [each["version"] for each in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["cursor"] is None


@pytest.mark.usefixtures("network")
def test_an_example_that_fails_is_refused_with_what_came_instead() -> None:
    status, problem = ask(api, SAVE, document(examples=[example("paris"), example("berlin")]))

    assert status == 422
    (fault,) = problem["errors"]
    assert fault["field"] == "examples[1]"
    assert "expects routed from berlin; it is routed from paris" in fault["reason"]
    assert ask(api, "GET /routing/rule-sets")[1]["items"] == []


def test_examples_have_so_much_time_and_no_more() -> None:
    rule_set = rule_set_of(RuleSetGiven.read(document(examples=[example("paris")])), 0)
    ticks = count(0, 11)

    with pytest.raises(Problem) as refused:
        must_pass(rule_set, lambda: float(next(ticks)))

    assert "there was no time left" in refused.value.errors[0].reason


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": "a", "rules": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
        (b'{"name": "a", "cost_band": 1e999}', 400),
        (b'{"name": "a", "cost_band": 10000000000000000000000}', 400),
        (b'{"name": "' + b"a" * 1_000_001 + b'"}', 413),
        (b'{"name": "\\u0000"}', 422),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"name": "a", "window_seconds": 1e3}', 422),
        (b'{"name": "a", "rules": [{"name": "x", "then": {"exclude": ["../../etc"]}}]}', 422),
    ],
)
def test_what_means_no_good_is_refused_and_nothing_is_written(
    network: Network, body: bytes, status: int
) -> None:
    assert ask(api, SAVE, body)[0] == status
    assert RuleSetsTable(network.world.client, network.world.stock_name).page(10) == ((), None)


@pytest.mark.usefixtures("network")
def test_names_that_repeat_are_refused_where_they_repeat() -> None:
    rules = [{"name": "a", "then": {}}, {"name": " a ", "then": {}}]

    status, problem = ask(api, SAVE, document(rules=rules))

    assert (status, problem["errors"][0]["field"]) == (422, "rules[1]")


@pytest.mark.usefixtures("network")
def test_a_rule_set_that_no_row_takes_is_refused() -> None:
    noise = random.Random(1)
    letters = string.ascii_letters + string.digits
    names = [["".join(noise.choices(letters, k=60)) for _ in range(500)] for _ in range(15)]
    rules = [{"name": f"r{n}", "then": {"only": each}} for n, each in enumerate(names)]
    said = json.dumps(document(rules=rules)).encode()
    assert len(said) < 1_000_000

    status, problem = ask(api, SAVE, said)

    assert (status, problem["type"]) == (422, "urn:oms:rule-set-too-large")


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("version", ["x", "-1", "1.0", "9" * 30, "²"])
def test_a_version_that_is_no_number_is_not_there(version: str) -> None:
    assert ask(api, "GET /routing/rule-sets/{version}", version=version)[0] == 404


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    "cursor", ["x", "e30", *(encode_cursor({"version": said}) for said in ("x", "²", "9" * 40))]
)
def test_a_cursor_of_another_making_is_refused(cursor: str) -> None:
    assert ask(api, "GET /routing/rule-sets", query=f"cursor={cursor}")[0] == 400


@pytest.mark.usefixtures("network")
def test_the_schema_is_one_that_tools_can_read() -> None:
    status, found = ask(api, "GET /routing/rule-sets/schema")

    assert (status, found["schema"]["type"]) == (200, "object")


def test_an_order_s_routing_is_explained(network: Network) -> None:
    order = network.routed()

    route = "GET /orders/{order_id}/routing"
    status, found = ask(api, route, order_id=order.order_id, query="location=AUSTIN")

    assert status == 200
    (decision,) = found["decisions"]
    assert [each["verdict"] for each in decision["locations"]] == ["chosen"]
    assert ask(api, route, order_id="ord_missing")[0] == 404
    assert ask(api, route, order_id=order.order_id, query="location=a+b")[0] == 422


def test_a_simulation_is_asked_for_and_followed(network: Network) -> None:
    network.routed()
    days = {"from": "2026-01-01", "to": "2026-01-02"}
    route = "POST /routing/simulations"

    status, asked = ask(api, route, {"rule_set": 0, **days}, headers={"Idempotency-Key": "k"})
    again = ask(api, route, {"rule_set": 0, **days}, headers={"Idempotency-Key": "k"})[1]
    network.work_all()
    _, found = ask(api, "GET /routing/simulations/{job_id}", job_id=asked["job_id"])

    assert (status, asked["status"], again["job_id"]) == (200, "queued", asked["job_id"])
    assert (found["status"], found["days_done"], found["from"]) == ("done", 2, "2026-01-01")


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"rule_set": 7, "from": "2026-01-01", "to": "2026-01-02"}, 404),
        ({"rule_set": 0, "from": "2026-01-03", "to": "2026-01-02"}, 422),
        ({"rule_set": 0, "from": "2020-01-01", "to": "2026-01-02"}, 422),
        ({"rule_set": -1, "from": "2026-01-01", "to": "2026-01-02"}, 422),
        ({"rule_set": 10**17, "from": "2026-01-01", "to": "2026-01-02"}, 422),
    ],
)
def test_a_simulation_of_nothing_is_refused(said: dict[str, Any], status: int) -> None:
    assert ask(api, "POST /routing/simulations", said)[0] == status


@pytest.mark.usefixtures("network")
def test_a_simulation_that_nobody_asked_for_is_not_found() -> None:
    assert ask(api, "GET /routing/simulations/{job_id}", job_id="job_1")[0] == 404
