"""Bugs of payments that other systems have had, each by its name: none of them may be ours."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.inventory import order_deadlines
from functions.inventory.run_agenda import Run, work_through
from functions.ops.reconcile_orders import GRACE, PATIENCE, Repair, reconcile
from functions.payments.receive_payment_webhook import record
from oms.adapters.orders_table import Placement
from oms.adapters.payments.base import Notice, Provider
from oms.adapters.payments.settling import Books, Undecided, settle, sweep
from oms.adapters.workflow import Executions
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.agenda import DueKind
from oms.domain.decide import facts, place
from oms.domain.errors import IllegalTransition, OmsError, OnHold
from oms.domain.events import PackedParcel
from oms.domain.holds import HoldStep
from oms.domain.notices.news import NOT_NEWS
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind, OperationStatus, operation_key
from oms.domain.statuses import payment_status
from oms.domain.waits import prepared
from tests.builders import line, placement
from tests.fakes_psp import FakePsp, Fault
from tests.functions.ops.test_reconcile_orders import Machine
from tests.functions.world import Crash, World, an_order, now, survives

pytestmark = pytest.mark.cloud

numbers = count(1)
WEEK = timedelta(days=7)


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 5000)
    return world


def placed(world: World, **changes: Any) -> str:
    return world.place(an_order(**changes)).order_id


def paid(world: World) -> str:
    order_id = placed(world)
    world.pay(order_id)
    return order_id


def shipped(world: World, order_id: str) -> str:
    assert world.route(order_id) == "routed"
    world.pack(order_id)
    world.ship(order_id)
    return order_id


def cancelled(world: World, order_id: str) -> str:
    world.do(order_id, c.CancelOrder("no"))
    return order_id


def by_command(world: World, **changes: Any) -> str:
    """As a channel or an edit would have it: with tenders of other providers, or paid before."""
    said = placement(line(sku="MUG", quantity=2), external_id=f"P-{next(numbers)}", **changes)
    order_id = f"ord_p{next(numbers)}"
    recorded, order = facts(order_id, None, place(replace(said, placed_at=now())), now(), "test")
    tokens = {o.operation_id: "tok_ok" for o in order.payment.authorizations}
    world.orders.place(order_id, recorded, order, Placement(order_id, instruments=tokens))
    return order_id


def to_authorize(world: World) -> str:
    return placed(world)


def to_capture(world: World) -> str:
    return shipped(world, paid(world))


def to_void(world: World) -> str:
    return cancelled(world, paid(world))


def to_refund(world: World) -> str:
    order_id = by_command(world, provider="fake", prepaid=True)
    world.pay(order_id)
    world.pay(order_id)
    return cancelled(world, order_id)


def to_renew(world: World) -> str:
    world.psp.valid_for = WEEK
    order_id = paid(world)
    world.do(order_id, c.RenewAuthorization(now() + WEEK))
    return order_id


QUESTIONS: dict[str, tuple[Callable[[World], str], OperationKind]] = {
    "authorize": (to_authorize, OperationKind.AUTHORIZE),
    "capture": (to_capture, OperationKind.CAPTURE),
    "void": (to_void, OperationKind.VOID),
    "refund": (to_refund, OperationKind.REFUND),
    "renew": (to_renew, OperationKind.AUTHORIZE),
}

mishaps = st.lists(
    st.tuples(st.sampled_from([None, *Fault]), st.integers(0, 5), st.booleans(), st.booleans()),
    max_size=5,
)


@pytest.mark.parametrize("question", QUESTIONS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mishaps=mishaps)
def test_m1_whatever_is_lost_refused_or_dies_the_money_moves_exactly_once(
    world: World, question: str, mishaps: list[tuple[Fault | None, int, bool, bool]]
) -> None:
    """A retry under a new key moves the money twice; one under an old key, after a definite no,
    moves it never: the provider says no for ever."""
    begin, kind = QUESTIONS[question]
    world.psp.faults.clear()
    order_id = begin(world)
    (asked,) = world.orders.get(order_id).payment.unsettled
    before = len(moved_for(world, kind))
    for fault, dies_at, after, at_provider in mishaps:
        suffer(world, order_id, fault, dies_at, after=after, at_provider=at_provider)
        retry(world, order_id)
    bring_to_rest(world, order_id)

    done = world.orders.get(order_id).payment.operation(asked.operation_id)
    refused = done.status is OperationStatus.FAILED
    assert refused == (question == "authorize" and refused)  # a bank's last word only
    movements = moved_for(world, kind)[before:]
    assert [each.amount for each in movements] == ([] if refused else [asked.amount])
    world.check(order_id)


def moved_for(world: World, kind: OperationKind) -> list[Any]:
    return [each for each in world.psp.movements if each.kind is kind]


def suffer(
    world: World,
    order_id: str,
    fault: Fault | None,
    dies_at: int,
    *,
    after: bool,
    at_provider: bool,
) -> None:
    """A worker asks, and dies at one of its calls of the table, or just after the provider's."""
    world.psp.faults = deque([fault])
    world.psp.called = die if at_provider else lambda _: None
    try:
        with suppress(Crash, Undecided):
            world.mortal(dies_at, after=after).pay(order_id)
    finally:
        world.psp.faults.clear()
        world.psp.called = lambda _: None


