"""Whatever fails in between, a shop is told each thing once, in order, and the last level last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.channels.send_to_shops import LEASE
from functions.channels.sending import NOT_TOLD
from functions.channels.tasks_api import Desk, redrive, redrive_all
from oms.adapters.channels.shop_api import Later, RefusedByShop
from oms.adapters.shops_table import ShopsTable
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.shop_tasks import TaskState, tasks_of
from oms.domain.shops import Told
from tests.builders import line
from tests.fake_shop import ShopCrash
from tests.functions.channels.trade import CHANNEL_SAID, NAME, SHOP, TO_TELL, ShopStory, Trade
from tests.functions.world import survives

pytestmark = pytest.mark.cloud

SKUS = ("MUG", "CUP", "POT")
STAFF = "user:ann"


def an_order(channel_cancels: bool) -> ShopStory:
    """Cut back, shipped, cut back by the channel, and something given back as goodwill."""
    story = ShopStory(line(1, sku="MUG", quantity=2), line(2, sku="CUP", quantity=3))
    story.authorized().captured()
    story.by(STAFF, c.CancelOrder("short", (Quantity("line_2", 1),))).captured()
    if channel_cancels:
        story.by(CHANNEL_SAID, c.CancelOrder("less", (Quantity("line_2", 1),))).captured()
    story.routed().shipped().captured()
    return story.by(STAFF, c.GrantRefund(100, "came late")).captured()


def expected(story: ShopStory) -> list[str]:
    """Keys of what its shop should hear, in the order in which it happened."""
    last, at = story.facts[-1].seq, story.at
    return [task.key for task in tasks_of(SHOP, story.order, story.facts, last, at)]


def api(trade: Trade) -> Desk:
    shops = ShopsTable(trade.client, trade.table)
    return Desk(shops, trade.tasks, trade.nudges, trade.now)


def difficulty(kind: str) -> Exception | None:
    made = {"later": Later("busy"), "wait": Later("busy", 30), "refuse": RefusedByShop("no")}
    return made.get(kind) or (KeyError("x") if kind == "surprise" else None)


steps = st.one_of(
    st.tuples(st.just("hear"), st.integers(0, 99)),
    st.tuples(st.just("send"), st.sampled_from(("", "later", "wait", "refuse", "surprise"))),
    st.tuples(st.just("die"), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 400)),
    st.tuples(st.just("redrive"), st.integers(0, 99)),
    st.tuples(st.just("level"), st.tuples(st.sampled_from(SKUS), st.integers(0, 9))),
)


def heard(story: ShopStory) -> list[Any]:
    return [fact for fact in story.facts if type(fact.event).__name__ in TO_TELL]


def do(trade: Trade, stories: list[ShopStory], step: str, what: Any) -> int:
    """How many workers have died."""
    if step == "hear":
        story = stories[what % len(stories)]
        trade.hear(story, heard(story)[what % len(heard(story))])
    elif step == "level":
        trade.level(*what)
    elif step == "wait":
        trade.wait(seconds=what)
    elif step == "redrive" and (failed := trade.listed(TaskState.FAILED)):
        redrive(api(trade), failed[what % len(failed)].task_id)
    elif step == "send":
        trade.fake.difficulties = [difficulty(what)]
        trade.send()
    elif step == "die":
        return died(trade)
    return 0


def died(trade: Trade) -> int:
    trade.fake.dies, trade.fake.difficulties = True, []
    try:
        trade.send()
    except ShopCrash:
        trade.wait(seconds=LEASE.total_seconds())
        return 1
    finally:
        trade.fake.dies = False
    return 0


def settle(trade: Trade, stories: list[ShopStory]) -> None:
    """Everything is heard at last, nothing is difficult any more, and a person has looked."""
    trade.fake.difficulties = []
    for story in stories:
        trade.tell(story)
    trade.send_all()
    redrive_all(api(trade), NAME)
    trade.send_all()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=st.lists(steps, max_size=25), channel_cancels=st.booleans())
def test_whatever_happens_each_thing_is_told_once(
    dynamodb: Any, told: list[tuple[str, Any]], channel_cancels: bool
) -> None:
    trade, stories = Trade.new(dynamodb), [an_order(channel_cancels), an_order(channel_cancels)]
    deaths = sum(do(trade, stories, step, what) for step, what in told)
    settle(trade, stories)

    wanted = [key for story in stories for key in expected(story)]
    assert sorted(key for key in trade.fake.effects if not key.startswith("stock")) == sorted(
        wanted
    )
    assert len(trade.fake.repeated) <= deaths
    assert not trade.listed(TaskState.FAILED)
    levels = {sku: units for (sku, _), units in trade.fake.stock.items()}
    assert levels == trade.stock.available


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.permutations(range(6)),
    troubles=st.lists(st.sampled_from(("later", "wait", "surprise", "")), max_size=6),
)
def test_an_order_is_told_as_it_happened_whatever_comes_first(
    dynamodb: Any, order: list[int], troubles: list[str]
) -> None:
    trade, story = Trade.new(dynamodb), an_order(channel_cancels=True)
    events = heard(story)
    trade.fake.difficulties = [difficulty(each) for each in troubles]
    for number in order:
        if number < len(events):
            trade.hear(story, events[number])
            trade.send()
    settle(trade, [story])

    assert list(trade.fake.effects) == sorted(trade.fake.effects)
    assert list(trade.fake.effects) == expected(story)


def test_the_channels_own_cancellation_and_its_money_are_not_among_what_is_told() -> None:
    story = an_order(channel_cancels=True)
    own = [fact for fact in story.facts if fact.actor == CHANNEL_SAID]
    refunded = [f for f in story.facts if type(f.event).__name__ == "PaymentRefunded"]

    assert len(refunded) == 3
    assert {type(fact.event).__name__ for fact in own} > {"OrderLinesCancelled"}
    kinds = [key.split(".")[2] for key in expected(story)]
    assert kinds == ["cancellation", "refund", "fulfillment", "refund"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 9)), min_size=1))
def test_a_level_is_told_once_in_a_window_and_the_last_is_the_one_that_stays(
    dynamodb: Any, changes: list[tuple[int, int]]
) -> None:
    trade = Trade.new(dynamodb)
    told_at: list[Any] = []
    for seconds, units in changes:
        trade.level("MUG", units)
        trade.wait(seconds=seconds)
        calls = len(trade.fake.calls)
        trade.send()
        told_at += [trade.now()] * (len(trade.fake.calls) - calls)
    trade.wait(seconds=60)
    trade.send()

    assert trade.fake.stock == {("MUG", ""): changes[-1][1]}
    gaps = [(b - a).total_seconds() for a, b in pairwise(told_at)]
    assert all(gap >= 60 for gap in gaps)


def test_a_worker_may_die_at_any_call_of_the_tables(dynamodb: Any) -> None:
    trade, story = Trade.new(dynamodb), an_order(channel_cancels=True)
    trade.level("MUG", 7)
    trade.wait(seconds=60)

    def deed(world: Any) -> None:
        world.tell(story)
        world.wait(seconds=LEASE.total_seconds())
        world.send()

    assert survives(trade, deed) > 20  # type: ignore[arg-type]
    trade.send_all()

    assert sorted(x for x in trade.fake.effects if not x.startswith("stock")) == expected(story)
    assert trade.fake.stock == {("MUG", ""): 7}
    assert len(trade.listed(TaskState.DONE)) == len(expected(story)) + 1


def test_a_redrive_that_dies_and_is_asked_again_is_one_redrive(dynamodb: Any) -> None:
    trade, story = Trade.new(dynamodb), an_order(channel_cancels=False)
    trade.fake.refuse(4)
    trade.tell(story)
    trade.send()
    assert len(trade.listed(TaskState.FAILED)) == 4

    survives(trade, lambda world: redrive_all(api(world), NAME))  # type: ignore[arg-type]
    trade.send()

    assert sorted(trade.fake.effects) == expected(story)
    assert trade.fake.repeated == []


def test_workers_beside_each_other_tell_everything_once(dynamodb: Any) -> None:
    trade = Trade.new(dynamodb)
    stories = [an_order(channel_cancels=False) for _ in range(6)]

    def work(story: ShopStory) -> None:
        trade.tell(story)
        for _ in range(3):
            trade.send()

    for story in stories:
        trade.orders.stories[story.order_id] = story
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, [*stories, *stories]))
    trade.send_all()

    wanted = [key for story in stories for key in expected(story)]
    assert sorted(trade.fake.effects) == sorted(wanted)
    assert trade.fake.repeated == []


def test_two_readers_beside_each_other_make_one_task_of_a_level(dynamodb: Any) -> None:
    trade = Trade.new(dynamodb)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda units: trade.level("MUG", units), range(30)))

    assert len(trade.listed(TaskState.WAITING)) == 1


def test_what_a_shop_is_told_of_later_was_not_queued_before(dynamodb: Any) -> None:
    trade = Trade.new(dynamodb, replace(SHOP, told=SHOP.told[1:]))
    trade.tell(an_order(channel_cancels=False))
    trade.send()

    assert not any("fulfillment" in key for key in trade.fake.effects)


def test_what_a_shop_is_not_told_of_any_more_stays_untold_and_wakes_nobody(dynamodb: Any) -> None:
    trade = Trade.new(dynamodb)
    trade.tell(an_order(channel_cancels=False))
    trade.level("MUG", 5)
    ShopsTable(dynamodb, trade.table).put(replace(SHOP, told=(Told.FULFILLMENTS,)))
    trade.send()
    assert not trade.listed(TaskState.FAILED)  # another worker may know the shop better
    trade.wait(minutes=4)
    trade.send()

    assert {key.split(".")[2] for key in trade.fake.effects} == {"fulfillment"}
    assert not trade.listed(TaskState.WAITING)
    assert {task.error for task in trade.listed(TaskState.FAILED)} == {NOT_TOLD}
    assert trade.failures.told == []


def test_a_shop_that_is_told_again_hears_what_was_left_out_when_somebody_asks_for_it(
    dynamodb: Any,
) -> None:
    trade, story = Trade.new(dynamodb), an_order(channel_cancels=False)
    trade.tell(story)
    ShopsTable(dynamodb, trade.table).put(replace(SHOP, told=()))
    trade.wait(minutes=4)
    trade.send()
    ShopsTable(dynamodb, trade.table).put(SHOP)
    redrive_all(api(trade), NAME)
    trade.send_all()

    assert list(trade.fake.effects) == expected(story)
