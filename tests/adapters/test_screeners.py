"""What every screener keeps to, and what becomes of its verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from oms.adapters.policies_table import PoliciesTable
from oms.adapters.screening import SCREENERS
from oms.adapters.screening.asking import facts_of, screened
from oms.adapters.screening.base import NoVerdict, Screener
from oms.domain import screening as domain
from oms.domain.commands import CancelOrder, ReleaseHold
from oms.domain.order import Order, OrderStatus
from oms.domain.screening import HoldPolicy, OrderFacts, Screening, Unavailable, Verdict
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud
REVIEWED: dict[str, Any] = {"tags": ["screen-review"]}


@dataclass
class Counting:
    """The sandbox, and whom it was asked about."""

    code: str = "test"
    asked: list[OrderFacts] = field(default_factory=list)

    def screen(self, facts: OrderFacts) -> Verdict:
        self.asked.append(facts)
        return SCREENERS["test"].screen(facts)


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 50)
    return world


def facts(tags: Iterable[str] = (), **changes: Any) -> OrderFacts:
    order = OrderFacts(2500, "USD", "web", "fake", now(), tags=tuple(tags), order_id="ord_a")
    return replace(order, **changes)


def policies(world: World, screening: Screening | None) -> PoliciesTable:
    table = PoliciesTable(world.client, world.orders_name)
    if screening:
        policy = HoldPolicy(screening=screening)
        table.save("holds", policy, expected=None, at=now(), actor="user:1")
    return table


def ask(
    world: World,
    screening: Screening | None = None,
    screener: Screener | None = None,
    **said: Any,
) -> Order:
    """A paid order, as the step asks it."""
    order = world.pay(world.place(an_order(**said)).order_id)
    chosen = {"test": screener or SCREENERS["test"]}
    return screened(world.orders, order, policies(world, screening), at=now(), screeners=chosen)


@pytest.mark.parametrize("screener", SCREENERS.values(), ids=SCREENERS)
class TestEveryScreener:
    def test_goes_by_its_own_name(self, screener: Screener) -> None:
        assert SCREENERS[screener.code] is screener
        assert screener.screen(facts()).provider == screener.code

    def test_gives_the_same_order_the_same_verdict(self, screener: Screener) -> None:
        asked = facts(["screen-review"])

        assert screener.screen(asked) == screener.screen(asked)

    def test_has_a_verdict_or_says_that_it_has_none(self, screener: Screener) -> None:
        for tag in ("", "screen-review", "screen-reject", "screen-down"):
            try:
                verdict = screener.screen(facts([tag]))
            except NoVerdict:
                continue
            assert verdict.kind is not domain.VerdictKind.UNAVAILABLE
            assert verdict.score is None or 0 <= verdict.score <= 100

    def test_may_be_named_in_a_policy(self, screener: Screener) -> None:
        assert screener.code in domain.SCREENERS
        assert set(domain.SCREENERS) == set(SCREENERS)


def test_without_a_screener_nothing_is_asked_or_written(world: World) -> None:
    counting = Counting()

    order = ask(world, None, counting, **REVIEWED)

    assert counting.asked == []
    assert world.orders.get(order.order_id).verdict is None


def test_a_reviewed_order_is_paid_but_not_routed_until_it_is_released(world: World) -> None:
    order = ask(world, Screening("test"), **REVIEWED)
    assert order.is_paid_for
    assert world.route(order.order_id) == "on_hold"

    world.do(order.order_id, ReleaseHold("hold_1", "a known customer"))

    assert world.route(order.order_id) == "routed"


def test_an_order_is_asked_about_once_whoever_dies_meanwhile(world: World) -> None:
    counting, order = Counting(), world.place(an_order(**REVIEWED))
    world.pay(order.order_id)
    policies(world, Screening("test"))

    def deed(mortal: World) -> None:
        table = PoliciesTable(mortal.client, world.orders_name)
        known = mortal.orders.get(order.order_id)
        screened(mortal.orders, known, table, at=now(), screeners={"test": counting})

    assert survives(world, deed)

    assert len(world.check(order.order_id).holds) == 1
    assert {each.order_id for each in counting.asked} == {order.order_id}
    known = len(counting.asked)
    deed(world)
    assert len(counting.asked) == known


@pytest.mark.parametrize(("said", "holds"), [(Unavailable.HOLD, 1), (Unavailable.LET_GO, 0)])
def test_what_becomes_of_orders_that_nobody_answers_for_is_the_policys_word(
    world: World, said: Unavailable, holds: int
) -> None:
    screening = Screening("test", unavailable=said)

    order = ask(world, screening, tags=["screen-down"])

    assert len(order.active_holds) == holds
    assert order.verdict == Verdict("test", domain.VerdictKind.UNAVAILABLE)


def test_a_screener_that_is_not_there_any_more_answers_for_nothing(world: World) -> None:
    assert ask(world, Screening("gone")).active_holds


def test_a_rejected_order_waits_for_a_person(world: World) -> None:
    order = ask(world, Screening("test"), tags=["screen-reject"])

    assert (order.status, bool(order.attention)) == (OrderStatus.CONFIRMED, True)
    assert [hold.type for hold in order.active_holds] == ["fraud"]


def test_a_rejected_order_is_cancelled_where_the_policy_says_so(world: World) -> None:
    order = ask(world, Screening("test", cancel_rejected=True), tags=["screen-reject"])

    assert world.check(order.order_id).status is OrderStatus.CANCELLED
    assert world.pay(order.order_id).payment.unsettled == ()


def test_what_somebody_works_on_already_is_not_screened_any_more(world: World) -> None:
    counting, order = Counting(), world.place(an_order())
    world.pay(order.order_id)
    world.route(order.order_id)
    table = policies(world, Screening("test"))

    for known in (
        world.orders.get(order.order_id),
        world.do(order.order_id, CancelOrder("no")),
    ):
        screened(world.orders, known, table, at=now(), screeners={"test": counting})

    assert counting.asked == []


def test_a_screener_is_told_nothing_that_names_the_customer(world: World) -> None:
    order = world.place(an_order(risk={"score": 40, "card_country": "BR"}, billing_country="DE"))

    told = facts_of(order)

    assert (told.risk, told.billing_country) == (domain.Risk(40, "channel", "BR"), "DE")
    assert "ada" not in repr(told).lower().replace(order.order_id, "")