def die(kind: OperationKind) -> None:
    raise Crash


def retry(world: World, order_id: str) -> None:
    for failed in world.orders.get(order_id).unresolved:
        world.do(order_id, c.RetryPaymentOperation(failed.operation_id))


def bring_to_rest(
    world: World, order_id: str, providers: Mapping[str, Provider] | None = None
) -> Order:
    for _ in range(12):
        retry(world, order_id)
        order = settle(
            world.orders,
            order_id,
            at=now(),
            providers=providers or world.providers,
            deadlines=world.agenda,
        )
        order = world.orders.get(order_id)
        if not order.payment.unsettled and not order.unresolved:
            return order
    raise AssertionError("its money never comes to rest")


def test_m5_a_refund_over_two_tenders_that_dies_after_each_call_gives_back_what_was_planned(
    world: World,
) -> None:
    """A plan that is worked out again from what is left gives too much, or too little."""
    for dies_after in range(1, 4):
        gift = FakePsp(code="gift")
        providers: dict[str, Provider] = {"fake": world.psp, "gift": gift}
        order_id = over_two_tenders(world, providers)
        plan = {o.of: o.amount for o in cancel_all(world, order_id).payment.unsettled}
        assert plan == {"op_1": 900, "op_2": 1600}
        calls = count(1)

        def called(kind: OperationKind, at: int = dies_after, calls: Any = calls) -> None:
            if next(calls) == at:
                raise Crash

        before = world.psp.moved(OperationKind.REFUND)
        world.psp.called = gift.called = called
        with suppress(Crash):
            settle(world.orders, order_id, at=now(), providers=providers)
        order = bring_to_rest(world, order_id, providers)
        assert gift.moved(OperationKind.REFUND) == 900
        assert world.psp.moved(OperationKind.REFUND) - before == 1600
        assert (order.payment.refunded, payment_status(order)) == (2500, "refunded")
        world.psp.called = lambda _: None


def over_two_tenders(world: World, providers: Mapping[str, Provider]) -> str:
    gift = c.TenderGiven("gift", 900, prepaid=True)
    order_id = by_command(world, provider="fake", prepaid=True, tenders=(gift,))
    assert bring_to_rest(world, order_id, providers).payment.captured == 2500
    return order_id


def cancel_all(world: World, order_id: str) -> Order:
    return world.do(order_id, c.CancelOrder("no"))


def test_m5_nor_does_a_crash_at_any_write_change_what_is_given_back(world: World) -> None:
    gift = FakePsp(code="gift")
    providers: dict[str, Provider] = {"fake": world.psp, "gift": gift}
    order_id = over_two_tenders(world, providers)
    cancel_all(world, order_id)
    before = world.psp.moved(OperationKind.REFUND)

    deaths = survives(
        world, lambda mortal: settle(mortal.orders, order_id, at=now(), providers=providers)
    )

    assert deaths >= 2
    assert gift.moved(OperationKind.REFUND) == 900
    assert world.psp.moved(OperationKind.REFUND) - before == 1600
    assert world.check(order_id).payment.refunded == 2500


