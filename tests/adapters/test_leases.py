"""Leases of environments: never oversold, whoever dies or is faster, and nothing stays behind."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from functions.inventory.reclaim_leases import reclaim
from infra.local.memory_rows import MemoryRows
from oms.adapters.dynamodb import unpack
from oms.contracts import events
from oms.domain.events import StockFreed
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.leases import FIRST
from tests.sellers import AT, ITEM, PLACE, Clock, Crash, Market, Seller
from tests.tables import create_table

HOT = 3  # conflicts


@pytest.fixture(params=["memory", pytest.param("table", marks=pytest.mark.cloud)])
def market(request: pytest.FixtureRequest) -> Market:
    if request.param == "memory":
        return Market(MemoryRows(), "stock")
    client = request.getfixturevalue("dynamodb")
    return Market(client, create_table(client, "stock", f"stock-{uuid4()}"))


def hot_seller(market: Market) -> Seller:
    """One that has met enough conflicts to lease, and has leased."""
    seller = market.seller()
    seller.disturb(conflicts=HOT)
    assert seller.sell()
    return seller


def kinds(market: Market) -> list[MovementKind]:
    return [move.kind for move in market.stock.movements(ITEM, 100).movements]


def test_a_quiet_item_is_taken_from_its_level(market: Market) -> None:
    market.fill(1000)
    seller = market.seller()
    seller.disturb(conflicts=HOT - 1)

    assert seller.sell(3)

    assert market.level == (1000, 997, 3)
    assert seller.leases.own(ITEM) == {}
    assert market.leases.open() == []


def test_an_environment_that_meets_conflicts_leases_and_writes_the_level_no_more(
    market: Market,
) -> None:
    market.fill(1000)
    seller = hot_seller(market)
    leased = market.level

    for _ in range(FIRST - 1):
        assert seller.sell()

    assert leased == market.level == (1000, 1000 - FIRST, FIRST)
    assert seller.leases.own(ITEM) == {PLACE: 0}
    market.check()


def test_conflicts_of_long_ago_are_forgotten(market: Market) -> None:
    market.fill(1000)
    seller = market.seller()

    for _ in range(4):
        seller.disturb(conflicts=HOT - 1)
        assert seller.sell()
        market.clock.pass_by(6)

    assert market.leases.open() == []


def test_leases_grow_while_they_are_sold_quickly(market: Market) -> None:
    market.fill(10_000)
    seller = hot_seller(market)

    for _ in range(FIRST):
        assert seller.sell()

    assert seller.leases.own(ITEM) == {PLACE: 2 * FIRST - 1}


def test_when_the_demand_has_cooled_no_more_is_leased(market: Market) -> None:
    market.fill(1000)
    seller = hot_seller(market)

    for _ in range(FIRST):
        market.clock.pass_by(1)
        assert seller.sell()

    assert kinds(market).count(MovementKind.LEASED) == 1
    assert kinds(market).count(MovementKind.ALLOCATED) == 1
    assert market.leases.open() == []
    market.check()


def test_what_is_left_is_given_back_when_the_environment_is_called_again(market: Market) -> None:
    market.fill(1000)
    seller = hot_seller(market)
    market.clock.pass_by(6)

    seller.leases.levels(["ANOTHER"])

    assert market.level == (1000, 999, 1)
    assert market.leases.open() == []
    market.check()


def test_units_that_come_back_are_told_to_those_who_wait(market: Market) -> None:
    market.fill(1000)
    hot_seller(market).leases.give_back()

    told = [row for row in market.rows() if row.get("type", {}).get("S") == "StockFreed"]

    assert [events.read("StockFreed", unpack(row["body"])) for row in told] == [
        StockFreed(ITEM, PLACE, FIRST - 1, "lease_ended")
    ]


def test_the_reaper_ends_what_a_dead_environment_has_leased_and_not_before(market: Market) -> None:
    market.fill(1000)
    hot_seller(market)

    early = reclaim(market.leases, market.clock())
    market.clock.pass_by(31)

    assert early == {"abandoned": 0, "ended": 0, "units": 0}
    assert reclaim(market.leases, market.clock())["units"] == FIRST - 1
    assert market.level == (1000, 999, 1)
    market.check()


def test_a_lease_that_sells_while_the_reaper_looks_is_left_alone(market: Market) -> None:
    market.fill(1000)
    seller = hot_seller(market)
    (read,) = market.leases.open()
    assert seller.sell()

    assert market.leases.end_if_unused(read, market.clock()) == 0
    assert seller.sell()
    market.check()


def test_an_environment_whose_lease_was_ended_sells_on(market: Market) -> None:
    market.fill(1000)
    seller = hot_seller(market)
    (lease,) = market.leases.open()
    market.leases.give_back(lease, market.clock())

    assert seller.sell()
    assert market.level[0] == 1000
    market.check()


def test_nobody_waits_while_another_holds_units_that_are_not_sold(market: Market) -> None:
    market.fill(40)
    holder = hot_seller(market)
    other = market.seller()

    sold = sum(other.sell() for _ in range(50))

    assert sold == 39
    assert market.level == (40, 0, 40)
    assert not holder.sell()
    assert market.leases.open() == []
    market.check()


def test_one_that_runs_out_gets_half_of_what_another_has(market: Market) -> None:
    market.fill(FIRST * 16)
    holder, other = hot_seller(market), market.seller()
    market.stock.apply(drained(market, market.level[1]))

    assert other.sell()

    assert other.leases.own(ITEM) == {PLACE: (FIRST - 1) // 2 - 1}
    assert holder.sell()
    market.sold += FIRST * 15
    market.check()


def test_units_are_only_reclaimed_where_the_order_may_have_them(market: Market) -> None:
    market.fill(1000)
    hot_seller(market)

    assert market.seller().leases.reclaim({ITEM: 1}, {"PARIS"}) == 0
    assert market.seller().leases.reclaim({"OTHER": 1}, {PLACE}) == 0


def test_a_floor_is_left_alone(market: Market) -> None:
    market.fill(100)
    seller = market.seller()
    seller.disturb(conflicts=HOT)

    sold = sum(seller.sell(floor=90) for _ in range(20))

    assert sold == 10
    assert market.level == (100, 90, 10)
    market.check()


def test_the_last_units_are_not_hoarded(market: Market) -> None:
    market.fill(20)
    hot_seller(market)

    assert market.level[1] >= 18


def test_a_lost_answer_is_looked_up_before_the_lease_is_used_again(market: Market) -> None:
    market.fill(1000)
    seller = hot_seller(market)
    seller.disturb(at=2, after=True)
    with pytest.raises(Crash):  # of the connection only: the environment lives on
        seller.sell()
    market.sold += 1
    seller.disturb(at=0)

    assert seller.sell()
    assert seller.leases.own(ITEM) == {PLACE: FIRST - 3}
    market.check()


def drained(market: Market, units: int) -> Any:
    item = StockItemChange(*AT, units, "ful_large")
    return StockChange(MovementKind.ALLOCATED, "ful_large", market.clock(), (item,))


class Sale(RuleBasedStateMachine):
    """Environments sell, die and meddle with each other; the reaper comes when it likes."""

    total = 400

    def __init__(self) -> None:
        super().__init__()
        self.market = Market(MemoryRows(), "stock", Clock())
        self.market.fill(self.total)
        self.sellers = [self.market.seller() for _ in range(4)]

    who = st.integers(0, 3)
    units = st.integers(1, 12)

    @rule(who=who, units=units, heat=st.sampled_from([0, 0, HOT]))
    def sells(self, who: int, units: int, heat: int) -> None:
        self.sellers[who].disturb(conflicts=heat, at=0)
        free = self.market.level[1] + sum(each.units for each in self.market.leases.open())
        assert self.sellers[who].sell(units) or free < units

    @rule(who=who, units=units, floor=st.integers(0, 300), heat=st.sampled_from([0, HOT]))
    def sells_above_a_floor(self, who: int, units: int, floor: int, heat: int) -> None:
        self.sellers[who].disturb(conflicts=heat, at=0)
        self.sellers[who].sell(units, floor)

    @rule(who=who, units=units, at=st.integers(1, 8), after=st.booleans(), heat=st.integers(0, 3))
    def dies(self, who: int, units: int, at: int, after: bool, heat: int) -> None:
        seller = self.sellers[who]
        seller.disturb(conflicts=heat, at=at, after=after)
        before = self.market.sold
        try:
            seller.sell(units)
        except Crash:
            seller.start()
            self._count_orders(before)

    @rule(who=who, other=who, units=units, at=st.integers(1, 8), heat=st.integers(0, 3))
    def is_overtaken(self, who: int, other: int, units: int, at: int, heat: int) -> None:
        if who != other:
            self._meddled(who, units, at, heat, lambda: self.sellers[other].sell(units))

    @rule(who=who, units=units, at=st.integers(1, 8), heat=st.integers(0, 3))
    def is_ended_meanwhile(self, who: int, units: int, at: int, heat: int) -> None:
        self._meddled(who, units, at, heat, self._end_all)

    @rule(seconds=st.sampled_from([0.1, 2, 6, 31]))
    def time_passes(self, seconds: float) -> None:
        self.market.clock.pass_by(seconds)

    @rule()
    def the_reaper_comes(self) -> None:
        reclaim(self.market.leases, self.market.clock())

    @invariant()
    def nothing_is_oversold_and_every_unit_has_an_owner(self) -> None:
        self.market.check()

    def teardown(self) -> None:
        """After it has cooled."""
        self.market.clock.pass_by(60)
        reclaim(self.market.leases, self.market.clock())
        assert self.market.leases.open() == []
        on_hand, available, reserved = self.market.level
        assert (on_hand, available + self.market.sold) == (self.total, self.total)
        assert reserved == self.market.sold

    def _meddled(self, who: int, units: int, at: int, heat: int, meddle: Any) -> None:
        for each in self.sellers:
            each.disturb(at=0, conflicts=0)
        self.sellers[who].disturb(conflicts=heat, at=at, after=False, meddle=meddle)
        try:
            self.sellers[who].sell(units)
        finally:
            self.sellers[who].disturb(at=0, meddle=None)

    def _end_all(self) -> None:
        for lease in self.market.leases.open():
            self.market.leases.give_back(lease, self.market.clock())

    def _count_orders(self, before: int) -> None:
        """Nobody has heard whether it was sold: the table knows."""
        orders = (row for row in self.market.rows() if row["PK"]["S"].startswith("ORDER#"))
        self.market.sold = sum(int(row["units"]["S"]) for row in orders)
        assert self.market.sold >= before


def test_whatever_happens_nothing_is_oversold_and_nothing_stays_behind() -> None:
    run_state_machine_as_test(
        Sale,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
