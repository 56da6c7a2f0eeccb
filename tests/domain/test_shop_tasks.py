from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import NotFound
from oms.domain.fulfillment import Quantity
from oms.domain.shop_tasks import (
    LONGEST_PAUSE,
    LOOK_BACK,
    TRIED_FOR,
    Task,
    TaskKind,
    next_try,
    refund_of,
    shop_and_key,
    stock_window,
    tasks_of,
)
from oms.domain.shops import Shop, Told
from tests.builders import NOW, Story, line, placement

SHOP = Shop("fake:mugs.example", "https://mugs.example", tuple(Told))
TASK = Task(SHOP.name, TaskKind.REFUND, NOW, NOW, "ord_x", 7, 1)


def of_shop() -> Story:
    """Two mugs and a cup, taken and routed."""
    lines = line(1, sku="MUG", quantity=2), line(2, sku="CUP")
    said = placement(*lines, channel=SHOP.name, provider="external", captured=3500)
    return Story(said).authorized().captured()


def refunds(story: Story) -> list[tuple[tuple[Quantity, ...], str]]:
    told = [fact for fact in story.facts if isinstance(fact.event, e.PaymentRefunded)]
    found = [refund_of(fact, story.facts, story.order) for fact in told]
    return [(each.units, each.reason) for each in found]


@given(st.integers(0, 200), st.floats(0, 1))
def test_each_try_comes_later_and_never_much_later(tries: int, jitter: float) -> None:
    at = next_try(replace(TASK, tries=tries), NOW, jitter)

    assert at is not None
    assert timedelta(seconds=15) <= at - NOW <= LONGEST_PAUSE


def test_pauses_double_and_are_spread() -> None:
    pauses = [next_try(replace(TASK, tries=tries), NOW, 1) for tries in range(9)]
    seconds = [(at - NOW).total_seconds() for at in pauses if at]

    assert seconds == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert next_try(TASK, NOW, 0) == NOW + timedelta(seconds=15)


def test_a_shop_that_says_when_is_asked_then() -> None:
    assert next_try(TASK, NOW, 0, 900) == NOW + timedelta(minutes=15)


def test_after_three_days_it_is_given_up() -> None:
    last = NOW + TRIED_FOR

    assert next_try(TASK, last - timedelta(seconds=1), 0) is not None
    assert next_try(TASK, last, 0) is None
    assert next_try(TASK, last, 0, 900) is None


@pytest.mark.parametrize(
    ("said", "seconds"), [("", 60), ("15", 15), ("0", 0), ("99999", 3600), ("-5", 60), ("x", 60)]
)
def test_a_window_is_what_the_shop_says_within_an_hour(said: str, seconds: int) -> None:
    shop = replace(SHOP, settings=(("stock_window", said),))

    assert stock_window(shop) == timedelta(seconds=seconds)


def test_a_task_is_found_by_its_id_whatever_its_sku_is_called() -> None:
    task = replace(TASK, kind=TaskKind.STOCK, sku="MUG~blue/1 %")

    assert shop_and_key(task.task_id) == (task.shop, task.key)
    with pytest.raises(NotFound):
        shop_and_key("mugs")


def test_tasks_of_an_order_sort_as_its_facts_do() -> None:
    story = of_shop().do(c.CancelOrder("short", (Quantity("line_2", 1),))).captured()
    story.routed().shipped().captured()
    story.do(c.GrantRefund(100, "late")).captured()

    keys = [x.key for x in tasks_of(SHOP, story.order, story.facts, story.facts[-1].seq, NOW)]

    assert keys == sorted(keys)
    assert [key.split(".")[2] for key in keys] == [
        "cancellation",
        "refund",
        "fulfillment",
        "refund",
    ]


def test_what_happened_long_before_is_not_told_with_it() -> None:
    story = of_shop().routed().shipped().captured()
    story.at += LOOK_BACK
    story.do(c.GrantRefund(100, "late")).captured()

    found = tasks_of(SHOP, story.order, story.facts, story.facts[-1].seq, NOW)

    assert [task.kind for task in found] == [TaskKind.REFUND]


def test_a_refund_of_cancelled_units_names_them_and_why() -> None:
    story = of_shop().do(c.CancelOrder("short", (Quantity("line_1", 1),))).captured()
    story.do(c.CancelOrder("all of it")).captured()

    assert refunds(story) == [
        ((Quantity("line_1", 1),), "short"),
        ((Quantity("line_1", 1), Quantity("line_2", 1)), "all of it"),
    ]


def test_goodwill_names_no_units() -> None:
    story = of_shop().routed().shipped().captured()
    story.do(c.GrantRefund(100, "late")).captured()

    assert refunds(story) == [((), "late")]


def test_what_is_not_shipped_in_parcels_is_told_when_it_is_handed_over() -> None:
    event = e.FulfillmentOrderCollected("ful_x-1", "austin", None)
    story = of_shop().routed()
    box = story.box(1)
    collected = replace(story.facts[-1], event=replace(event, fulfillment_order_id=box))

    found = tasks_of(SHOP, story.order, [*story.facts[:-1], collected], collected.seq, NOW)

    assert [(task.kind, task.part) for task in found] == [(TaskKind.FULFILLMENT, 1)]