def test_p1_the_webhook_and_the_browser_race_and_everything_happens_once(world: World) -> None:
    """Two entries that both complete an order: two orders, two captures, two mails."""
    chance, orders, rounds = Random(7), 40, 25
    order_ids = [placed(world) for _ in range(orders)]
    race(world, order_ids, OperationKind.AUTHORIZE, rounds, chance)
    for order_id in order_ids:
        shipped(world, order_id)
    race(world, order_ids, OperationKind.CAPTURE, 2, chance)

    assert Counter(each.kind for each in world.psp.movements) == {
        OperationKind.AUTHORIZE: orders,
        OperationKind.CAPTURE: orders,
    }
    for order_id in order_ids:
        told = [fact.event for fact in world.orders.whole_history(order_id)]
        kinds = Counter(type(event) for event in told)
        assert (kinds[e.OrderPlaced], kinds[e.PaymentAuthorized], kinds[e.PaymentCaptured]) == (
            1,
            1,
            1,
        )
        assert confirmations(world.check(order_id), told) == 1


def race(
    world: World, order_ids: list[str], kind: OperationKind, rounds: int, chance: Random
) -> None:
    """Half of them by the provider's notice, half by the workflow's step, in any order."""
    deeds = [(order_id, n % 2 == 0) for order_id in order_ids for n in range(rounds)]
    chance.shuffle(deeds)

    def act(deed: tuple[str, bool]) -> None:
        order_id, by_webhook = deed
        if by_webhook:
            tell(world, order_id, kind)
        else:
            world.pay(order_id)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(act, deeds))
    for order_id in order_ids:
        world.pay(order_id)


def tell(world: World, order_id: str, kind: OperationKind) -> None:
    """The provider knows of it as soon as it was asked, and it may be asked for at any moment."""
    order = world.orders.get(order_id)
    (asked,) = [each for each in order.payment.operations if each.kind is kind]
    key = operation_key(order_id, asked)
    if key in world.psp.answers:
        notice = Notice(order_id, key, world.psp.answers[key])
        record(Books(world.orders, now(), "provider:fake", world.agenda), "fake", notice)


def confirmations(order: Order, told: list[e.Event]) -> int:
    """Letters that say that the order is confirmed, as long as nothing has left."""
    order = replace(order, fulfillment_orders=())
    return sum(
        isinstance(event, e.PaymentAuthorized)
        and not NOT_NEWS["PaymentAuthorized"](order, {"confirms": event.confirms})
        for event in told
    )


def test_p2_with_every_webhook_lost_all_orders_reach_a_final_state(world: World) -> None:
    """Acknowledged before it is applied, and nobody asks again: paid, and stuck for ever."""
    world.psp.slow = frozenset(OperationKind)
    fates = ["completed", "declined", "called off", "paid back"]
    order_ids = {by_fate(world, fate): fate for fate in fates * 2}
    for order_id, fate in order_ids.items():
        if fate == "declined":
            key = operation_key(order_id, world.orders.get(order_id).payment.operations[0])
            world.psp.answers[key] = replace(
                world.psp.answers[key], status=OperationStatus.FAILED, reason="no funds"
            )
    later = now()
    for _ in range(8):
        later += GRACE + PATIENCE
        look_after(world, later)
        for order_id, fate in order_ids.items():
            go_on(world, order_id, fate)

    for order_id, fate in order_ids.items():
        order = world.check(order_id)
        assert (order.is_final, order.payment.unsettled) == (True, ())
        assert (
            payment_status(order)
            == {
                "completed": "paid",
                "declined": "declined",
                "called off": "voided",
                "paid back": "refunded",
            }[fate]
        )


def by_fate(world: World, fate: str) -> str:
    prepaid = fate == "paid back"
    order_id = by_command(world, provider="fake", prepaid=prepaid)
    assert world.pay(order_id).payment.unsettled
    return order_id


def look_after(world: World, at: datetime) -> None:
    """The reconciler, and nobody else, speaks to the provider."""
    repair = Repair(
        world.orders,
        Executions(Machine(), world.client, world.orders_name),
        lambda order_id: sweep(
            world.orders, order_id, at=now(), providers=world.providers, deadlines=world.agenda
        ),
        world.settle_stock,
        lambda: False,
        Random(1),
    )
    assert reconcile(repair, at)["failed"] == 0


