"""Every history of stock: the table and the fake against plain sums, movement by movement.

The reference knows four counters for each place and the units of each reservation, and nothing of
how either is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from oms.adapters.dynamodb import DynamoDB, transact
from oms.adapters.stock_ledger import StockLedger
from oms.adapters.stock_table import StockTable
from oms.domain.errors import Refused
from oms.domain.inventory import (
    AdjustmentReason,
    CountedTooFew,
    DuplicateMovement,
    MovementKind,
    NotExpected,
    NotReserved,
    OutOfStock,
    StockChange,
    StockItemChange,
)
from oms.domain.locations import Location, LocationKind
from tests.fakes import LedgerFake, StockFake
from tests.tables import create_table

K = MovementKind
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SKUS, PLACES = ("MUG", "CUP"), ("LYON", "PARIS")
BEGINS = {K.ALLOCATED: "ful", K.HELD: "hld", K.LEASED: "lse"}
# What one unit adds to on hand, available, reserved, incoming: told apart from the domain's table.
ADDS = {
    K.RECEIVED: (1, 1, 0, 0),
    K.ADJUSTED: (1, 1, 0, 0),
    K.COUNTED: (1, 1, 0, 0),
    K.ALLOCATED: (0, -1, 1, 0),
    K.HELD: (0, -1, 1, 0),
    K.LEASED: (0, -1, 1, 0),
    K.CONSUMED: (-1, 0, -1, 0),
    K.MISSING: (-1, 0, -1, 0),
    K.RELEASED: (0, 1, -1, 0),
    K.CARRIED: (0, 0, 0, 0),
    K.EXPECTED: (0, 0, 0, 1),
    K.UNEXPECTED: (0, 0, 0, -1),
    K.ARRIVED: (1, 1, 0, -1),
    K.SENT: (-1, -1, 0, 0),
}

Place = tuple[str, str]
numbers = count(1)


@dataclass
class House:
    stock: Any
    ledger: Any
    commit: Callable[[Any], None]


def fake_house() -> House:
    stock = StockFake()
    return House(stock, LedgerFake(stock), stock.commit)


def table_house(dynamodb: DynamoDB) -> Callable[[], House]:
    """One table; each history has SKUs of its own."""
    name = create_table(dynamodb, "stock", f"stock-{uuid4()}")
    stock, ledger = StockTable(dynamodb, name), StockLedger(dynamodb, name)
    return lambda: House(stock, ledger, lambda writes: transact(dynamodb, writes))


@dataclass
class Reference:
    """Counters by place, units by place and reservation."""

    counters: dict[Place, list[int]] = field(default_factory=dict)
    claims: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def would_be(self, moves: Sequence[tuple[Place, MovementKind, int]]) -> dict[Place, list[int]]:
        after: dict[Place, list[int]] = {}
        for place, kind, quantity in moves:
            now = after.setdefault(place, list(self.counters.get(place, [0, 0, 0, 0])))
            for index, adds in enumerate(ADDS[kind]):
                now[index] += adds * quantity
        return after

    def live(self) -> list[tuple[str, str, str]]:
        return sorted(whose for whose, units in self.claims.items() if units)


class StockHistory(RuleBasedStateMachine):
    build: Callable[[], House]

    def __init__(self) -> None:
        super().__init__()
        self.house, self.run = type(self).build(), next(numbers)
        for location in PLACES:
            self.house.stock.put_location(Location(location, location, LocationKind.STORE, "FR"))
        self.reference = Reference()
        self.ticks, self.done = count(1), list[StockChange]()
        self.before: list[tuple[datetime, dict[Place, list[int]]]] = []

    @rule(place=st.sampled_from(PLACES), sku=st.sampled_from(SKUS), quantity=st.integers(1, 6))
    def receive(self, sku: str, place: str, quantity: int) -> None:
        where = self.own(sku), place
        self.house.stock.receive(*where, quantity, at=self.tick(), actor="test")
        self.reference.counters |= self.reference.would_be([(where, K.RECEIVED, quantity)])

    @rule(
        place=st.sampled_from(PLACES),
        sku=st.sampled_from(SKUS),
        by=st.integers(-4, 4).filter(bool),
        reason=st.sampled_from(AdjustmentReason),
    )
    def adjust(self, sku: str, place: str, by: int, reason: AdjustmentReason) -> None:
        where, at = (self.own(sku), place), self.tick()
        deed = lambda: self.house.ledger.adjust(*where, by, reason, at=at, actor="test")  # noqa: E731
        self.expect([(where, K.ADJUSTED, by)], deed)

    @rule(place=st.sampled_from(PLACES), sku=st.sampled_from(SKUS), counted=st.integers(0, 9))
    def count(self, sku: str, place: str, counted: int) -> None:
        where, at = (self.own(sku), place), self.tick()
        on_hand, _, reserved, _ = self.reference.counters.get(where, [0, 0, 0, 0])
        if counted < reserved:
            with pytest.raises(CountedTooFew) as refused:
                self.house.ledger.count(*where, counted, at=at, actor="test")
            named = [w for w in self.reference.live() if w[:2] == where]
            assert all(reservation in str(refused.value) for *_, reservation in named)
        else:
            variance = self.house.ledger.count(*where, counted, at=at, actor="test")
            assert variance == counted - on_hand
            if variance or where in self.reference.counters:
                moved = self.reference.would_be([(where, K.COUNTED, variance)])
                self.reference.counters |= moved

    @rule(
        kind=st.sampled_from([*BEGINS, K.EXPECTED, K.UNEXPECTED, K.ARRIVED, K.SENT]),
        places=st.lists(
            st.tuples(st.sampled_from(SKUS), st.sampled_from(PLACES), st.integers(1, 4)),
            min_size=1,
            max_size=4,
        ),
        floor=st.integers(0, 3),
    )
    def move(self, kind: MovementKind, places: list[tuple[str, str, int]], floor: int) -> None:
        """Several items at once, some of them twice; sales leave the safety stock."""
        whose = f"{BEGINS[kind]}_{next(numbers)}" if kind in BEGINS else ""
        items = [StockItemChange(self.own(s), p, q, whose) for s, p, q in places]
        floors = {(x.sku, x.location): floor for x in items} if kind in BEGINS else {}
        self.commit([StockChange(kind, f"c{next(numbers)}", self.tick(), tuple(items))], floors)

    @precondition(lambda self: self.reference.live())
    @rule(kind=st.sampled_from([K.CONSUMED, K.RELEASED, K.MISSING]), data=st.data())
    def end(self, kind: MovementKind, data: st.DataObject) -> None:
        """Some or all of a reservation."""
        *where, whose = data.draw(st.sampled_from(self.reference.live()))
        had = self.reference.claims[where[0], where[1], whose]
        item = StockItemChange(where[0], where[1], data.draw(st.integers(1, had)), whose)
        self.commit([StockChange(kind, f"c{next(numbers)}", self.tick(), (item,))])

    @precondition(lambda self: self.reference.live())
    @rule(data=st.data())
    def carry(self, data: st.DataObject) -> None:
        """A cart becomes an order: its units change hands, and no counter moves."""
        sku, place, whose = data.draw(st.sampled_from(self.reference.live()))
        units = data.draw(st.integers(1, self.reference.claims[sku, place, whose]))
        item = StockItemChange(sku, place, units, f"ful_{next(numbers)}", whose)
        self.commit([StockChange(K.CARRIED, f"c{next(numbers)}", self.tick(), (item,))])

    @precondition(lambda self: self.reference.live())
    @rule(data=st.data(), to=st.sampled_from(PLACES))
    def reroute(self, data: st.DataObject, to: str) -> None:
        """Given back here and taken there, in one transaction."""
        sku, place, whose = data.draw(st.sampled_from(self.reference.live()))
        units, at = self.reference.claims[sku, place, whose], self.tick()
        there = StockItemChange(sku, to, units, f"ful_{next(numbers)}")
        self.commit(
            [
                StockChange(
                    K.RELEASED, f"c{next(numbers)}", at, (item_of(sku, place, units, whose),)
                ),
                StockChange(K.ALLOCATED, f"c{next(numbers)}", at, (there,)),
            ]
        )

    @rule(sku=st.sampled_from(SKUS), place=st.sampled_from(PLACES), units=st.integers(1, 9))
    def end_more_than_is_reserved(self, sku: str, place: str, units: int) -> None:
        where = self.own(sku), place
        reserved = self.reference.counters.get(where, [0, 0, 0, 0])[2]
        item = item_of(*where, reserved + units, "ful_none")
        change = StockChange(K.CONSUMED, f"c{next(numbers)}", self.tick(), (item,))
        with pytest.raises(NotReserved):
            self.house.commit(self.house.stock.writes(change))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        change = data.draw(st.sampled_from(self.done))
        with pytest.raises(DuplicateMovement):
            self.house.commit(self.house.stock.writes(change))

    @precondition(lambda self: self.before)
    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        at, then = data.draw(st.sampled_from(self.before))
        for sku in SKUS:
            for level in self.house.ledger.levels_at(self.own(sku), at):
                place = level.sku, level.location
                assert list(level.counters) == then.get(place, [0, 0, 0, 0])

    @invariant()
    def the_counters_are_what_moved(self) -> None:
        levels = self.house.stock.levels([self.own(sku) for sku in SKUS])
        found = {(x.sku, x.location): list(x.counters) for of in levels.values() for x in of}
        assert found == self.reference.counters
        for sku in SKUS:
            for balance in self.house.stock.balances(self.own(sku)):
                assert balance.is_even, balance

    @invariant()
    def every_reserved_unit_is_somebodys(self) -> None:
        for sku in SKUS:
            standing = self.house.ledger.standing(self.own(sku))
            found = {
                (self.own(sku), x.location, x.reservation): x.quantity
                for x in standing.reservations
            }
            mine = (w for w in self.reference.live() if w[0] == self.own(sku))
            assert standing.is_whole
            assert found == {whose: self.reference.claims[whose] for whose in mine}

    def commit(self, changes: list[StockChange], floors: dict[Place, int] | None = None) -> None:
        moves = [((x.sku, x.location), c.kind, x.quantity) for c in changes for x in c.items]
        writes = self.house.stock.writes(*changes, floors=floors)
        if self.expect(moves, lambda: self.house.commit(writes), floors or {}):
            self.done += changes
            for change in changes:
                self.claim(change)

    def claim(self, change: StockChange) -> None:
        for item in change.items:
            taken = -item.quantity if change.kind in (K.CONSUMED, K.RELEASED, K.MISSING) else 0
            given = item.quantity if change.kind in (*BEGINS, K.CARRIED) else 0
            self.reference.claims[item.sku, item.location, item.reservation] += given + taken
            if change.kind is K.CARRIED:
                self.reference.claims[item.sku, item.location, item.taken_from] -= item.quantity

    def expect(
        self,
        moves: Sequence[tuple[Place, MovementKind, int]],
        deed: Callable[[], Any],
        floors: dict[Place, int] | None = None,
    ) -> bool:
        """Do it, if the sums say that it can be done; else see it refused for the right reason."""
        after = self.reference.would_be(moves)
        if refused := self.refusals(after, floors or {}):
            with pytest.raises(Refused) as error:
                deed()
            assert type(error.value) in refused
            return False
        deed()
        same = {p for p in after if after[p] == [0] * 4 and p not in self.reference.counters}
        self.reference.counters |= {p: n for p, n in after.items() if p not in same}
        return True

    def refusals(self, after: dict[Place, list[int]], floors: dict[Place, int]) -> set[type]:
        found: set[type] = set()
        for place, (_, available, reserved, incoming) in after.items():
            before = self.reference.counters.get(place, [0, 0, 0, 0])[1]
            least = floors.get(place, 0) if available < before else 0
            found |= {OutOfStock} if available < least else set()
            found |= {NotReserved} if reserved < 0 else set()
            found |= {NotExpected} if incoming < 0 else set()
        return found

    def own(self, sku: str) -> str:
        return f"{sku}-{self.run}"

    def tick(self) -> datetime:
        """Later than all that has happened, which is remembered."""
        at = AT + timedelta(seconds=10 * next(self.ticks))
        then = {place: list(counters) for place, counters in self.reference.counters.items()}
        self.before.append((at - timedelta(seconds=5), then))
        return at


def item_of(sku: str, place: str, units: int, whose: str) -> StockItemChange:
    return StockItemChange(sku, place, units, whose)


def run(build: Callable[[], House], examples: int, steps: int) -> None:
    StockHistory.build = staticmethod(build)
    run_state_machine_as_test(
        StockHistory,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_history_of_the_fake_adds_up() -> None:
    run(fake_house, 60, 30)


@pytest.mark.cloud
def test_every_history_of_the_table_adds_up(dynamodb: DynamoDB) -> None:
    run(table_house(dynamodb), 12, 25)
