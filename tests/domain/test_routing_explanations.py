"""What is said about a decision is true of the snapshot that it was made of."""

from collections.abc import Mapping
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.routing.changing import Change, ChangeKind, applied
from oms.domain.routing.deciding import route_order
from oms.domain.routing.explaining import LocationExplanation, explain
from oms.domain.routing.rules import Objective, Rule, RuleSet, Then
from oms.domain.routing.snapshot import LocationFacts, Snapshot, Wanted
from tests.domain.routing_cases import AT, PROMISED, order, place, snapshots, used, wants

RULES = RuleSet("tried", 1)


def explained(
    *places: LocationFacts,
    rule_set: RuleSet = RULES,
    wanted: tuple[Wanted, ...] = (),
    **facts: object,
) -> Mapping[str, LocationExplanation]:
    snapshot = Snapshot(order(*(wanted or wants(MUG=2)), **facts), places, AT)
    told = explain(snapshot, rule_set, route_order(snapshot, rule_set))
    return {each.location_id: each for each in told.locations}


def test_a_dearer_location_would_have_to_cost_just_less_than_the_chosen_one() -> None:
    dearer = explained(place("A", {"MUG": 2}), place("B", {"MUG": 2}, fixed=620))["B"]

    assert dearer.why == "The best plan with it (B) costs 120 more."
    assert dearer.changes == (Change(ChangeKind.CHEAPER, amount=121),)
    assert dearer.what_if == "To be chosen, its shipment would have to cost 121 less."


def test_what_an_empty_location_lacks_is_counted() -> None:
    empty = explained(place("A", {"MUG": 2}), place("B", {"MUG": 0}, fixed=400))["B"]

    assert empty.why == "It has nothing of what is wanted."
    assert empty.what_if == "To be chosen, it would need 2 more of MUG."
    assert empty.wins


def test_a_location_that_is_late_would_have_to_deliver_earlier() -> None:
    late = place("B", {"MUG": 2}, fixed=1, deliver_by=PROMISED.replace(day=7))
    told = explained(place("A", {"MUG": 2}), late, deliver_by=PROMISED)["B"]

    assert told.changes == (Change(ChangeKind.EARLIER, amount=2),)
    hard = RuleSet("hard", 1, hard_promise=True)
    told = explained(place("A", {"MUG": 2}), late, rule_set=hard, deliver_by=PROMISED)["B"]
    assert told.why == "It would deliver later than promised."
    assert told.what_if == "To be chosen, it would have to deliver 2 days earlier."


def test_all_that_keeps_a_location_out_must_change() -> None:
    out = place("B", {"MUG": 2}, fixed=1, closed="outage", refused="rejected", capacity=0)
    told = explained(place("A", {"MUG": 2}), out)["B"]

    assert [change.kind for change in told.changes] == [
        ChangeKind.OPEN, ChangeKind.ADMIT, ChangeKind.CAPACITY
    ]  # fmt: skip
    assert told.wins


def test_a_rule_would_have_to_admit_what_it_excludes() -> None:
    rule_set = RuleSet("r", 1, rules=(Rule("no B", then=Then(exclude=("B",))),))
    told = explained(place("A", {"MUG": 2}), place("B", {"MUG": 2}, fixed=1), rule_set=rule_set)[
        "B"
    ]

    assert told.why == "Rule no B excludes it."
    assert told.changes == (Change(ChangeKind.RULE, "no B"),)
    assert told.wins


def test_a_summary_names_plan_cost_and_runner_up() -> None:
    snapshot = Snapshot(
        order(*wants(MUG=2)), (place("A", {"MUG": 2}), place("B", {"MUG": 2}, fixed=600)), AT
    )

    summary = explain(snapshot, RULES, route_order(snapshot, RULES)).summary

    assert summary == "A ships for 520. The next best plan is B for 620."


def test_an_order_that_waits_is_explained_by_what_all_lack() -> None:
    snapshot = Snapshot(order(*wants(MUG=2)), (place("A", {"MUG": 1}),), AT)

    told = explain(snapshot, RULES, route_order(snapshot, RULES))

    assert told.summary == "Nothing ships: all locations together lack 1 of MUG."
    assert told.locations[0].changes == (Change(ChangeKind.STOCK, "MUG", 1),)


def test_units_that_lie_where_the_order_may_not_go_are_not_said_to_lack() -> None:
    there, here = place("A", {"MUG": 9}, unreachable="no_zone"), place("B", {"MUG": 1})
    barred, short = (Snapshot(order(*wants(MUG=2)), each, AT) for each in ((there,), (there, here)))

    nobody = explain(barred, RULES, route_order(barred, RULES))
    few = explain(short, RULES, route_order(short, RULES))

    assert nobody.summary == "Nothing ships: no location may ship this order."
    assert nobody.locations[0].why == "No carrier goes there from it."
    assert few.summary == "Nothing ships: the locations that may ship it together lack 1 of MUG."


@settings(max_examples=60, deadline=None)
@given(snapshots(kits=True), st.sampled_from(Objective), st.sampled_from([0, 5]))
def test_a_location_wins_when_what_is_said_to_be_needed_is_done(
    snapshot: Snapshot, objective: Objective, band: int
) -> None:
    rule_set = RuleSet("tried", 1, objective, cost_band=band)
    decision = route_order(snapshot, rule_set)

    for told in explain(snapshot, rule_set, decision).locations:
        assert told.chosen == (told.location_id in used(decision))
        if not told.chosen:
            changed = applied(snapshot, rule_set, told.location_id, told.changes)
            assert told.wins == (told.location_id in used(route_order(*changed)))


@settings(max_examples=60, deadline=None)
@given(snapshots())
def test_a_shipment_that_gets_not_quite_as_much_cheaper_still_loses(snapshot: Snapshot) -> None:
    rule_set = RuleSet("tried", 1, Objective.CHEAPEST)
    decision = route_order(snapshot, rule_set)

    for told in explain(snapshot, rule_set, decision).locations:
        if told.wins and [change.kind for change in told.changes] == [ChangeKind.CHEAPER]:
            fall = told.changes[0].amount
            facts = snapshot.location(told.location_id)
            if fall >= 2 and fall < facts.fixed_cost:
                less = (Change(ChangeKind.CHEAPER, amount=fall - 2),)
                changed = applied(snapshot, rule_set, told.location_id, less)
                assert told.location_id not in used(route_order(*changed))


def test_a_location_that_does_not_offer_the_method_wins_when_it_does() -> None:
    """As the survey sees it: it has no quote by the method, and does not offer it."""
    place_ = place("B", {"MUG": 2}, 1, methods=("express",), unreachable="method_not_offered")
    snapshot = Snapshot(order(*wants(MUG=2)), (place("A", {"MUG": 2}), place_), AT)
    decision = route_order(snapshot, RULES)

    (told,) = explain(snapshot, RULES, decision, ["B"]).locations

    assert decision.rejected[0].reasons == ("method_not_offered",)
    assert told.wins
    changed = applied(snapshot, RULES, "B", told.changes)
    assert "B" in used(route_order(*changed))


def test_an_explanation_ends_with_its_time_and_claims_nothing_that_it_has_not_found() -> None:
    snapshot = Snapshot(order(*wants(MUG=2)), (place("A", {"MUG": 2}), place("B", {}, lines=1)), AT)
    ticking = count()

    told = explain(
        snapshot,
        RULES,
        route_order(snapshot, RULES),
        ["B"],
        budget=3,
        clock=lambda: float(next(ticking)),
    )

    (location,) = told.locations
    assert (location.wins, location.changes) == (False, ())
    assert next(ticking) < 40
