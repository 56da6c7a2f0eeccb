"""Holds are laid over an order: each keeps it from the steps that it names, from nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import decide, facts
from oms.domain.errors import IllegalTransition, OnHold
from oms.domain.fulfillment import Delivery, Quantity
from oms.domain.holds import GOODS, PATIENCE_WITH_REFUNDS, HoldStep, NewHold
from oms.domain.order import Order, OrderStatus, fold
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.screening import Screening, Unavailable, Verdict, VerdictKind
from oms.domain.statuses import fulfillment_status, payment_status
from oms.domain.waits import Wait, outcome, prepared
from tests.builders import NOW, RECORD, Story, line, paid, placement

ROUTING, FULFILLMENT, REFUND = HoldStep.ROUTING, HoldStep.FULFILLMENT, HoldStep.REFUND
SCREENING = Screening("test")


def held(*blocks: HoldStep, until: datetime | None = None) -> c.PlaceHold:
    return c.PlaceHold("fraud", "odd", blocks, until)


def released(number: int = 1) -> c.ReleaseHold:
    return c.ReleaseHold(f"hold_{number}", "fine")


def ship(story: Story) -> c.Command:
    return c.ShipFulfillmentOrder(story.box(1), story.parcels(1, "EZ1"))


def refunds(story: Story) -> list[str]:
    """Operations that a provider may be asked for."""
    asked = story.order.to_settle
    return [each.operation_id for each in asked if each.kind is OperationKind.REFUND]


def half_refunded(*blocks: HoldStep) -> Story:
    """One of two was taken and cancelled, under a hold."""
    story = Story(placement(line(quantity=2), provider="external", captured=2500))
    return story.do(held(*blocks), c.CancelOrder("one less", (Quantity("line_1", 1),)))


def test_a_hold_of_the_hand_over_lets_the_order_be_routed_and_packed_but_not_shipped() -> None:
    story = Story().authorized().do(held(FULFILLMENT))
    assert outcome(story.order, Wait.RELEASE) == "released"

    story.routed().packed()

    with pytest.raises(OnHold):
        story.do(ship(story))
    assert story.do(released(), ship(story)).events(e.FulfillmentOrderShipped)


def test_a_hold_of_the_routing_lets_what_is_packed_be_shipped() -> None:
    story = Story().authorized().routed().packed().do(held(ROUTING))

    assert story.do(ship(story)).events(e.FulfillmentOrderShipped)


def test_a_hold_of_the_routing_is_waited_for() -> None:
    story = Story().authorized().do(held(ROUTING), held(FULFILLMENT))
    assert outcome(story.order, Wait.RELEASE) is None
    with pytest.raises(OnHold):
        story.routed()

    assert outcome(story.do(released()).order, Wait.RELEASE) == "released"


def test_nothing_named_keeps_the_goods_back_and_not_the_money() -> None:
    story = half_refunded()

    assert story.order.active_holds[0].steps == GOODS
    assert refunds(story) == ["op_3"]


def test_a_refund_waits_for_its_hold_and_goes_its_way_after_it() -> None:
    story = half_refunded(REFUND)
    assert story.order.payment.committed(OperationKind.REFUND) == 1000
    assert refunds(story) == []

    assert refunds(story.do(released())) == ["op_3"]


def test_a_refund_that_a_provider_was_asked_for_is_asked_after_whatever_is_held() -> None:
    story = half_refunded().do(paid("op_3", OperationStatus.UNKNOWN))

    assert refunds(story.do(held(REFUND))) == ["op_3"]


def test_what_was_only_reserved_is_given_free_whatever_is_held() -> None:
    story = Story().authorized().do(held(REFUND), c.CancelOrder("no"))

    (void,) = story.order.to_settle
    assert void.kind is OperationKind.VOID


def test_an_order_that_is_over_may_have_its_refunds_held_and_nothing_else() -> None:
    story = Story(placement(provider="external", captured=1500)).do(c.CancelOrder("no"))

    assert refunds(story.do(held(REFUND))) == []
    with pytest.raises(IllegalTransition):
        story.do(held(ROUTING))


def test_a_hold_says_who_released_it_and_why() -> None:
    story = Story().do(held(), released())

    (hold,) = story.order.holds
    assert (hold.released_by, hold.release_reason) == ("test", "fine")
    assert hold.released_at == story.at


def test_a_hold_ends_by_itself_and_no_sooner() -> None:
    until = NOW + timedelta(hours=1)
    story = Story().do(held(until=until), held())

    assert not decide(c.EndHolds(until - timedelta(seconds=1)), story.order)
    assert decide(c.EndHolds(until), story.order) == (e.HoldReleased("hold_1", "its time is over"),)
    assert not decide(c.EndHolds(until), story.do(released()).order)


def test_money_that_is_kept_back_without_an_end_needs_a_person_once() -> None:
    story = Story().do(held(REFUND))
    late = story.order.holds[0].placed_at + PATIENCE_WITH_REFUNDS

    assert not decide(c.EndHolds(late - timedelta(seconds=1)), story.order)
    assert story.do(*(2 * [c.EndHolds(late)])).order.attention
    assert len(story.events(e.OrderNeedsAttention)) == 1
    assert story.order.active_holds


@pytest.mark.parametrize(
    "blocks", [(), (ROUTING,), (FULFILLMENT,), (REFUND,), (ROUTING, FULFILLMENT, REFUND)]
)
def test_a_customer_may_cancel_whatever_is_held(blocks: tuple[HoldStep, ...]) -> None:
    story = Story(placement(holds=(NewHold("remorse", "may be regretted", blocks),)))

    story.authorized().do(c.CancelOrder("regretted"))

    assert story.order.status is OrderStatus.CANCELLED


def test_an_order_that_is_reviewed_or_rejected_is_held_and_one_that_is_approved_is_not() -> None:
    def verdict(kind: VerdictKind, screening: Screening = SCREENING) -> Order:
        said = c.RecordVerdict(Verdict("test", kind, 60, ("odd",)), screening)
        return Story().authorized().do(said, said).order

    found = {kind: verdict(kind) for kind in VerdictKind}
    holds = {kind: [hold.type for hold in order.holds] for kind, order in found.items()}

    assert holds == {
        VerdictKind.APPROVE: [],
        VerdictKind.REVIEW: ["fraud"],
        VerdictKind.REJECT: ["fraud"],
        VerdictKind.UNAVAILABLE: ["fraud"],
    }
    assert [kind for kind, order in found.items() if order.attention] == [VerdictKind.REJECT]
    assert found[VerdictKind.REVIEW].holds[0].reason == "test: review 60, odd"
    assert not verdict(
        VerdictKind.UNAVAILABLE, Screening("test", unavailable=Unavailable.LET_GO)
    ).holds


def test_a_rejected_order_is_cancelled_only_where_the_policy_says_so() -> None:
    rejected = Verdict("test", VerdictKind.REJECT, 95)
    strict = Screening("test", cancel_rejected=True)

    story = Story().authorized().do(c.RecordVerdict(rejected, strict))

    assert (story.order.status, story.order.attention) == (OrderStatus.CANCELLED, "")
    assert [each.kind for each in story.order.to_settle] == [OperationKind.VOID]


STEPS = {
    "route": ROUTING,
    "ready": FULFILLMENT,
    "ship": FULFILLMENT,
    "collect": FULFILLMENT,
}
WISHES = st.one_of(
    st.tuples(
        st.just("hold"),
        st.lists(st.sampled_from(HoldStep), max_size=3, unique=True).map(tuple),
        st.none() | st.integers(1, 9),
    ),
    st.tuples(st.just("release"), st.integers(1, 6)),
    st.tuples(st.just("wait"), st.integers(1, 5)),
    st.tuples(st.sampled_from(["pay", "route", "pack", "ready", "ship", "collect", "cancel one"])),
)


@dataclass
class Held:
    """An order, and what a list of its holds would say by itself."""

    story: Story
    pickup: bool
    holds: dict[str, tuple[tuple[HoldStep, ...], datetime | None]] = field(default_factory=dict)
    placed: int = 0

    def blocked(self, step: HoldStep) -> bool:
        return any(step in (blocks or GOODS) for blocks, _ in self.holds.values())

    def wish(self, wish: tuple[object, ...]) -> None:
        name, *said = wish
        if name in ("hold", "release", "wait"):
            getattr(self, f"_{name}")(*said)
        else:
            self.step(str(name))
        assert {hold.hold_id for hold in self.story.order.active_holds} == self.holds.keys()

    def _hold(self, blocks: tuple[HoldStep, ...], hours: int | None) -> None:
        until = None if hours is None else self.story.at + timedelta(hours=hours)
        try:
            self.story.do(c.PlaceHold("manual", "why", blocks, until))
        except IllegalTransition:
            assert self.story.order.is_final
            return
        self.placed += 1
        self.holds[f"hold_{self.placed}"] = (blocks, until)

    def _release(self, number: int) -> None:
        self.story.do(released(number))
        self.holds.pop(f"hold_{number}", None)

    def _wait(self, hours: int) -> None:
        self.story.at += timedelta(hours=hours)
        now = self.story.at
        self.story.do(c.EndHolds(now))
        self.holds = {k: v for k, v in self.holds.items() if v[1] is None or v[1] > now}

    def step(self, name: str) -> None:
        story, before = self.story, len(self.story.facts)
        command = self.command(name)
        if command is None:
            return
        try:
            story.do(command)
        except OnHold:
            assert name in STEPS
            assert self.blocked(STEPS[name])
        except IllegalTransition:
            pass
        else:
            assert name not in STEPS or not self.blocked(STEPS[name]) or before == len(story.facts)

    def command(self, name: str) -> c.Command | None:
        order, box = self.story.order, self.story.box(1)
        if name == "pay":
            return paid("op_1")
        if name == "cancel one":
            left = [x for x in order.lines if x.unshipped]
            return c.CancelOrder("less", (Quantity(left[0].line_id, 1),)) if left else None
        if name == "route":
            return self.routing()
        if not order.fulfillment_orders:
            return None
        if name == "pack":
            self.story.do(*self.picking())
            return c.PackFulfillmentOrder(box) if order.fulfillment_order(box).lines else None
        return {
            "ready": c.ReadyFulfillmentOrder(box),
            "ship": ship(self.story),
            "collect": c.CollectFulfillmentOrder(box),
        }[name]

    def picking(self) -> list[c.Command]:
        box = self.story.order.fulfillment_order(self.story.box(1))
        return [c.PickFulfillmentOrder(box.fulfillment_order_id)] if box.status == "open" else []

    def routing(self) -> c.Command | None:
        """Once: all of it, to one location."""
        open_units = {x.line_id: x.open for x in self.story.order.lines if x.open}
        if self.story.order.fulfillment_orders or not open_units:
            return None
        delivery = Delivery.PICKUP if self.pickup else Delivery.SHIP
        plan = self.story.plan(("austin", open_units))
        return c.RecordRouting(tuple(replace(each, delivery=delivery) for each in plan), RECORD)


@given(wishes=st.lists(WISHES, max_size=30), pickup=st.booleans(), captured=st.booleans())
def test_what_is_blocked_never_happens_and_what_is_not_is_never_refused(
    wishes: list[tuple[object, ...]], pickup: bool, captured: bool
) -> None:
    how = {"provider": "external", "captured": 3500} if captured else {}
    story = Story(placement(line(quantity=3), pickup_location="austin" if pickup else "", **how))
    order = Held(story, pickup)

    for wish in wishes:
        order.wish(wish)
        settled = {each.kind for each in story.order.to_settle}
        assert not (order.blocked(REFUND) and OperationKind.REFUND in settled)
        if not order.blocked(REFUND):
            assert story.order.to_settle == story.order.payment.unsettled

    assert fold(story.order_id, story.facts) == story.order


@given(wishes=st.lists(WISHES, max_size=30))
def test_holds_are_in_no_status(wishes: list[tuple[object, ...]]) -> None:
    """Whatever was done, the same order without its holds has the same statuses; and each hold
    that is laid or released changes none."""
    order = Held(Story(placement(line(quantity=3))), pickup=False)
    for wish in wishes:
        before = statuses(order.story.order)
        order.wish(wish)
        if wish[0] in ("hold", "release", "wait"):
            assert statuses(order.story.order) == before
        assert statuses(replace(order.story.order, holds=())) == statuses(order.story.order)


def statuses(order: Order) -> tuple[object, ...]:
    return (
        order.status,
        payment_status(order),
        fulfillment_status(order),
        prepared(order),
        order.lines,
    )


def test_a_released_hold_is_not_released_again() -> None:
    story = Story().do(held(), released())

    assert decide(released(), story.order) == ()
    recorded, _ = facts(story.order_id, story.order, decide(held(), story.order), NOW, "x")
    assert [fact.event.hold_id for fact in recorded] == ["hold_2"]  # type: ignore[union-attr]
