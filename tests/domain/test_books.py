"""Any legal history balances; whatever is taken out of it shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain.books import money, outbox, proposals, reservations, units, workflow
from oms.domain.books.difference import Difference
from oms.domain.books.orders import audit, rebuilt
from oms.domain.books.units import Flows
from oms.domain.decide import decide, facts
from oms.domain.errors import NotFound, Refused
from oms.domain.inventory import EFFECT_OF_ONE, AdjustmentReason, MovementKind
from oms.domain.order import Order, apply
from tests.builders import NOW, Story
from tests.domain.test_order_histories import WISHES, Warehouse, orders, wishes

HISTORIES = st.lists(wishes(), max_size=25)


def lived(command: c.PlaceOrder, asked: list[tuple[str, int, int]]) -> tuple[Story, Warehouse]:
    """An order of which these things were asked; what it refuses is not written."""
    story, warehouse = Story(command), Warehouse()
    for kind, n, m in asked:
        before = story.order
        try:
            decided = decide(WISHES[kind](before, n, m), before)
        except (Refused, NotFound):
            continue
        recorded, story.order = facts(story.order_id, before, decided, NOW, "test")
        for fact in recorded:
            warehouse.see(before, fact)
            before = apply(before.order_id, before, fact)
        story.facts += recorded
    return story, warehouse


@settings(max_examples=150, deadline=None)
@given(orders(), HISTORIES)
def test_any_legal_history_balances(
    command: c.PlaceOrder, asked: list[tuple[str, int, int]]
) -> None:
    story, warehouse = lived(command, asked)
    order = story.order

    assert audit(order.order_id, order, story.facts) == []
    sides = money.in_all(order.currency, money.figures(order, story.facts))
    assert [each for each in sides if each.expected != each.actual] == []
    assert rebuilt(order, story.facts) is None
    if not reservations.is_moving(order):
        assert unmatched(order, warehouse) == []
    seqs = {fact.seq for fact in story.facts}
    late = NOW + timedelta(days=9_000)
    assert list(outbox.untold(order.order_id, story.facts, seqs, late)) == []
    assert list(outbox.uncommitted(order.order_id, seqs, story.facts)) == []


def unmatched(order: Order, warehouse: Warehouse) -> list[Difference]:
    reserved: dict[str, Counter[tuple[str, str]]] = {}
    for (sku, location, reservation), many in warehouse.reserved.items():
        reserved.setdefault(sku, Counter())[location, reservation] += many
    skus = reserved.keys() | {sku for sku, _, _ in reservations.held_by(order)}
    return [
        each
        for sku in skus
        for each in reservations.unmatched(
            sku, reservations.held_of(order, sku), reserved.get(sku, Counter())
        )
    ]


@settings(max_examples=80, deadline=None)
@given(orders(), HISTORIES, st.data())
def test_an_event_that_is_taken_out_of_any_history_shows(
    command: c.PlaceOrder, asked: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    story, _ = lived(command, asked)
    lost = data.draw(st.sampled_from(story.facts))
    rest = [fact for fact in story.facts if fact is not lost]

    assert audit(story.order_id, story.order, rest) != []
    assert rebuilt(story.order, rest) is None
    late = NOW + timedelta(days=9_000)
    (missing,) = outbox.untold(story.order_id, story.facts, {f.seq for f in rest}, late)
    assert missing.subject == f"{story.order_id} event {lost.seq}"
    (extra,) = outbox.uncommitted(story.order_id, {f.seq for f in story.facts}, rest)
    assert (extra.expected, extra.actual) == (0, 1)


@settings(max_examples=80, deadline=None)
@given(orders(), HISTORIES)
def test_money_that_is_edited_in_any_snapshot_shows_and_the_events_have_the_right_one(
    command: c.PlaceOrder, asked: list[tuple[str, int, int]]
) -> None:
    story, _ = lived(command, asked)
    operations = story.order.payment.operations
    if not operations:
        return
    more = (*operations[:-1], replace(operations[-1], amount=operations[-1].amount + 1))
    cooked = replace(story.order, payment=replace(story.order.payment, operations=more))

    assert audit(story.order_id, cooked, story.facts) != []
    assert rebuilt(cooked, story.facts) == story.order


MOVEMENTS = st.lists(
    st.tuples(
        st.sampled_from(MovementKind),
        st.sampled_from(["", *AdjustmentReason]),
        st.integers(-9, 9),
    ),
    max_size=40,
)


@given(MOVEMENTS)
def test_what_came_in_is_on_hand_or_went_out_whatever_moved(
    moved: list[tuple[MovementKind, str, int]],
) -> None:
    flows, on_hand = Flows(), 0
    for kind, reason, quantity in moved:
        effect = EFFECT_OF_ONE[kind].times(quantity)
        flows.add(kind, str(reason), effect.on_hand)
        on_hand += effect.on_hand
    figures = flows.figures(on_hand)

    sides = units.in_is_out("MUG", figures)
    assert sides.expected == sides.actual
    assert figures["in"] == sum(n for name, n in figures.items() if name.startswith("in_"))
    assert figures["out"] == sum(n for name, n in figures.items() if name.startswith("out_"))
    cooked = units.in_is_out("MUG", flows.figures(on_hand + 1))
    assert cooked.expected != cooked.actual


def test_units_are_named_as_people_call_them() -> None:
    assert units.flow_name(MovementKind.ADJUSTED, "theft") == "theft"
    assert units.flow_name(MovementKind.RECEIVED, "customer_return") == "customer_return"
    assert units.flow_name(MovementKind.RECEIVED, "purchase po-1") == "received"
    assert units.flow_name(MovementKind.CONSUMED, "") == "shipped"


def test_units_without_a_name_may_be_anybodys() -> None:
    held = {("AUSTIN", "ful_a-1"): 2, ("AUSTIN", "ful_b-1"): 1}

    assert list(reservations.unmatched("MUG", held, {("AUSTIN", ""): 3})) == []
    (short,) = reservations.unmatched("MUG", held, {("AUSTIN", ""): 2})
    assert (short.subject, short.expected, short.actual) == ("MUG AUSTIN ful_b-1", 1, 0)


def test_what_is_open_has_an_execution_and_what_is_over_has_none() -> None:
    story = Story().authorized().routed()
    assert list(workflow.attended(story.order)) == [story.order_id]
    assert workflow.due_of(story.order, story.order_id) is workflow.Due.MUST
    story.shipped()
    story.captured().delivered()
    assert list(workflow.attended(story.order)) == []
    assert workflow.due_of(story.order, story.order_id) is workflow.Due.MUST_NOT
    assert workflow.due_of(None, "ord_a") is workflow.Due.MUST_NOT


def test_money_that_is_on_its_way_may_still_have_an_execution() -> None:
    story = Story().authorized()
    story.do(c.CancelOrder("no"))

    assert story.order.payment.unsettled
    assert workflow.due_of(story.order, story.order_id) is workflow.Due.MAY


def test_only_what_must_run_is_missed_and_only_what_must_not_is_stopped() -> None:

    must, may, must_not = workflow.Due
    assert list(workflow.unattended("ord_a", must, running=True)) == []
    assert [*workflow.unattended("ord_a", may, running=True)] == []
    assert [*workflow.unattended("ord_a", may, running=False)] == []
    (missing,) = workflow.unattended("ord_a", must, running=False)
    (orphan,) = workflow.unattended("ord_a", must_not, running=True)
    assert proposals.of_execution("ord_a", missing).proposal.command == proposals.START
    assert proposals.of_execution("ord_a", orphan).proposal.command == proposals.STOP


def test_every_command_that_is_proposed_is_known() -> None:
    short = Difference("MUG AUSTIN ful_a-1", reservations.HELD, 3, 1)
    found = [
        proposals.of_reservation("MUG", "AUSTIN", "ful_a-1", short),
        proposals.of_reservation("MUG", "AUSTIN", "ful_a-1", short._replace(actual=5)),
        *proposals.of_order("ord_a", [short], can_be_rebuilt=True),
        *proposals.of_level("MUG", "AUSTIN", [short], is_sound=True),
        proposals.of_event("ord_a", 3, Difference("ord_a event 3", outbox.TOLD, 1, 0)),
    ]

    assert {each.proposal.command for each in found} <= {"", *proposals.COMMANDS}
    assert [each.proposal.fields["units"] for each in found[:2]] == [2, 2]