def go_on(world: World, order_id: str, fate: str) -> None:
    """What workflows, warehouses and buyers do meanwhile."""
    order = world.orders.get(order_id)
    state = prepared(order)
    if state == "declined":
        world.do(order_id, c.CancelOrder("declined"))
    elif state is not None or not order.is_paid_for:
        return
    elif fate == "called off" or (fate == "paid back" and order.payment.captured):
        world.do(order_id, c.CancelOrder("no"))
    elif fate == "completed":
        if not order.fulfillment_orders:
            shipped(world, order_id)
        world.deliver(order_id)


def test_p2_a_notice_that_comes_before_its_order_is_not_lost(world: World) -> None:
    """It is answered with an error, so that the provider repeats it."""
    books = Books(world.orders, now(), "provider:fake", world.agenda)
    said = an_order()
    key = operation_key("ord_unheard_of", placeholder())
    early = Notice("ord_unheard_of", key, world.psp.authorize(key, 2500, "USD", "tok_ok"))
    with pytest.raises(OmsError):
        record(books, "fake", early)

    order = world.place(said)
    key = operation_key(order.order_id, order.payment.operations[0])
    result = world.psp.authorize(key, order.total, "USD", "tok_ok")
    assert record(books, "fake", Notice(order.order_id, key, result)).order_id == order.order_id
    assert world.orders.get(order.order_id).payment.authorized == order.total


def placeholder() -> Any:
    (placed,) = place(placement())
    assert isinstance(placed, e.OrderPlaced)
    return placed.operations[0]


@pytest.mark.parametrize("renewed", [True, False])
def test_p3_eight_days_later_nothing_leaves_without_a_live_authorization(
    world: World, renewed: bool
) -> None:
    """Nobody watches the clock, and the capture of goods that are gone is refused."""
    start = now()
    clock = [start]
    world.psp.valid_for, world.psp.clock = WEEK, lambda: clock[0]
    order_id = paid(world)
    assert world.route(order_id) == "routed"
    world.pack(order_id)
    for hour in range(0, 8 * 24 + 1, 12):
        clock[0] = start + timedelta(hours=hour)
        work_agenda(world, clock[0])
        world.psp.faults = deque([] if renewed else [Fault.REFUSED])
        settle_at(world, order_id, clock[0])
        order = world.orders.get(order_id)
        live = [t for t in order.payment.tenders if t.left and not t.ends_by(clock[0])]
        assert live or order.held_from(HoldStep.FULFILLMENT)
    world.psp.faults.clear()

    if renewed:
        world.ship(order_id)
        order = bring_to_rest(world, order_id)
        assert (order.payment.captured, order.payment.authorized) == (2500, 2500)
        assert world.psp.moved(OperationKind.CAPTURE) == 2500
    else:
        refused_to_ship(world, order_id)
    world.check(order_id)


def refused_to_ship(world: World, order_id: str) -> None:
    order = world.orders.get(order_id)
    assert ([hold.type for hold in order.active_holds], bool(order.attention)) == (
        ["payment"],
        True,
    )
    assert order.status is OrderStatus.IN_FULFILLMENT  # nothing was cancelled
    with pytest.raises(OnHold):
        ship_first(world, order_id)
    world.do(order_id, c.ReleaseHold("hold_1", "send it all the same"))
    with pytest.raises(IllegalTransition):
        ship_first(world, order_id)
    assert world.psp.moved(OperationKind.CAPTURE) == 0


def ship_first(world: World, order_id: str) -> None:
    box = world.orders.get(order_id).fulfillment_orders[0]
    parcel = PackedParcel("easypost", "EZ1", box.lines)
    world.do(order_id, c.ShipFulfillmentOrder(box.fulfillment_order_id, (parcel,)))


def settle_at(world: World, order_id: str, at: datetime) -> Order:
    return settle(world.orders, order_id, at=at, providers=world.providers, deadlines=world.agenda)


def work_agenda(world: World, at: datetime) -> None:
    """What is due by then; twice, as a worker may have died after the first."""
    desk = order_deadlines.Desk(world.routing, world.items, lambda *_: None)
    handlers: dict[str, Any] = {
        DueKind.RENEW_AUTHORIZATION: lambda subject, now: order_deadlines.renew_authorization(
            desk, subject, now
        )
    }
    run = Run(world.agenda, handlers, lambda _: None, lambda: False)
    for _ in range(2):
        assert work_through(run, lambda: at)["failed"] == 0
