from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.channels.send_to_shops import LEASE, nudge_all, send
from functions.channels.sending import harmless
from oms.adapters.channels.access import NotReachable, Paced, access_of
from oms.adapters.channels.shop_api import CalledOff, GivenBack, RefusedByShop, Shipped
from oms.adapters.shop_leases import ShopLeases
from oms.adapters.web import Answer
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.shop_tasks import TRIED_FOR, TaskKind, TaskState
from tests.builders import line
from tests.fake_shop import ShopCrash
from tests.functions.channels.trade import NAME, SHOP, NoWeb, ShopStory, Trade

pytestmark = pytest.mark.cloud


@pytest.fixture
def trade(dynamodb: Any) -> Trade:
    return Trade.new(dynamodb)


def shipped_order() -> ShopStory:
    story = ShopStory(line(1, sku="MUG", quantity=2)).authorized().captured()
    return story.routed().shipped().captured()


def shipped_and_refunded() -> ShopStory:
    return shipped_order().by("user:ann", c.GrantRefund(300, "came late")).captured()


def test_what_was_told_is_kept_for_a_while_with_the_shops_reference(trade: Trade) -> None:
    trade.tell(shipped_order())
    trade.send()

    (done,) = trade.listed(TaskState.DONE)
    assert (done.reference, done.finished_at) == (f"their-{done.key}", trade.now())
    row = trade.client.get_item(
        TableName=trade.table, Key={"PK": {"S": f"TASKS#{NAME}"}, "SK": {"S": done.key}}
    )["Item"]
    assert int(row["expires_at"]["N"]) == int((trade.now() + timedelta(days=30)).timestamp())


def test_what_cannot_be_done_now_is_done_later_under_the_same_key(trade: Trade) -> None:
    trade.fake.later(2)
    trade.tell(shipped_order())

    trade.send()
    (waiting,) = trade.listed(TaskState.WAITING)
    assert (waiting.tries, waiting.error) == (1, "too many calls")
    trade.wait(minutes=2)
    trade.send()
    trade.wait(minutes=5)
    trade.send()

    assert len(trade.fake.calls) == 3
    assert len(set(trade.fake.calls)) == 1
    assert len(trade.fake.effects) == 1


def test_a_shop_that_says_how_long_is_left_alone_for_so_long(trade: Trade) -> None:
    trade.fake.later(1, after_seconds=900)
    trade.tell(shipped_order())
    trade.tell(shipped_order())

    assert trade.send() == "paused"
    assert len(trade.fake.calls) == 1
    trade.wait(seconds=899)
    assert trade.send() == "another worker, or a pause"
    trade.wait(seconds=1)
    trade.send()

    assert len(trade.fake.effects) == 2


def test_nothing_of_an_order_overtakes_what_waits_for_another_try(trade: Trade) -> None:
    trade.fake.difficulties.append(KeyError("of the adapter"))
    trade.tell(shipped_and_refunded())

    trade.send()
    assert len(trade.fake.calls) == 1
    trade.wait(minutes=1)
    trade.send()

    assert [type(done) for done in trade.fake.effects.values()] == [Shipped, GivenBack]


def test_a_surprise_of_an_adapter_holds_up_its_order_only_and_quotes_nothing(
    trade: Trade,
) -> None:
    trade.fake.difficulties.append(KeyError("ada@example.com"))
    trade.tell(shipped_order())
    trade.tell(shipped_order())
    trade.send()

    assert len(trade.fake.effects) == 1
    (waiting,) = trade.listed(TaskState.WAITING)
    assert waiting.error == "KeyError"


def test_what_a_shop_refuses_wakes_a_person_and_lets_the_rest_of_the_order_go_on(
    trade: Trade,
) -> None:
    trade.fake.refuse()
    trade.tell(shipped_and_refunded())
    trade.send()

    (failed,) = trade.listed(TaskState.FAILED)
    assert (failed.kind, failed.error) == (TaskKind.FULFILLMENT, "already closed")
    assert trade.failures.told == [failed.key]
    assert [type(done) for done in trade.fake.effects.values()] == [GivenBack]


def test_after_three_days_a_person_looks_at_it(trade: Trade) -> None:
    trade.fake.later(1000)
    trade.tell(shipped_order())
    began = trade.now()

    trade.send_all()

    (failed,) = trade.listed(TaskState.FAILED)
    assert failed.error == "given up: too many calls"
    assert TRIED_FOR <= trade.now() - began < TRIED_FOR + timedelta(hours=3)
    assert trade.failures.told == [failed.key]


