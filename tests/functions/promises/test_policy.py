"""The policy of promises, as it is saved and refused."""

from __future__ import annotations

from typing import Any

import pytest

from functions.policies import api
from oms.contracts.api.promises import PromisePolicyGiven
from oms.domain.promising.policy import ExtraCost, PromisePolicy
from tests.functions.doors import House, ask, house

pytestmark = pytest.mark.cloud
__all__ = ["house"]

POLICY = "PUT /policies/{policy}"


def put(document: Any, version: int = 0) -> tuple[int, Any]:
    return ask(api, POLICY, {"version": version, "document": document}, policy="promises")


def test_nothing_said_is_the_default() -> None:
    assert PromisePolicyGiven.read({}).document() == PromisePolicy()


def test_what_is_saved_is_what_is_decided_by(house: House) -> None:
    said = {
        "confidence": 95,
        "upgrade_to": ["express"],
        "max_extra": [{"currency": "USD", "most": 800}],
        "tell_customer": False,
    }
    assert house

    status, answer = put(said)

    assert (status, answer["version"]) == (200, 1)
    assert answer["document"] == {**said, "earlier": False}
    policy = PromisePolicyGiven.read(said).document()
    assert policy == PromisePolicy(95, False, ("express",), (ExtraCost("USD", 800),), False)
    assert (policy.most("USD"), policy.most("EUR")) == (800, 0)


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"confidence": 100}, "confidence"),
        ({"confidence": 49}, "confidence"),
        ({"max_extra": [{"currency": "XXX0", "most": 1}]}, "max_extra[0].currency"),
        ({"max_extra": [{"currency": "USD", "most": -1}]}, "max_extra[0].most"),
        ({"max_extra": [{"currency": "USD", "most": 1}] * 2}, "max_extra[1].currency"),
        ({"upgrade_to": ["express", "express"]}, "upgrade_to[1]"),
        ({"tell": True}, "tell"),
    ],
)
def test_a_fault_is_told_by_its_place(document: Any, field: str) -> None:
    status, problem = put(document)

    assert status == 422
    assert [each["field"] for each in problem["errors"]] == [f"document.{field}"]
