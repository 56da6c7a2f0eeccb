"""Whatever stands still goes on, and whatever goes on is left in peace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from functions.ops.reconcile_orders import GRACE, PATIENCE, Repair, reconcile
from oms.adapters.payments.settling import Undecided, settle
from oms.adapters.workflow import Executions, ReturnWorkflow, Workflow
from oms.domain import commands as c
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind
from oms.domain.returns import RefundWhen, Return, Terms
from oms.domain.returns.waits import ReturnWait
from oms.domain.waits import Wait
from tests.functions.returns.shelf import approved, asked, receipt
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud


@dataclass
class Machine(Workflow):
    """Executions by name, as Step Functions tells of them."""

    executions: dict[str, str] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    def wake(self, token: str, outcome: str) -> bool:
        self.told.append((token, outcome))
        return True

    def start(self, order_id: str, attempt: int = 0) -> bool:
        name = f"{order_id}-{attempt}" if attempt else order_id
        return self.executions.setdefault(name, "RUNNING") == "RUNNING"

    def status(self, order_id: str, attempt: int = 0) -> str | None:
        self.asked.append(order_id)
        return self.executions.get(f"{order_id}-{attempt}" if attempt else order_id)

    def running(self) -> Iterator[str]:
        running = (name for name, status in self.executions.items() if status == "RUNNING")
        yield from (name.partition("-")[0] for name in running if name not in self.unlisted)


@dataclass
class ReturnMachine(Machine, ReturnWorkflow):
    def running(self) -> Iterator[str]:
        running = (name for name, status in self.executions.items() if status == "RUNNING")
        yield from map(self.whose, running)


@dataclass
class Night:
    """A shop that nobody watches; `later` is when the reconciler comes."""

    world: World
    machine: Machine = field(default_factory=Machine)
    returns: ReturnMachine = field(default_factory=ReturnMachine)
    settled: list[str] = field(default_factory=list)
    undecided: bool = False

    def settle(self, order_id: str) -> Order:
        self.settled.append(order_id)
        if self.undecided:
            raise Undecided
        return settle(self.world.orders, order_id, at=now(), providers=self.world.providers)

    def run(
        self, later: timedelta = GRACE + PATIENCE, is_late: Any = lambda: False
    ) -> dict[str, int]:
        executions = Executions(self.machine, self.world.client, self.world.orders_name)
        repair = Repair(
            self.world.orders,
            executions,
            self.settle,
            self.world.settle_stock,
            is_late,
            Random(1),
            returns=Executions(self.returns, self.world.client, self.world.orders_name),
        )
        return reconcile(repair, now() + later)


@pytest.fixture
def night(dynamodb: Any) -> Night:
    world = World.new(dynamodb)
    world.receive("MUG", 50)
    return Night(world)


def placed(night: Night) -> str:
    return night.world.place(an_order(("MUG", 2))).order_id


def routed(night: Night) -> str:
    order_id = placed(night)
    night.world.pay(order_id)
    night.world.route(order_id)
    return order_id


def shipped(night: Night) -> str:
    order_id = routed(night)
    night.world.pack(order_id)
    night.world.ship(order_id)
    return order_id


def test_an_order_whose_execution_is_missing_is_started(night: Night) -> None:
    order_id = placed(night)

    counts = night.run()

    assert counts["resumed"] == 1
    assert night.machine.executions == {order_id: "RUNNING"}


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"])
def test_an_order_whose_execution_ended_too_early_gets_the_next(night: Night, status: str) -> None:
    order_id = routed(night)
    night.machine.executions[order_id] = status

    assert [night.run()["resumed"] for _ in range(2)] == [1, 0]
    assert night.machine.executions == {order_id: status, f"{order_id}-1": "RUNNING"}


def test_an_order_whose_execution_runs_is_not_asked_for(night: Night) -> None:
    night.machine.start(routed(night))

    assert night.run()["resumed"] == 0
    assert night.machine.asked == []


def test_an_execution_that_is_not_listed_yet_is_asked_for_by_name(night: Night) -> None:
    order_id = routed(night)
    night.machine.start(order_id)
    night.machine.unlisted.add(order_id)

    assert night.run()["resumed"] == 0
    assert night.machine.executions == {order_id: "RUNNING"}


def test_a_new_order_is_left_to_its_own_execution(night: Night) -> None:
    placed(night)

    assert night.run(later=timedelta(seconds=10))["looked_at"] == 0


def test_an_order_that_needs_attention_waits_in_an_execution(night: Night) -> None:
    order_id = routed(night)
    night.world.do(order_id, c.RaiseAttention("late"))
    night.machine.executions[order_id] = "FAILED"

    assert night.run()["resumed"] == 1


def test_an_ignored_order_is_not_started_again(night: Night) -> None:
    order_id = routed(night)
    night.world.do(order_id, c.RaiseAttention("late"), c.ResolveAttention("ignore"))
    night.machine.executions[order_id] = "SUCCEEDED"

    assert night.run()["resumed"] == 0


def test_a_capture_that_nobody_asked_for_is_asked_for(night: Night) -> None:
    order_id = shipped(night)
    night.machine.start(order_id)

    counts = night.run()

    assert counts["settled"] == 1
    assert night.world.psp.moved(OperationKind.CAPTURE) == 2500
    assert night.run()["settled"] == 0


def test_money_is_left_for_a_while_to_those_whose_turn_it_is(night: Night) -> None:
    night.machine.start(shipped(night))

    assert night.run(later=GRACE + timedelta(seconds=1))["settled"] == 0
    assert night.settled == []


def test_an_authorization_that_nobody_has_asked_for_is_asked_for(night: Night) -> None:
    order_id = placed(night)
    night.machine.start(order_id)

    soon, later = GRACE + timedelta(seconds=1), GRACE + PATIENCE
    assert [night.run(after)["settled"] for after in (soon, later)] == [0, 1]
    assert night.world.orders.get(order_id).payment.authorized == 2500


def test_a_cancelled_order_gets_its_money_back(night: Night) -> None:
    order_id = routed(night)
    night.world.do(order_id, c.CancelOrder("no"))
    night.machine.executions[order_id] = "FAILED"

    counts = night.run()

    order = night.world.orders.get(order_id)
    assert (order.status, order.payment.voided) == (OrderStatus.CANCELLED, 2500)
    assert (counts["settled"], counts["resumed"]) == (1, 0)
    assert night.run()["looked_at"] == 0


def test_a_cancelled_order_that_still_owes_stock_is_started_again(night: Night) -> None:
    lines = [(f"SKU-{number}", 1) for number in range(45)]
    for sku, quantity in lines:
        night.world.receive(sku, quantity)
    order_id = night.world.place(an_order(*lines)).order_id
    night.world.pay(order_id)
    night.world.route(order_id)
    night.world.do(order_id, c.CancelOrder("no"))
    night.machine.executions[order_id] = "FAILED"

    counts = night.run()

    assert (counts["resumed"], counts["stocked"]) == (1, 1)
    assert night.world.orders.get(order_id).owed_stock == ()
    assert night.world.level("SKU-44") == (1, 1, 0)


def test_a_provider_that_cannot_tell_is_asked_next_time(night: Night) -> None:
    night.machine.start(shipped(night))
    night.undecided = True

    counts = night.run()

    assert (counts["settled"], counts["failed"]) == (0, 0)
    assert len(night.settled) == 1


def test_one_order_in_trouble_does_not_keep_the_others_from_being_looked_at(night: Night) -> None:
    ids = [placed(night) for _ in range(3)]
    start = night.machine.start

    def refuses(order_id: str, attempt: int = 0) -> bool:
        if order_id == ids[1]:
            raise ConnectionError
        return start(order_id, attempt)

    night.machine.start = refuses  # type: ignore[method-assign]

    counts = night.run()

    assert (counts["looked_at"], counts["resumed"], counts["failed"]) == (3, 2, 1)


def test_a_run_ends_in_time_and_says_what_it_left(night: Night) -> None:
    for _ in range(3):
        placed(night)

    counts = night.run(is_late=lambda: True)

    assert (counts["looked_at"], counts["left_for_the_next_run"]) == (0, 3)


def test_runs_begin_at_different_orders_so_that_all_have_their_turn(night: Night) -> None:
    ids = {placed(night) for _ in range(4)}
    seen: set[str] = set()

    class First:
        """Only the first order of a run is looked at."""

        def open_orders(self, before: datetime) -> Iterator[str]:
            return night.world.orders.open_orders(before)

        def many(self, order_ids: Any) -> dict[str, Order]:
            seen.add(next(iter(order_ids)))
            return {}

        def whole_history(self, order_id: str) -> tuple[Any, ...]:
            return ()

        def token(self, order_id: str, wait: str) -> None:
            return None

    for seed in range(31):
        repair = Repair(
            First(),
            Executions(night.machine, night.world.client, night.world.orders_name),
            night.settle,
            night.world.settle_stock,
            lambda: False,
            Random(seed),
        )
        reconcile(repair, now() + GRACE)

    assert seen == ids


def test_a_workflow_that_missed_the_end_of_its_wait_is_told_again(night: Night) -> None:
    order_id = shipped(night)
    night.machine.start(order_id)
    night.world.orders.keep_token(order_id, Wait.FULFILLMENT, "token-1")
    night.world.pay(order_id)
    night.world.deliver(order_id)

    counts = night.run()

    assert night.machine.told == [("token-1", "done")]
    assert counts["woken"] == 1


def test_a_backorder_whose_release_was_not_heard_is_told_again(night: Night) -> None:
    order_id = night.world.place(an_order(("LAMP", 1))).order_id
    night.world.pay(order_id)
    night.world.route(order_id)
    night.machine.start(order_id)
    night.world.orders.keep_token(order_id, Wait.STOCK, "token-2")
    night.world.do(order_id, c.ReleaseBackorder("LAMP"))

    night.run()

    assert night.machine.told == [("token-2", "released")]


def test_an_order_that_is_with_its_warehouse_is_left_in_peace(night: Night) -> None:
    order_id = shipped(night)
    night.machine.start(order_id)
    night.world.orders.keep_token(order_id, Wait.FULFILLMENT, "token-3")

    assert night.run()["woken"] == 0
    assert night.machine.told == []


def order_of(found: Return) -> str:
    return f"ord_{found.return_id[4:-2]}"


def test_a_return_whose_execution_is_missing_is_started_though_its_order_is_completed(
    night: Night,
) -> None:
    found = approved(night.world)

    assert [night.run()["returns_resumed"] for _ in range(2)] == [1, 0]

    assert night.returns.executions == {found.return_id: "RUNNING"}
    assert night.machine.executions == {}


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_return_whose_execution_ended_too_early_gets_the_next(night: Night, status: str) -> None:
    found = approved(night.world)
    night.returns.executions[found.return_id] = status

    assert [night.run()["returns_resumed"] for _ in range(2)] == [1, 0]
    assert night.returns.executions[f"{found.return_id}-1"] == "RUNNING"


def test_a_return_that_nobody_has_approved_needs_no_execution(night: Night) -> None:
    asked(night.world)

    assert night.run()["looked_at"] == 0


def test_a_return_that_was_just_approved_is_left_to_its_own_execution(night: Night) -> None:
    night.returns.start(approved(night.world).return_id)  # its order is looked at
    fresh = approved(night.world)

    night.run(later=timedelta(seconds=10))

    assert fresh.return_id not in night.returns.executions


def test_a_return_that_is_over_is_not_looked_at_any_more(night: Night) -> None:
    found = approved(night.world)
    night.world.do(order_of(found), c.CancelReturn(found.return_id, "kept"))

    assert night.run()["looked_at"] == 0


def test_an_ignored_return_is_not_started_again(night: Night) -> None:
    found = approved(night.world)
    raised = c.RaiseAttention("late", found.return_id)
    night.world.do(order_of(found), raised, c.ResolveAttention("ignore", found.return_id))

    assert night.run()["returns_resumed"] == 0


def test_a_return_that_was_paid_for_in_vain_waits_for_a_person_in_an_execution(
    night: Night,
) -> None:
    found = approved(night.world, Terms(refund_when=RefundWhen.APPROVAL))
    night.world.do(order_of(found), c.ExpireReturn(found.return_id))
    night.returns.executions[found.return_id] = "FAILED"

    assert night.run()["returns_resumed"] == 1


def test_a_return_that_missed_the_end_of_its_wait_is_told_again(night: Night) -> None:
    found = approved(night.world)
    night.returns.start(found.return_id)
    night.world.orders.keep_return_token(found.return_id, ReturnWait.GOODS, "token-8")
    assert night.run()["returns_woken"] == 0

    night.world.do(order_of(found), receipt(found))

    assert night.run()["returns_woken"] == 1
    assert night.returns.told == [("token-8", "received")]