@pytest.mark.parametrize("code", ["fake", "unknown"])
def test_a_shop_that_cannot_be_reached_at_all_wakes_one_person_once(
    dynamodb: Any, code: str
) -> None:
    shop = replace(SHOP, name=f"{code}:mugs.example")
    trade = Trade.new(dynamodb, shop)
    story = ShopStory(line(1), line(2), channel=shop.name).authorized().captured()
    story.by("user:ann", c.CancelOrder("no")).captured()
    trade.tell(story)
    crew = replace(trade.crew, access=lambda shop, api: access_of(replace(shop, base_url="")))

    send(crew, shop.name)

    failed = trade.listed(TaskState.FAILED, shop.name)
    assert len(failed) == 2
    reasons = {"fake": "the shop has no base_url", "unknown": "there is no adapter that tells "}
    assert all(task.error.startswith(reasons[code]) for task in failed)
    assert len(trade.failures.told) == 1


def test_credentials_that_nobody_has_stored_are_said_to_be_missing() -> None:
    class Nothing:
        def credentials(self, shop: str) -> dict[str, str]:
            return {}

    with pytest.raises(NotReachable, match="no credentials"):
        access_of(SHOP, Nothing(), NoWeb())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stored", "reached"),
    [
        ({"token": "t"}, True),
        ({"token": "t", "base_url": "https://mugs.example/api/"}, True),
        ({"token": "t", "base_url": "https://mugs.example"}, False),
    ],
)
def test_credentials_that_name_their_address_go_nowhere_else(
    stored: dict[str, str], reached: bool
) -> None:
    class Stored:
        def credentials(self, shop: str) -> dict[str, str]:
            return stored

    if reached:
        assert access_of(SHOP, Stored(), NoWeb()).credentials == stored  # type: ignore[arg-type]
        return
    with pytest.raises(NotReachable, match="another base_url"):
        access_of(SHOP, Stored(), NoWeb())  # type: ignore[arg-type]


def test_one_worker_at_a_time_tells_a_shop(trade: Trade) -> None:
    leases = ShopLeases(trade.client, trade.table)
    trade.tell(shipped_order())
    assert leases.take(NAME, "another", trade.now(), trade.now() + LEASE)

    assert trade.send() == "another worker, or a pause"
    assert not trade.fake.calls
    trade.wait(seconds=LEASE.total_seconds())
    trade.send()

    assert len(trade.fake.effects) == 1
    assert not leases.give_back(NAME, "another")


def test_a_worker_that_has_no_time_left_hands_the_shop_on(trade: Trade) -> None:
    trade.tell(shipped_order())
    crew = trade.crew
    late = replace(crew, books=replace(crew.books, is_late=lambda: True))
    trade.nudges.shops.clear()

    send(late, NAME)

    assert trade.nudges.shops == [NAME]
    assert not trade.fake.calls
    trade.send()
    assert len(trade.fake.effects) == 1


def test_each_minute_the_shops_that_have_something_due_are_looked_after(trade: Trade) -> None:
    assert nudge_all(trade.crew) == 0

    trade.tell(shipped_order())

    assert nudge_all(trade.crew) == 1


def test_a_worker_that_dies_after_the_shop_was_told_tells_it_under_the_same_key(
    trade: Trade,
) -> None:
    trade.tell(shipped_and_refunded())
    trade.fake.dies = True
    with pytest.raises(ShopCrash):
        trade.send()
    trade.fake.dies = False
    trade.wait(seconds=LEASE.total_seconds())
    trade.send()

    assert len(trade.fake.effects) == 2
    assert len(trade.fake.calls) == 3
    assert len(trade.listed(TaskState.DONE)) == 2


def test_levels_are_told_together_once_in_a_window_as_they_are_at_its_end(trade: Trade) -> None:
    for units in (5, 4, 3):
        trade.level("MUG", units)
        trade.level("CUP", units * 10)
        trade.send()
        trade.wait(seconds=20)
    trade.send()

    assert len(trade.fake.calls) == 1
    assert trade.fake.stock == {("MUG", ""): 3, ("CUP", ""): 30}


def test_a_level_that_comes_back_to_what_it_was_is_told_again(trade: Trade) -> None:
    for units in (5, 4, 5):
        trade.level("MUG", units)
        trade.wait(seconds=60)
        trade.send()

    assert len(trade.fake.effects) == 3
    assert trade.fake.stock == {("MUG", ""): 5}


def test_a_level_that_changes_as_it_is_read_is_told_again(trade: Trade) -> None:
    trade.level("MUG", 5)
    trade.wait(seconds=60)
    trade.stock.meanwhile.append(lambda: trade.level("MUG", 4))
    trade.send()
    assert trade.fake.stock == {("MUG", ""): 5}

    trade.wait(seconds=60)
    trade.send()

    assert trade.fake.stock == {("MUG", ""): 4}


