"""Purchase orders and transfers over a real table: together or not at all, once, in every race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from oms.adapters.dynamodb import DynamoDB, query, s
from oms.adapters.orders_table import OnceKey
from oms.adapters.supply_rows import PURCHASES, TRANSFERS
from oms.adapters.supply_table import Done, OtherDocument, SupplyTable
from oms.contracts.cursors import BadCursor
from oms.domain.errors import NotFound, Refused
from oms.domain.inventory import IdempotencyConflict, OutOfStock, UnknownLocation
from oms.domain.supply import (
    MAX_PURCHASE_LINES,
    MAX_RECEIPT_LINES,
    MAX_TRANSFER_LINES,
    Disposition,
    ExpectedSupply,
    PurchaseLine,
    PurchaseOrder,
    Transfer,
    TransferLine,
)
from tests.functions.world import World, now, survives

pytestmark = pytest.mark.cloud
MONDAY, FRIDAY = date(2026, 11, 30), date(2026, 12, 4)
BACK, LOST = Disposition.BACK_TO_SOURCE, Disposition.WRITE_OFF
numbers = count(1)


@dataclass
class Depot:
    """Supply in a world of two locations, AUSTIN and RENO."""

    world: World

    @property
    def supply(self) -> SupplyTable:
        world = self.world
        return SupplyTable(world.client, world.stock_name, world.stock)

    def ordered(self, *lines: tuple[str, int], identity: str = "pur_1") -> PurchaseOrder:
        found = tuple(PurchaseLine(sku, quantity, MONDAY) for sku, quantity in lines)
        return PurchaseOrder(identity, "Potter & Co", "AUSTIN", found, now())

    def order(self, *lines: tuple[str, int], identity: str = "pur_1") -> Done[PurchaseOrder]:
        step = self.ordered(*lines, identity=identity).ordered()
        return self.supply.order(step, fingerprint=str(lines), actor="test")

    def receive(
        self, came: dict[str, int], key: str = "", identity: str = "pur_1"
    ) -> Done[PurchaseOrder]:
        at = now()
        return self.supply.change(
            PURCHASES,
            identity,
            lambda order: order.receive(came, at),
            at=at,
            actor="test",
            once=OnceKey(key, str(came)) if key else None,
        )

    def draft(self, *lines: tuple[str, int], identity: str = "tra_1") -> Done[Transfer]:
        found = tuple(TransferLine(sku, quantity) for sku, quantity in lines)
        drafted = Transfer(identity, "AUSTIN", "RENO", found, FRIDAY, now())
        return self.supply.draft(drafted, fingerprint=str(lines), actor="test")

    def transfer(self, how: Any, identity: str = "tra_1") -> Done[Transfer]:
        at = now()
        return self.supply.change(TRANSFERS, identity, lambda it: how(it, at), at=at, actor="test")

    def send(self, identity: str = "tra_1") -> Done[Transfer]:
        return self.transfer(lambda it, at: it.send(at), identity)

    def incoming(self, sku: str, location: str = "AUSTIN") -> int:
        levels = self.world.stock.levels([sku])[sku]
        return sum(level.incoming for level in levels if level.location == location)

    def told(self, sku: str) -> list[tuple[str, str]]:
        rows = query(
            self.world.client,
            TableName=self.world.stock_name,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            ExpressionAttributeValues={":pk": s(f"SKU#{sku}"), ":event": s("EVENT#")},
        )
        return [(row["type"]["S"], row["body"]["S"]) for row in rows]

    def check(self) -> None:
        assert all(balance.is_even for balance in self.world.stock.scan_balances())


@pytest.fixture
def depot(dynamodb: DynamoDB) -> Depot:
    return Depot(World.new(dynamodb))


def of(depot: Depot, sku: str) -> list[tuple[date, str, int]]:
    return [(each.on, each.source, each.quantity) for each in depot.supply.expected([sku])[sku]]


def test_what_is_ordered_is_expected_and_can_be_sold_before_it_is_here(depot: Depot) -> None:
    depot.order(("MUG", 10))

    expected = depot.supply.expected(["MUG", "CUP", "MUG"])

    assert expected == {"MUG": (ExpectedSupply(MONDAY, "AUSTIN", 10, "purchase/pur_1"),), "CUP": ()}
    assert depot.world.stock.known(["MUG"]) == {"MUG"}
    assert (depot.world.level("MUG"), depot.incoming("MUG")) == ((0, 0, 0), 10)
    depot.check()


def test_an_order_for_a_place_that_is_no_location_leaves_nothing(depot: Depot) -> None:
    lines = (PurchaseLine("MUG", 1, MONDAY),)
    order = PurchaseOrder("pur_1", "Potter & Co", "ATLANTIS", lines, now())

    with pytest.raises(UnknownLocation):
        depot.supply.order(order.ordered(), fingerprint="f", actor="test")

    assert depot.world.stock.known(["MUG"]) == set()
    with pytest.raises(NotFound):
        depot.supply.get(PURCHASES, "pur_1")


def test_the_same_order_told_twice_is_one_and_another_one_under_its_id_a_conflict(
    depot: Depot,
) -> None:
    assert [depot.order(("MUG", 10)).new for _ in range(2)] == [True, False]
    with pytest.raises(OtherDocument):
        depot.order(("MUG", 11))

    assert depot.incoming("MUG") == 10


def test_a_delivery_lowers_what_is_expected_and_wakes_who_waits(depot: Depot) -> None:
    depot.order(("MUG", 10))

    depot.receive({"MUG": 7})
    assert of(depot, "MUG") == [(MONDAY, "purchase/pur_1", 3)]
    depot.receive({"MUG": 5})

    assert of(depot, "MUG") == []
    assert depot.world.level("MUG") == (12, 12, 0)
    assert [name for name, _ in depot.told("MUG")] == ["StockReceived", "StockReceived"]
    assert '"quantity":5' in depot.told("MUG")[1][1]
    depot.check()


def test_a_delivery_told_twice_counts_once_and_gets_one_answer(depot: Depot) -> None:
    depot.order(("MUG", 10))

    first, second = (depot.receive({"MUG": 12}, key="note 7") for _ in range(2))

    assert (first.new, second.new) == (True, False)
    assert first.accepted == second.accepted
    assert depot.world.level("MUG") == (12, 12, 0)
    with pytest.raises(IdempotencyConflict):
        depot.receive({"MUG": 13}, key="note 7")


def test_lists_are_by_status_and_newest_first(depot: Depot) -> None:
    for number in range(3):
        depot.order((f"MUG-{number}", 1), identity=f"pur_{number}")
    depot.receive({"MUG-1": 1}, identity="pur_1")

    def listed(status: str | None) -> list[str]:
        found: list[str] = []
        cursor = None
        while not found or cursor:
            page = depot.supply.page(PURCHASES, 1, status, cursor)
            found += [each.identity for each in page.documents]
            cursor = page.cursor
        return found

    assert listed(None) == ["pur_2", "pur_1", "pur_0"]
    assert listed("ordered") == ["pur_2", "pur_0"]
    assert listed("received") == ["pur_1"]
    for foreign in ("%", depot.supply.page(PURCHASES, 1, "ordered").cursor):
        with pytest.raises(BadCursor):
            depot.supply.page(PURCHASES, 1, None, foreign)


def test_another_day_moves_what_is_expected_to_it(depot: Depot) -> None:
    depot.order(("MUG", 10))

    depot.supply.change(
        PURCHASES, "pur_1", lambda it: it.reschedule({"MUG": FRIDAY}), at=now(), actor="test"
    )

    assert of(depot, "MUG") == [(FRIDAY, "purchase/pur_1", 10)]


def test_the_largest_documents_fit_into_their_transactions(depot: Depot) -> None:
    def lines(number: int) -> list[tuple[str, int]]:
        return [(f"SKU-{n}", 2) for n in range(number)]

    depot.order(*lines(MAX_PURCHASE_LINES))
    depot.receive({sku: 3 for sku, _ in lines(MAX_RECEIPT_LINES)}, key="a")
    depot.draft(*lines(MAX_TRANSFER_LINES))
    depot.send()
    at = now()
    depot.supply.change(
        TRANSFERS,
        "tra_1",
        lambda it: it.cancel(at, "flood", BACK),
        at=at,
        actor="test",
        once=OnceKey("b", ""),
    )
    depot.supply.change(PURCHASES, "pur_1", lambda it: it.call_off({}, at, "so"), at=at, actor="t")

    assert depot.world.level("SKU-0") == (3, 3, 0)
    assert not any(depot.supply.expected([sku for sku, _ in lines(30)]).values())
    depot.check()


def test_a_transfer_leaves_one_place_and_is_expected_at_the_other(depot: Depot) -> None:
    depot.world.receive("MUG", 8)
    depot.draft(("MUG", 5))
    depot.send()
    depot.send()

    assert depot.world.level("MUG") == (3, 3, 0)
    assert depot.incoming("MUG", "RENO") == 5
    assert of(depot, "MUG") == [(FRIDAY, "transfer/tra_1", 5)]

    depot.transfer(lambda it, at: it.receive({"MUG": 4}, at))
    depot.transfer(lambda it, at: it.close(at, "one is broken", LOST))

    assert depot.world.level("MUG", "RENO") == (4, 4, 0)
    assert of(depot, "MUG") == []
    depot.check()


def test_an_order_and_a_transfer_of_one_name_are_expected_apart(depot: Depot) -> None:
    depot.world.receive("MUG", 5)
    lines = (PurchaseLine("MUG", 3, FRIDAY),)
    order = PurchaseOrder("SAME", "Potter & Co", "RENO", lines, now())
    depot.supply.order(order.ordered(), fingerprint="f", actor="test")
    depot.draft(("MUG", 5), identity="SAME")
    depot.send("SAME")

    assert of(depot, "MUG") == [(FRIDAY, "purchase/SAME", 3), (FRIDAY, "transfer/SAME", 5)]


def test_no_more_is_sent_than_is_available_and_every_short_sku_is_named(depot: Depot) -> None:
    depot.world.receive("MUG", 4)
    depot.world.receive("CUP", 4)
    depot.draft(("MUG", 5), ("CUP", 4), ("HAT", 1))

    with pytest.raises(OutOfStock) as refused:
        depot.send()

    assert {short.sku for short in refused.value.shortages} == {"MUG", "HAT"}
    assert depot.world.level("CUP") == (4, 4, 0)
    assert depot.supply.get(TRANSFERS, "tra_1").status == "draft"


def test_units_that_come_back_wake_who_waits(depot: Depot) -> None:
    depot.world.receive("MUG", 5)
    depot.draft(("MUG", 5))
    depot.send()

    for _ in range(2):
        depot.transfer(lambda it, at: it.cancel(at, "flood", BACK))

    assert depot.world.level("MUG") == (5, 5, 0)
    assert [name for name, _ in depot.told("MUG")] == ["StockReceived", "StockFreed"]
    depot.check()


def test_twenty_tellings_of_one_delivery_at_once_count_once(depot: Depot) -> None:
    depot.order(("MUG", 10))

    with ThreadPoolExecutor(10) as threads:
        done = list(threads.map(lambda _: depot.receive({"MUG": 10}, key="note"), range(20)))

    assert sum(each.new for each in done) == 1
    assert {each.accepted for each in done} == {done[0].accepted}
    assert depot.world.level("MUG") == (10, 10, 0)


def test_deliveries_at_once_share_what_was_ordered_and_the_rest_is_surplus(depot: Depot) -> None:
    depot.order(("MUG", 10))

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda n: depot.receive({"MUG": 3}, key=f"note {n}"), range(8)))

    brought = [each for it in done for each in it.accepted]
    assert sum(each.quantity for each in brought) == 10
    assert sum(each.surplus for each in brought) == 14
    assert depot.world.level("MUG") == (24, 24, 0)
    depot.check()


def test_a_transfer_that_is_received_and_cancelled_at_once_ends_one_way(depot: Depot) -> None:
    depot.world.receive("MUG", 5)
    depot.draft(("MUG", 5))
    depot.send()

    def received() -> None:
        with suppress(Refused):
            depot.transfer(lambda it, at: it.receive({"MUG": 5}, at))

    def cancelled() -> None:
        with suppress(Refused):
            depot.transfer(lambda it, at: it.cancel(at, "no", BACK))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda deed: deed(), (received, cancelled) * 4))

    there, here = depot.world.level("MUG", "RENO")[0], depot.world.level("MUG")[0]
    assert sorted((there, here)) == [0, 5]
    depot.check()


def test_a_delivery_survives_a_crash_anywhere_and_counts_once(depot: Depot) -> None:
    depot.order(("MUG", 10))

    deaths = survives(depot.world, lambda world: Depot(world).receive({"MUG": 12}, key="note"))

    assert deaths
    assert depot.world.level("MUG") == (12, 12, 0)
    assert len(depot.told("MUG")) == 1
    depot.check()


def test_a_transfer_survives_a_crash_at_every_step(depot: Depot) -> None:
    depot.world.receive("MUG", 5)
    depot.draft(("MUG", 5))

    def whole(world: World) -> None:
        place = Depot(world)
        place.order(("CUP", 2))
        with suppress(Refused):
            place.send()
        with suppress(Refused):
            place.transfer(lambda it, at: it.cancel(at, "flood", BACK))

    assert survives(depot.world, whole) > 4
    assert depot.world.level("MUG") == (5, 5, 0)
    assert depot.incoming("CUP") == 2
    depot.check()


SKUS = ("MUG", "CUP")


class SupplyMachine(RuleBasedStateMachine):
    """Random purchases and transfers: every unit that came is on hand, on its way or lost."""

    client: DynamoDB

    def __init__(self) -> None:
        super().__init__()
        self.depot = Depot(World.new(self.client))
        self.purchases: list[str] = []
        self.transfers: list[str] = []
        self.came = 0

    @rule(mugs=st.integers(1, 6), cups=st.integers(1, 6))
    def order(self, mugs: int, cups: int) -> None:
        identity = f"pur_{next(numbers)}"
        self.depot.order(("MUG", mugs), ("CUP", cups), identity=identity)
        self.purchases.append(identity)

    @rule(data=st.data(), sku=st.sampled_from(SKUS), quantity=st.integers(1, 8))
    def receive(self, data: st.DataObject, sku: str, quantity: int) -> None:
        if self.purchases:
            with suppress(Refused):
                identity = data.draw(st.sampled_from(self.purchases))
                self.depot.receive({sku: quantity}, identity=identity)
                self.came += quantity

    @rule(data=st.data(), on=st.dates(MONDAY, MONDAY + timedelta(days=3)))
    def reschedule_or_close(self, data: st.DataObject, on: date) -> None:
        if self.purchases:
            identity = data.draw(st.sampled_from(self.purchases))
            how = data.draw(
                st.sampled_from(
                    [
                        lambda it: it.reschedule({"MUG": on}),
                        lambda it: it.call_off({}, datetime.now(UTC), "so"),
                    ]
                )
            )
            self.depot.supply.change(PURCHASES, identity, how, at=now(), actor="test")

    @rule(mugs=st.integers(1, 4), cups=st.integers(1, 4))
    def send(self, mugs: int, cups: int) -> None:
        identity = f"tra_{next(numbers)}"
        self.depot.draft(("MUG", mugs), ("CUP", cups), identity=identity)
        self.transfers.append(identity)
        with suppress(Refused):
            self.depot.send(identity)

    @rule(
        data=st.data(),
        sku=st.sampled_from(SKUS),
        quantity=st.integers(1, 4),
        disposition=st.sampled_from(list(Disposition)),
    )
    def move(self, data: st.DataObject, sku: str, quantity: int, disposition: Disposition) -> None:
        if not self.transfers:
            return
        identity = data.draw(st.sampled_from(self.transfers))
        deeds = [
            lambda it, at: it.receive({sku: quantity}, at),
            lambda it, at: it.cancel(at, "so", disposition),
            lambda it, at: it.close(at, "so", disposition),
        ]
        with suppress(Refused):
            self.depot.transfer(data.draw(st.sampled_from(deeds)), identity)

    @invariant()
    def every_unit_is_somewhere(self) -> None:
        levels = list(self.depot.world.stock.scan_levels())
        supply = self.depot.supply
        transfers = [supply.get(TRANSFERS, each) for each in self.transfers]
        purchases = [supply.get(PURCHASES, each) for each in self.purchases]
        on_its_way = sum(each.quantity for it in transfers for _, each in it.supply)
        lost = sum(line.written_off for it in transfers for line in it.lines)
        ordered = sum(each.quantity for it in purchases for _, each in it.supply)
        expected = [each for found in supply.expected(SKUS).values() for each in found]

        assert sum(level.on_hand for level in levels) + on_its_way + lost == self.came
        assert sum(level.incoming for level in levels) == on_its_way + ordered
        assert sum(each.quantity for each in expected) == on_its_way + ordered
        self.depot.check()


def test_every_unit_is_somewhere_in_every_history(dynamodb: DynamoDB) -> None:
    SupplyMachine.client = dynamodb
    run_state_machine_as_test(
        SupplyMachine,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
