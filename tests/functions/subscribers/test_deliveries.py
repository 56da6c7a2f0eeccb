"""Whatever fails in between, a subscriber is told of every event that it wants at least once, under
one id, signed with a secret that is valid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.subscribers.api import change, retry
from functions.subscribers.send_deliveries import LEASE
from functions.subscribers.sending import HOPELESS, NEVER_TAKEN, TAKEN_OFF
from oms.adapters.web import Answer
from oms.contracts.api.subscribers import PutSubscriber
from oms.domain.subscribers import OPEN_AFTER, TRIED_FOR, DeliveryState
from tests.fake_receiver import ReceiverCrash
from tests.functions.subscribers.house import START, URL, House, an_event
from tests.functions.world import Crash

pytestmark = pytest.mark.cloud

AGAIN = PutSubscriber.read({"url": URL})


@pytest.fixture
def house(dynamodb: Any) -> House:
    return House.new(dynamodb)


def test_an_event_is_sent_once_to_who_wants_it(house: House) -> None:
    house.subscribe("OrderPlaced")
    house.subscribe("OrderCancelled", name="sub_b")

    assert house.happen(an_event(1), an_event(1)) == []
    house.minute()
    house.minute()

    (message,) = house.receiver.said
    assert message == {
        "type": "OrderPlaced",
        "timestamp": START.isoformat(),
        "id": "ord_1#000001",
        "version": 1,
        "order_id": "ord_1",
        "seq": 1,
        "actor": "client:shop",
        "data": {"n": 1},
    }
    (delivery,) = house.log()
    assert delivery.state is DeliveryState.DELIVERED
    assert [each.status for each in delivery.attempts] == [204]
    assert house.log("sub_b") == ()


def test_what_nobody_wants_costs_no_row_and_no_question_of_its_order(house: House) -> None:
    house.subscribe("OrderCancelled", channels=["web"])

    house.happen(an_event(1))

    assert (house.log(), house.asked_channels, house.queue.nudges) == ((), [], [])


def test_with_channels_only_their_orders_are_told_of_and_each_is_asked_for_once(
    house: House,
) -> None:
    house.subscribe(channels=["web"])
    house.channel |= {"ord_1": "web", "ord_2": "pos"}
    stock = {**an_event(3), "id": "MUG#1", "type": "StockLow", "sku": "MUG"}
    del stock["order_id"]

    house.happen(an_event(1), an_event(2), an_event(1), stock)

    assert [each.order_id for each in house.log()] == ["ord_1"]
    assert house.asked_channels == ["ord_1", "ord_2"]


def test_events_before_it_subscribed_and_while_it_is_off_are_not_for_it(house: House) -> None:
    house.subscribe()
    known = house.subscribers.get("sub_a").subscriber
    change(house.api, known, AGAIN.model_copy(update={"enabled": False}))
    house.happen(an_event(1))
    house.wait(minutes=5)
    change(house.api, house.subscribers.get("sub_a").subscriber, AGAIN)
    house.happen(an_event(2), an_event(3, at=house.now()))

    assert [each.order_id for each in house.log()] == ["ord_3"]


def test_a_message_that_is_none_comes_again_and_the_others_do_not(house: House) -> None:
    house.subscribe()

    assert house.happen(an_event(1), {"type": "OrderPlaced"}, an_event(2)) == ["m1"]
    assert len(house.log()) == 2


def test_a_failure_is_tried_again_for_three_days_and_then_kept(house: House) -> None:
    house.subscribe()
    house.happen(an_event(1))
    house.receiver.answers = [Answer(500, {}, b"oops")] * 50
    began, tried = house.now(), list[timedelta]()
    while house.log()[0].state is DeliveryState.WAITING:
        before = len(house.receiver.asked)
        house.minute()
        if len(house.receiver.asked) > before:
            tried.append(house.now() - began)
        due = house.deliveries.next_due("sub_a") or house.now()
        house.clock[0] = max(due, house.now() + timedelta(minutes=1))
        house.clock[0] = min(house.now(), began + TRIED_FOR + timedelta(hours=2))

    (delivery,) = house.log()
    assert delivery.state is DeliveryState.DEAD
    assert tried[0] == timedelta()
    assert tried[-1] >= TRIED_FOR
    assert len(tried) == 10
    assert house.failures.told == [NEVER_TAKEN]
    assert delivery.attempts[-1].excerpt == "oops"
    assert [x.event_id for x in house.deliveries.listed("sub_a", DeliveryState.DEAD, 9).deliveries]

    house.receiver.answers = []
    retry(house.api, "sub_a", delivery.delivery_id)
    house.wait(hours=2)
    house.minute()
    assert house.log()[0].state is DeliveryState.DELIVERED
    assert house.receiver.heard == [delivery.message_id]


def test_after_failures_in_a_row_one_message_asks_whether_it_is_back(house: House) -> None:
    house.subscribe()
    house.happen(*(an_event(number) for number in range(20)))
    house.receiver.answers = [None] * 7

    house.minute()
    assert len(house.receiver.asked) == OPEN_AFTER
    house.minute()
    assert len(house.receiver.asked) == OPEN_AFTER  # it rests
    house.wait(seconds=31)
    house.minute()
    assert len(house.receiver.asked) == OPEN_AFTER + 1
    house.wait(minutes=10)
    house.minute()
    house.wait(minutes=10)
    house.minute()

    assert len(set(house.receiver.heard)) == 20
    assert house.subscribers.get("sub_a").health.failures == 0


def test_a_busy_subscriber_is_asked_again_when_it_said(house: House) -> None:
    house.subscribe()
    house.happen(an_event(1), an_event(2))
    house.receiver.answers = [Answer(429, {"retry-after": "120"})]

    house.minute()
    house.wait(seconds=100)
    house.minute()
    assert len(house.receiver.asked) == 1
    house.wait(seconds=30)
    house.minute()
    assert len(house.receiver.heard) == 2


def test_one_that_is_gone_is_told_no_more_until_somebody_says_so(house: House) -> None:
    house.subscribe()
    house.happen(an_event(1), an_event(2))
    house.receiver.answers = [Answer(410)]

    house.minute()
    off = house.subscribers.get("sub_a").subscriber
    assert (off.enabled, off.why_disabled, house.failures.told) == (False, TAKEN_OFF, [TAKEN_OFF])
    house.wait(hours=1)
    house.minute()
    assert len(house.receiver.asked) == 1
    assert not house.tap.is_on

    change(house.api, off, AGAIN)
    assert house.tap.is_on
    house.minute()
    assert len(house.receiver.heard) == 2


def test_after_days_of_failures_nobody_is_asked_any_more(house: House) -> None:
    house.subscribe()
    for hour in range(0, 24 * 6, 2):
        house.receiver.answers = [None] * 10
        house.happen(an_event(hour, at=house.now()))
        house.minute()
        house.wait(hours=2)

    off = house.subscribers.get("sub_a").subscriber
    assert (off.enabled, off.why_disabled) == (False, HOPELESS)
    assert house.failures.told.count(HOPELESS) == 1


def test_while_two_secrets_are_valid_each_is_signed_with(house: House) -> None:
    house.subscribe()
    (old,) = house.receiver.secrets
    new = house.secrets.rotate("sub_a", house.now(), timedelta(hours=24))

    for secrets in ([old], [new]):
        house.receiver.secrets = secrets
        house.happen(an_event(len(house.receiver.heard), at=house.now()))
        house.minute()
        house.wait(minutes=1)
    assert len(house.receiver.heard) == 2

    house.wait(hours=24)
    house.receiver.secrets = [old]
    house.happen(an_event(3, at=house.now()))
    house.minute()
    assert len(house.receiver.heard) == 2
    assert " " not in house.receiver.headers[-1]["webhook-signature"]


def test_a_worker_at_a_time_sends_and_who_finds_another_lets_it(house: House) -> None:
    house.subscribe()
    house.happen(an_event(1))
    house.crew.leases.take("sub_a", "other", house.now(), house.now() + LEASE)

    assert house.send() == "another worker, or a pause"
    house.wait(seconds=LEASE.total_seconds())
    assert house.send() == "1 sent, 0 failed"


def test_what_fails_is_due_in_seconds_and_somebody_is_sent_for_it_then(house: House) -> None:
    house.subscribe()
    house.happen(an_event(1))
    house.receiver.answers = [None]
    house.queue.nudges.clear()

    house.send()

    assert house.queue.nudges == [(("sub_a", ""), timedelta(seconds=5))]


def test_a_worker_that_is_late_leaves_the_rest_to_the_next(house: House) -> None:
    house.subscribe()
    house.happen(an_event(1), an_event(2))
    house.queue.nudges.clear()
    house.late = [False, True]

    assert house.send() == "1 sent, 0 failed"
    assert house.queue.nudges == [(("sub_a", ""), timedelta())]


@pytest.mark.parametrize("after", [False, True])
def test_wherever_a_worker_dies_every_event_is_sent(dynamodb: Any, after: bool) -> None:
    """`after`: the call took effect, and nobody heard of it."""
    for dies_at in range(1, 100):
        house = House.new(dynamodb)
        house.subscribe()
        house.receiver.answers = [Answer(500)]
        dying = house.mortal(dies_at, after=after)
        try:
            dying.happen(an_event(1), an_event(2))
            dying.send()
            dying.minute()
        except Crash:
            house.happen(an_event(1), an_event(2))  # the queue gives it again
            house.wait(seconds=LEASE.total_seconds() + 400)
            house.minute()
            house.wait(minutes=10)
            house.minute()
            assert_told(house, 2)
        else:
            assert dies_at > 10
            return
    raise AssertionError("it never ends")


steps = st.one_of(
    st.tuples(st.just("happen"), st.integers(0, 5)),
    st.tuples(st.just("minute"), st.sampled_from(("", "500", "none", "429", "410"))),
    st.tuples(st.just("die"), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 8_000)),
    st.tuples(st.just("rotate"), st.integers(0, 2)),
    st.tuples(st.just("retry"), st.integers(0, 5)),
)
SAYS = {"500": Answer(500), "none": None, "429": Answer(429, {"retry-after": "30"})}


def do(house: House, step: str, what: Any) -> None:
    if step == "happen":
        house.happen(an_event(what))
    elif step == "wait":
        house.wait(seconds=what)
    elif step == "minute":
        said = {**SAYS, "410": Answer(410)}
        house.receiver.answers = [said[what]] if what else []
        house.minute()
    elif step == "rotate" and len(house.secrets.infos("sub_a", house.now())) < 4:
        house.receiver.secrets = [house.secrets.rotate("sub_a", house.now(), timedelta(hours=what))]
    elif step == "retry" and (log := house.log()):
        retry(house.api, "sub_a", log[what % len(log)].delivery_id)
    elif step == "die":
        die(house)


def die(house: House) -> None:
    house.receiver.dies, house.receiver.answers = True, []
    try:
        house.minute()
    except ReceiverCrash:
        house.wait(seconds=LEASE.total_seconds())
    finally:
        house.receiver.dies = False


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=st.lists(steps, min_size=4, max_size=25))
def test_in_whatever_order_it_happens_nothing_is_lost(
    dynamodb: Any, plan: list[tuple[str, Any]]
) -> None:
    house = House.new(dynamodb)
    house.subscribe()
    house.receiver.dies = False
    happened = set[int]()
    for step, what in [*plan, ("happen", 0)]:
        enabled = house.subscribers.get("sub_a").subscriber.enabled
        do(house, step, what)
        happened |= {what} if step == "happen" and enabled else set()
    house.receiver.answers = []
    known = house.subscribers.get("sub_a").subscriber
    change(house.api, known, AGAIN)
    for _ in range(12):
        house.wait(hours=6)
        house.minute()

    assert_told(house, len(happened))


def assert_told(house: House, events: int) -> None:
    """One row and one id for an event, each of them delivered."""
    log = house.log()
    assert len(log) == events
    assert {each.state for each in log} <= {DeliveryState.DELIVERED}
    assert set(house.receiver.heard) == {each.message_id for each in log}
    told = {
        (each["id"], name)
        for each, name in zip(house.receiver.said, house.receiver.heard, strict=True)
    }
    assert len(told) == events


def test_a_row_that_was_changed_meanwhile_is_not_overwritten(house: House) -> None:
    house.subscribe()
    house.happen(an_event(1))
    (queued,) = house.deliveries.due("sub_a", house.now())

    assert house.deliveries.mark(queued, replace(queued.delivery, tries=1))
    assert not house.deliveries.mark(queued, replace(queued.delivery, tries=7))
    assert house.log()[0].tries == 1
