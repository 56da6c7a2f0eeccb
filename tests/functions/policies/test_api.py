"""Policies over a real table."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from functions.policies import api
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.policies_table import PoliciesTable
from oms.contracts.api.policies import POLICIES, kind_of
from tests.functions.doors import ask
from tests.tables import create_table

pytestmark = pytest.mark.cloud
ONE, ALL = "/policies/{policy}", "/policies"
DEAR: dict[str, Any] = {
    "rules": [
        {
            "name": "dear",
            "when": {"currency": "EUR", "min_total": 100_000, "countries": ["FR"]},
            "then": {"type": "approval", "blocks": ["fulfillment"], "release_after_minutes": 30},
        }
    ]
}


@pytest.fixture(autouse=True)
def table(dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> PoliciesTable:
    table = PoliciesTable(dynamodb, create_table(dynamodb, "orders", f"orders-{uuid4()}"))
    monkeypatch.setattr(api, "policies_table", lambda: table)
    return table


def put(document: Any, version: int = 0, name: str = "holds") -> tuple[int, Any]:
    return ask(api, f"PUT {ONE}", {"version": version, "document": document}, policy=name)


def got(query: str = "", name: str = "holds") -> tuple[int, Any]:
    return ask(api, f"GET {ONE}", query=query, policy=name)


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_said_is_the_default(name: str) -> None:
    assert POLICIES[name].read({}).document() == kind_of(name)()


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_shown_can_be_saved(name: str, table: PoliciesTable) -> None:
    _, shown = got(name=name)
    status, saved = put(shown["document"], name=name)

    assert (status, saved["version"]) == (200, 1)
    assert saved["document"] == shown["document"]
    assert table.current(name, kind_of(name))[0] == kind_of(name)()


def test_a_policy_is_saved_with_who_and_when_and_shown() -> None:
    status, saved = put(DEAR)

    assert status == 200
    assert (saved["version"], saved["saved_by"]) == (1, "client:shop")
    assert saved["document"]["rules"][0]["then"]["release_after_minutes"] == 30
    assert got() == (200, saved)
    assert [row["version"] for row in ask(api, f"GET {ALL}")[1]["items"] if row["name"] == "holds"]


def test_old_versions_are_shown_as_they_were() -> None:
    put(DEAR)
    put({}, 1)

    assert got("version=1")[1]["document"]["rules"][0]["name"] == "dear"
    assert got("version=0")[1]["document"]["rules"] == []
    assert got("version=3")[0] == 404


def test_who_has_not_seen_the_version_in_force_is_refused() -> None:
    put(DEAR)

    assert put({})[0] == 409
    assert got()[1]["version"] == 1


def test_the_same_again_after_a_lost_answer_is_the_same_version() -> None:
    first, again = put(DEAR), put(DEAR)

    assert msgspec.json.encode(first) == msgspec.json.encode(again)


def test_faults_are_told_by_their_place_and_nothing_is_written() -> None:
    bad = {"rules": [{"name": "x", "when": {"min_total": 5}, "then": {"type": "fraud"}}]}

    status, problem = put(bad)

    assert status == 422
    assert [fault["field"] for fault in problem["errors"]] == ["document.rules[0].when.currency"]
    assert got()[1]["version"] == 0


def test_there_is_no_policy_of_another_name() -> None:
    assert got(name="prices")[0] == put({}, name="prices")[0] == 404


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"time_zone": "America"}, "time_zone"),  # a directory of the database
        ({"invoice_series": "A-2026", "credit_note_series": "A-{year}"}, "credit_note_series"),
    ],
)
def test_invoices_that_could_not_be_numbered_are_refused(document: Any, field: str) -> None:
    status, problem = put(document, name="invoices")

    assert (status, problem["errors"][0]["field"]) == (422, f"document.{field}")
