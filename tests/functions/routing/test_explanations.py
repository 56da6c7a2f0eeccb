"""Why from there? Every decision of an order, with what it was made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.routing.explanations import routing_view
from oms.adapters.rule_sets_table import RuleSetsTable
from oms.contracts.api.routing import LocationVerdictView, RoutingDecisionView, RoutingView
from oms.domain.errors import NotFound
from oms.domain.order import Order
from oms.domain.routing.rules import Rule, RuleSet, Then
from tests.functions.routing.network import Network
from tests.functions.routing.test_simulations import forget_decisions
from tests.functions.world import an_order, now

pytestmark = pytest.mark.cloud


@pytest.fixture
def network(dynamodb: Any) -> Network:
    network = Network.new(dynamodb)
    network.world.receive("MUG", 100)
    network.world.receive("MUG", 1, "RENO")
    return network


def explained(
    network: Network, order: Order, location: str | None = None, **how: Any
) -> RoutingView:
    rule_sets = RuleSetsTable(network.world.client, network.world.stock_name)
    return routing_view(network.world.orders, rule_sets, order.order_id, location, **how)


def verdict(decision: RoutingDecisionView, location_id: str) -> LocationVerdictView:
    return next(each for each in decision.locations if each.location_id == location_id)


def test_a_decision_tells_its_plan_its_inputs_and_why(network: Network) -> None:
    (decision,) = explained(network, network.routed()).decisions

    assert (decision.event, decision.outcome, decision.kept) == ("OrderRouted", "routed", True)
    assert (decision.rule_set, decision.rule_set_version) == ("default", 0)
    assert [(each.location_id, each.lines) for each in decision.plan] == [("AUSTIN", {"line_1": 2})]
    inputs = {each.location_id: each.available for each in decision.inputs}
    assert inputs == {"AUSTIN": {"MUG": 100}, "RENO": {"MUG": 1}}
    assert decision.words.startswith("AUSTIN ships for 500.")


def test_what_would_have_to_change_is_told_of_who_was_not_chosen(network: Network) -> None:
    (decision,) = explained(network, network.routed()).decisions
    chosen, other = verdict(decision, "AUSTIN"), verdict(decision, "RENO")

    assert (chosen.verdict, chosen.to_win) == ("chosen", [])
    assert (other.verdict, other.wins) == ("beaten", True)
    assert ("stock", "MUG", 1) in {(x.kind, x.subject, x.amount) for x in other.to_win}
    assert "it would need 1 more of MUG" in other.what_if


def test_the_inputs_are_those_of_then(network: Network) -> None:
    order = network.routed()
    before = explained(network, order)
    network.world.receive("MUG", 500, "RENO")
    network.change("AUSTIN", active=False)

    assert explained(network, order) == before


def test_the_rule_set_is_that_which_decided(network: Network) -> None:
    table = RuleSetsTable(network.world.client, network.world.stock_name)
    rules = (Rule("no austin", then=Then(exclude=("AUSTIN",))),)
    table.save(RuleSet("elsewhere", 0, rules=rules), {"name": "e"}, at=now(), actor="t")
    table.activate(1, None, at=now(), actor="t")
    order = network.routed(("MUG", 1))
    table.roll_back(at=now(), actor="t")

    (decision,) = explained(network, order, "AUSTIN").decisions

    assert (decision.rule_set_version, decision.rules) == (1, ["no austin"])
    (austin,) = decision.locations
    assert (austin.verdict, austin.reasons) == ("rejected", ["excluded_by_rule: no austin"])
    assert "rule no austin would have to admit it" in austin.what_if


def test_every_decision_is_there_oldest_first(network: Network) -> None:
    order = network.routed(("MUG", 1))
    network.out("AUSTIN")
    network.told("AUSTIN", "outage")
    network.work_all()
    network.world.route(order.order_id)

    first, second = explained(network, order).decisions

    assert first.seq < second.seq
    assert [each.plan[0].location_id for each in (first, second)] == ["AUSTIN", "RENO"]
    assert verdict(second, "AUSTIN").verdict == "rejected"


def test_an_order_that_waits_says_what_is_lacking(network: Network) -> None:
    (decision,) = explained(network, network.routed(("MUG", 500))).decisions

    assert (decision.event, decision.outcome) == ("OrderBackordered", "backordered")
    assert decision.backordered == {"line_1": 399}
    assert "399 of MUG" in decision.words


def test_a_location_that_nobody_knew_is_said_to_be_unknown(network: Network) -> None:
    (decision,) = explained(network, network.routed(), "TULSA").decisions

    assert [(each.location_id, each.verdict) for each in decision.locations] == [
        ("TULSA", "unknown")
    ]


def test_an_order_that_was_not_routed_has_no_decisions(network: Network) -> None:
    assert explained(network, network.world.place(an_order())).decisions == []


def test_an_order_that_is_not_there_is_not_found(network: Network) -> None:
    missing = replace(network.world.place(an_order()), order_id="ord_missing")

    with pytest.raises(NotFound):
        explained(network, missing)


def test_an_old_decision_says_what_its_record_says(network: Network) -> None:
    network.change("RENO", active=False)
    order = network.routed()
    forget_decisions(network, order)

    (decision,) = explained(network, order).decisions

    assert (decision.kept, decision.inputs, decision.cost) == (False, [], 500)
    assert decision.words == (
        "AUSTIN ships for 500. "
        "What was known of stock and costs then was not kept: this is all that is recorded."
    )
    assert [(each.location_id, each.words) for each in decision.locations] == [
        ("RENO", "It was set aside: inactive.")
    ]


def test_what_takes_too_long_is_told_to_be_asked_for_alone(network: Network) -> None:
    ticks = iter(range(0, 1_000, 20))

    (decision,) = explained(network, network.routed(), clock=lambda: float(next(ticks))).decisions

    assert [each.words for each in decision.locations] == [
        "ask for it alone: ?location=AUSTIN",
        "ask for it alone: ?location=RENO",
    ]
    assert verdict(decision, "AUSTIN").verdict == "chosen"


def test_who_asks_for_one_location_is_told_of_it_and_of_the_chosen(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = network.routed()

    def inputs(location: str | None) -> list[str]:
        (decision,) = explained(network, order, location).decisions
        return [each.location_id for each in decision.inputs]

    assert inputs("AUSTIN") == ["AUSTIN"]
    assert inputs("RENO") == inputs(None) == ["AUSTIN", "RENO"]
    monkeypatch.setattr("functions.routing.explanations.MAX_FIGURES", 1)
    assert inputs(None) == ["AUSTIN"]