@pytest.mark.parametrize("names", [False, True])
def test_a_sku_that_the_shop_refuses_keeps_no_other_from_being_told(
    trade: Trade, names: bool
) -> None:
    trade.fake.refuses, trade.fake.names_refused = {"SKU7"}, names
    for number in range(10):
        trade.level(f"SKU{number}", number)
    trade.wait(seconds=60)
    trade.send()

    assert len(trade.fake.stock) == 9
    (failed,) = trade.listed(TaskState.FAILED)
    assert failed.sku == "SKU7"
    assert (len(trade.fake.refused) == 1) is names


def test_a_slow_shop_is_told_no_more_levels_at_once_than_it_can_be_asked_for(
    trade: Trade,
) -> None:
    trade.fake.calls_per_second = 0.5
    for number in range(40):
        trade.level(f"SKU{number}", number)
    trade.wait(seconds=60)
    trade.send()

    assert [len(levels) for levels in trade.fake.effects.values()] == [15, 15, 10]  # type: ignore[arg-type]


def test_levels_that_there_is_no_time_for_are_told_by_the_next_worker(trade: Trade) -> None:
    trade.fake.difficulties = [KeyError("x")]
    for number in range(4):
        trade.level(f"SKU{number}", number)
    trade.wait(seconds=60)
    crew, asked = trade.crew, [0]

    def is_late() -> bool:
        asked[0] += 1
        return asked[0] > 4

    send(replace(crew, books=replace(crew.books, is_late=is_late)), NAME)
    assert not trade.fake.effects
    trade.send()

    assert len(trade.fake.stock) == 4


def test_a_level_that_was_refused_is_asked_again_after_a_day_and_wakes_nobody_again(
    trade: Trade,
) -> None:
    trade.fake.refuses = {"MUG"}
    for units, hours in ((3, 1), (2, 24), (1, 24)):
        trade.level("MUG", units)
        trade.wait(seconds=60)
        trade.send()
        trade.wait(hours=hours)
    assert trade.failures.told == ["stock.MUG"]
    assert len(trade.fake.refused) == 2

    trade.fake.refuses = set()
    trade.level("MUG", 9)
    trade.wait(seconds=60)
    trade.send()

    assert trade.fake.stock == {("MUG", ""): 9}
    assert not trade.listed(TaskState.FAILED)


def test_levels_that_were_given_up_are_told_as_soon_as_they_change(trade: Trade) -> None:
    trade.fake.later(1000)
    trade.level("MUG", 3)
    trade.send_all()
    assert len(trade.listed(TaskState.FAILED)) == 1

    trade.fake.difficulties.clear()
    trade.level("MUG", 2)
    trade.wait(minutes=2)
    trade.send()

    assert trade.fake.stock == {("MUG", ""): 2}


def test_no_call_has_more_than_a_hundred_levels(trade: Trade) -> None:
    for number in range(130):
        trade.level(f"SKU{number}", number)
    trade.wait(seconds=60)
    trade.send()

    assert len(trade.fake.calls) == 2
    assert len(trade.fake.stock) == 130


def test_a_sku_that_stands_for_nothing_is_not_told(trade: Trade) -> None:
    trade.level("MUG", 1)
    trade.stock.available.clear()
    trade.wait(seconds=60)
    trade.send()

    assert not trade.fake.calls
    assert len(trade.listed(TaskState.DONE)) == 1


def test_a_cancellation_in_parts_is_told_in_its_order(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG", quantity=2)).authorized().captured()
    story.by("user:ann", c.CancelOrder("one less", (Quantity("line_1", 1),))).captured()
    story.by("user:ann", c.CancelOrder("none")).captured()
    trade.tell(story)
    trade.send()

    told = [done for done in trade.fake.effects.values() if isinstance(done, CalledOff)]
    assert [(x.whole, x.reason, x.units[0].quantity) for x in told] == [
        (False, "one less", 1),
        (True, "none", 1),
    ]
    back = [done for done in trade.fake.effects.values() if isinstance(done, GivenBack)]
    assert sum(x.amount for x in back) == story.order.total
    assert [unit.quantity for x in back for unit in x.units] == [1, 1]


def test_nobody_reads_secrets_or_addresses_in_an_error() -> None:
    said = str(RefusedByShop("token s3cret of ada@example.com: no" + "!" * 500))

    kept = harmless(said, ["s3cret", "no"])

    assert kept.startswith("token (secret) of (e-mail)")
    assert len(kept) == 300


def test_calls_keep_the_distance_that_the_shop_asks_for() -> None:
    now, pauses = [0.0], list[float]()

    def pause(seconds: float) -> None:
        pauses.append(round(seconds, 6))
        now[0] += seconds

    class Fine:
        def call(self, method: str, url: str, **how: Any) -> Answer:
            now[0] += 0.1
            return Answer(200)

    web = Paced(Fine(), 2.0, pause, lambda: now[0])
    for _ in range(3):
        web.call("GET", "https://mugs.example")
    now[0] += 10
    web.call("GET", "https://mugs.example")

    assert pauses == [0.4, 0.4]
