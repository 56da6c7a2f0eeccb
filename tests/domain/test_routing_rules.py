from dataclasses import replace

import pytest

from oms.contracts.codec import decode, encode
from oms.domain.locations import LocationKind
from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import RoutingOutcome
from oms.domain.routing.rules import (
    DEFAULT_RULES,
    TIERS,
    Example,
    ExampleResult,
    Objective,
    Rule,
    RuleSet,
    Then,
    Tier,
    When,
    chosen_version,
    effective,
)
from oms.domain.routing.snapshot import Snapshot, Wanted
from tests.domain.routing_cases import AT, order, place, wants

ORDER = order(*wants(MUG=1), tags=("gift", "vip"), customer_tier="gold")


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(), True),
        (When(channels=("web", "shop")), True),
        (When(channels=("shop",)), False),
        (When(tags_any=("vip", "b2b")), True),
        (When(tags_any=("b2b",)), False),
        (When(tags_all=("vip", "gift")), True),
        (When(tags_all=("vip", "b2b")), False),
        (When(min_value=5_000, max_value=5_000), True),
        (When(min_value=5_001), False),
        (When(max_value=4_999), False),
        (When(customer_tiers=("gold",)), True),
        (When(customer_tiers=("silver",)), False),
        (When(countries=("FR",)), True),
        (When(countries=("DE",)), False),
        (When(methods=("express",)), False),
        (When(channels=("web",), methods=("express",)), False),
    ],
)
def test_a_rule_speaks_of_the_orders_that_meet_all_its_conditions(when: When, holds: bool) -> None:
    assert when.holds_for(ORDER) is holds


def test_tags_of_lines_count_as_tags_of_the_order() -> None:
    cold = order(Wanted("l1", "ICE", 1, tags=("cold",)))

    assert When(tags_any=("cold",)).holds_for(cold)


@pytest.mark.parametrize(
    ("then", "excluded"),
    [
        (Then(), False),
        (Then(exclude=("A",)), True),
        (Then(only=("B",)), True),
        (Then(only=("A", "B")), False),
        (Then(exclude_kinds=(LocationKind.WAREHOUSE,)), True),
        (Then(only_kinds=(LocationKind.STORE,)), True),
        (Then(exclude_tags=("north",)), True),
        (Then(only_tags=("south",)), True),
        (Then(only_tags=("north", "south")), False),
        (Then(exclude_kinds=(LocationKind.WAREHOUSE,), except_for=("A",)), False),
    ],
)
def test_a_rule_excludes_locations_by_id_kind_or_tag(then: Then, excluded: bool) -> None:
    assert then.excludes(place("A", {"MUG": 1}, tags=("north",))) is excluded


def test_settings_of_a_later_rule_replace_those_of_an_earlier_one_exclusions_add_up() -> None:
    first = Rule("first", then=Then(exclude=("A",), max_splits=3, objective=Objective.CHEAPEST))
    second = Rule("second", then=Then(exclude=("B",), max_splits=1, allow_partial=True))

    found = effective(RuleSet("r", 1, rules=(first, second)), ORDER)

    assert (found.max_splits, found.allow_partial) == (1, True)
    assert found.tiers == TIERS[Objective.CHEAPEST]
    assert list(found.exclusions(place("A", {}, lines=1))) == ["excluded_by_rule: first"]
    assert list(found.exclusions(place("B", {}, lines=1))) == ["excluded_by_rule: second"]


def test_tiers_of_ones_own_replace_the_preset_unless_a_rule_asks_for_one() -> None:
    own = RuleSet("r", 1, tiers=(Tier.DISTANCE, Tier.COST))
    asked = replace(own, rules=(Rule("fast", then=Then(objective=Objective.FASTEST)),))

    assert effective(own, ORDER).tiers == (Tier.DISTANCE, Tier.COST)
    assert effective(own, ORDER).objective == "tiers"
    assert effective(asked, ORDER).tiers == TIERS[Objective.FASTEST]


def test_examples_show_whether_a_rule_set_does_what_was_meant() -> None:
    snapshot = Snapshot(ORDER, (place("A", {"MUG": 1}), place("B", {"MUG": 1}, fixed=1)), AT)
    waits = Snapshot(ORDER, (place("A", {"MUG": 0}),), AT)
    rule_set = RuleSet(
        "r",
        1,
        rules=(Rule("no B", then=Then(exclude=("B",))),),
        examples=(
            Example("from A", snapshot, ("A",)),
            Example("from B", snapshot, ("B",)),
            Example("waits", waits, (), RoutingOutcome.BACKORDERED),
        ),
    )

    results = [
        ExampleResult(each, route_order(each.snapshot, rule_set)) for each in rule_set.examples
    ]
    assert [each.is_as_expected for each in results] == [True, False, True]


def test_a_canary_gets_its_share_of_orders_and_each_order_the_same_answer() -> None:
    orders = [f"ord_{n}" for n in range(2_000)]
    chosen = [chosen_version(1, 2, 20, each) for each in orders]

    assert 300 < chosen.count(2) < 500
    assert chosen == [chosen_version(1, 2, 20, each) for each in orders]
    assert {chosen_version(1, 2, 0, each) for each in orders} == {1}
    assert {chosen_version(1, 2, 100, each) for each in orders} == {2}
    assert chosen_version(1, None, 100, "ord_1") == 1


def test_who_gets_the_canary_at_a_small_share_gets_it_at_a_larger_one() -> None:
    orders = [f"ord_{n}" for n in range(200)]
    few = {each for each in orders if chosen_version(1, 2, 10, each) == 2}

    assert few <= {each for each in orders if chosen_version(1, 2, 30, each) == 2}


def test_rule_sets_and_snapshots_survive_being_stored() -> None:
    snapshot = Snapshot(ORDER, (place("A", {"MUG": 1}, ship_by=AT),), AT)
    rule_set = RuleSet(
        "r", 3, rules=(Rule("x", When(channels=("web",)), Then(max_splits=0)),),
        examples=(Example("e", snapshot, ("A",)),),
    )  # fmt: skip

    assert decode(encode(rule_set), RuleSet) == rule_set
    assert decode(encode(DEFAULT_RULES), RuleSet) == DEFAULT_RULES


def test_rule_sets_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="figure below zero"):
        RuleSet("r", 1, cost_band=-1)
    with pytest.raises(ValueError, match="a tier twice"):
        RuleSet("r", 1, tiers=(Tier.COST, Tier.COST))
    with pytest.raises(ValueError, match="two rules of one name"):
        RuleSet("r", 1, rules=(Rule("x"), Rule("x")))
    with pytest.raises(ValueError, match="figure below zero"):
        Then(max_splits=-1)


def test_snapshots_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="a location twice"):
        Snapshot(ORDER, (place("A", {"MUG": 1}), place("A", {"MUG": 1})), AT)
    with pytest.raises(ValueError, match="does not speak of every wanted line"):
        Snapshot(ORDER, (place("A", {"MUG": 1}, lines=2),), AT)
    with pytest.raises(ValueError, match="wants a line twice"):
        order(Wanted("l", "MUG", 1), Wanted("l", "CUP", 1))
    with pytest.raises(ValueError, match="wants no units"):
        Wanted("l", "MUG", 0)
    with pytest.raises(ValueError, match="below zero"):
        place("A", {"MUG": 1}, fixed=-1)
