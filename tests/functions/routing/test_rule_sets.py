"""Rule sets over HTTP: what is refused, and that their examples are their tests."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from functions.routing.api import must_pass
from functions.routing.rule_documents import rule_set_of
from oms.adapters.http_api import Problem
from oms.contracts.api.routing import RuleSetGiven
from oms.contracts.invalid import InvalidRequest
from oms.domain.routing.rules import Objective, Tier

ORDER = {"destination": {"country": "DE"}, "lines": [{"sku": "MUG", "quantity": 2}]}
BERLIN = {"location_id": "berlin", "country": "DE", "stock": {"MUG": 5}, "fixed_cost": 500}
PARIS = {"location_id": "paris", "country": "FR", "stock": {"MUG": 5}, "fixed_cost": 300}


def example(*locations: str, **order: Any) -> dict[str, Any]:
    return {
        "name": f"from {locations}",
        "order": ORDER | order,
        "locations": [BERLIN, PARIS],
        "expect": {"locations": list(locations)},
    }


def document(**said: Any) -> dict[str, Any]:
    return {"name": "house rules", "objective": "cheapest"} | said


def faults_of(said: Mapping[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        RuleSetGiven.read(said)
    return {fault.field: fault.reason for fault in refused.value.faults}


def test_a_rule_set_whose_examples_come_out_is_accepted() -> None:
    said = document(
        rules=[{"name": "at home", "when": {"channels": ["till"]}, "then": {"exclude": ["paris"]}}],
        examples=[example("paris"), example("berlin", channel="till")],
    )

    must_pass(rule_set_of(RuleSetGiven.read(said), 1))


def test_a_rule_set_that_fails_its_example_is_refused_with_what_came() -> None:
    rule_set = rule_set_of(RuleSetGiven.read(document(examples=[example("berlin")])), 1)

    with pytest.raises(Problem) as refused:
        must_pass(rule_set)

    assert refused.value.status == 422
    assert [fault.field for fault in refused.value.errors] == ["examples[0]"]
    assert "routed from berlin; it is routed from paris" in refused.value.errors[0].reason


def test_a_document_says_the_same_as_the_rule_set_made_of_it() -> None:
    said = document(
        tiers=["promise", "cost"],
        rules=[
            {
                "name": "dear orders",
                "when": {"min_value": 10_000, "tags_any": ["gift"]},
                "then": {
                    "objective": "fastest",
                    "max_splits": 0,
                    "only_kinds": ["warehouse"],
                    "except_for": ["paris"],
                },
            }
        ],
    )

    found = rule_set_of(RuleSetGiven.read(said), 4)

    assert (found.version, found.tiers) == (4, (Tier.PROMISE, Tier.COST))
    assert found.rules[0].when.min_value == 10_000
    assert found.rules[0].then.objective is Objective.FASTEST
    assert found.rules[0].then.max_splits == 0
    assert found.rules[0].then.except_for == ("paris",)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (document(objective="best"), "objective"),
        (document(surprise=1), "surprise"),
        (document(max_splits=-1), "max_splits"),
        (document(tiers=["cost", "cost"]), "tiers[1]"),
        (document(rules=[{"name": "a", "then": {"max_splits": True}}]), "rules[0].then.max_splits"),
        (document(rules=[{"name": "a", "then": {}}, {"name": "a", "then": {}}]), "rules[1]"),
        (
            document(examples=[example("berlin") | {"locations": [BERLIN, BERLIN]}]),
            "examples[0].locations",
        ),
        (
            document(rules=[{"name": "a", "when": {"countries": ["XX"]}, "then": {}}]),
            "rules[0].when.countries[0]",
        ),
        (
            document(rules=[{"name": "a", "then": {"only": ["A"], "exclude": ["A", "B"]}}]),
            "rules[0].then.only",
        ),
        (
            document(
                rules=[{"name": "a", "then": {"only_kinds": ["store"], "exclude_kinds": ["store"]}}]
            ),
            "rules[0].then.only_kinds",
        ),
        (
            document(rules=[{"name": "a", "when": {"min_value": 2, "max_value": 1}, "then": {}}]),
            "rules[0].when.max_value",
        ),
    ],
)
def test_what_is_no_rule_set_is_refused_by_its_field(said: dict[str, Any], field: str) -> None:
    assert field in faults_of(said)


def test_the_schema_of_a_rule_set_is_json() -> None:
    schema = RuleSetGiven.model_json_schema()

    assert json.loads(json.dumps(schema))["properties"]["objective"]["enum"]
    assert schema["additionalProperties"] is False
